/* SPDX-License-Identifier: Apache-2.0 */
#include "command/comments.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/text.h"
#include "command/report_client.h"
#include "command/usage.h"
#include "model/service.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: whydown comments [OPTION…] --token-file FILE [list]\n"
	"       whydown comments [OPTION…] --token-file FILE publish ID…\n"
	"       whydown comments [OPTION…] --token-file FILE reject ID…\n"
	"Reads the comments that were sent with reports, and decides which a running whydown "
	"shows.\n"
	"Nobody sees one before it is published. The text of one that is rejected is deleted.\n"
	"\n"
	"A line of the list has, with tabs between: id, time, service, surface, problem, country,\n"
	"text. What is not known is -; line ends, control and invisible characters are escaped.\n"
	"\n"
	"  --server URL       the server (default http://127.0.0.1:8080)\n"
	"  --token-file FILE  the file whose first line is the operator's token (admin_token)\n"
	"  --state STATE      of the list: held (default), published or rejected\n"
	"  --service ID       of the list: of this service only\n"
	"  --limit N          of the list: at most so many, the earliest first (default: all)\n"
	"  --tries N          how often to try before giving up (default 8)\n"
	"  --quiet            say nothing but errors\n"
	"  --help             this text\n";

enum { PAGE = 200 };

struct job {
	const char *server, *token_file, *state, *service;
	const char *decision; /* NULL = list */
	char **ids;
	int id_count;
	uint64_t limit; /* 0 = all */
	uint64_t tries;
	bool quiet, help;
};

static int wrong(const char *what)
{
	return usage_wrong("comments", what);
}

/* The word and the ids. */
static int read_words(int argc, char **argv, struct job *job)
{
	uint64_t id;
	const char *word = argc > 0 ? argv[0] : "list";

	if (strcmp(word, "list") == 0)
		return argc > 1 ? wrong("list takes options only") : 0;
	if (strcmp(word, "publish") != 0 && strcmp(word, "reject") != 0)
		return wrong("what is to be done is list, publish or reject");
	if (job->state != NULL || job->service != NULL || job->limit != 0)
		return wrong("--state, --service and --limit are for list");
	if (argc == 1)
		return wrong("which? `whydown comments list` tells the ids");
	for (int i = 1; i < argc; i++) {
		if (!usage_number(argv[i], 1, INT64_MAX, &id))
			return wrong("an id is a number, as list tells it");
	}
	job->decision = word;
	job->ids = argv + 1;
	job->id_count = argc - 1;
	return 0;
}

/* 0, or the exit status of wrong usage. */
static int read_options(int argc, char **argv, struct job *job)
{
	enum { SERVER = 1, TOKEN, STATE, SERVICE, LIMIT, TRIES, QUIET, HELP };
	static const struct option options[] = {
		{"server", required_argument, NULL, SERVER},
		{"token-file", required_argument, NULL, TOKEN},
		{"state", required_argument, NULL, STATE},
		{"service", required_argument, NULL, SERVICE},
		{"limit", required_argument, NULL, LIMIT},
		{"tries", required_argument, NULL, TRIES},
		{"quiet", no_argument, NULL, QUIET},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};
	optind = 0;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case SERVER: job->server = optarg; break;
		case TOKEN: job->token_file = optarg; break;
		case STATE:
			if (strcmp(optarg, "held") != 0 && strcmp(optarg, "published") != 0 &&
			    strcmp(optarg, "rejected") != 0)
				return wrong("--state is held, published or rejected");
			job->state = optarg;
			break;
		case SERVICE:
			if (!text_is_id(optarg, strlen(optarg), SERVICE_ID_MAX))
				return wrong("--service is a service's id: a-z 0-9 . _ -");
			job->service = optarg;
			break;
		case LIMIT:
			if (!usage_number(optarg, 1, INT64_MAX, &job->limit))
				return wrong("--limit is a number from 1");
			break;
		case TRIES:
			if (!usage_number(optarg, 1, 1000, &job->tries))
				return wrong("--tries is a number from 1 to 1000");
			break;
		case QUIET: job->quiet = true; break;
		case HELP: job->help = true; return 0;
		default: return wrong(NULL);
		}
	}
	int status = read_words(argc - optind, argv + optind, job);
	if (status == 0 && job->token_file == NULL)
		return wrong("--token-file is missing: only the operator may");
	return status;
}

/* ---- list ---- */

static void add_field(struct buf *b, json_t *comment, const char *name)
{
	const char *text = json_string_value(json_object_get(comment, name));
	buf_char(b, '\t');
	if (text == NULL)
		buf_char(b, '-');
	else
		report_client_text(b, text);
}

/* False if standard output takes no more. */
static bool print_comment(json_t *comment)
{
	static const char *const fields[] = {"at",      "service", "surface",
					     "problem", "country", "text"};
	struct buf b;

	buf_init(&b, CLIENT_REPLY_MAX);
	buf_fmt(&b, "%" PRId64, (int64_t)json_integer_value(json_object_get(comment, "id")));
	for (size_t i = 0; i < WD_COUNT(fields); i++)
		add_field(&b, comment, fields[i]);
	buf_char(&b, '\n');
	bool written = !b.bad && fwrite(b.data, 1, b.len, stdout) == b.len;
	buf_done(&b);
	return written;
}

/* Prints a page; *after is the next one's, 0 if this is the last. False, told on stderr. */
static bool print_page(const struct buf *reply, int64_t *after)
{
	json_t *json = json_loadb(reply->data != NULL ? reply->data : "", reply->len, 0, NULL);
	json_t *comments = json_object_get(json, "comments"), *comment;
	int64_t next = json_integer_value(json_object_get(json, "next"));
	bool good = json_is_array(comments) && (next == 0 || next > *after), written = true;
	size_t i;

	if (!good)
		fputs("whydown comments: the server answers something else than comments\n",
		      stderr);
	json_array_foreach(comments, i, comment) written =
		written && good && print_comment(comment);
	if (good && !written)
		perror("whydown comments: standard output");
	json_decref(json);
	*after = next;
	return good && written;
}

static bool list(struct report_client *client, const struct job *job)
{
	struct buf reply;
	uint64_t left = job->limit != 0 ? job->limit : UINT64_MAX;
	int64_t after = 0;
	bool good = true;

	buf_init(&reply, CLIENT_REPLY_MAX);
	do {
		char path[SERVICE_ID_MAX + 160];
		long status = 0;
		unsigned page = left < PAGE ? (unsigned)left : PAGE;
		snprintf(path, sizeof(path),
			 "/api/v1/comments?state=%s&after=%" PRId64 "&limit=%u%s%s",
			 job->state != NULL ? job->state : "held", after, page,
			 job->service != NULL ? "&service=" : "",
			 job->service != NULL ? job->service : "");
		const struct report_post ask = {.path = path, .idempotency_key = ""};
		good = report_client_post(client, &ask, &status, &reply);
		if (good && status != 200)
			report_client_tell("not listed", status, &reply);
		good = good && status == 200 && print_page(&reply, &after);
		left -= page;
	} while (good && after != 0 && left > 0);
	buf_done(&reply);
	if (good && fflush(stdout) != 0) {
		perror("whydown comments: standard output");
		good = false;
	}
	return good;
}

/* ---- publish, reject ---- */

/* *ret_hopeless: no other id would do better. */
static bool decide(struct report_client *client, const struct job *job, const char *id,
		   struct buf *reply, bool *ret_hopeless)
{
	char path[64], body[64], what[64];
	long status = 0;
	int len = snprintf(body, sizeof(body), "{\"decision\":\"%s\"}", job->decision);

	snprintf(path, sizeof(path), "/api/v1/comments/%s", id);
	const struct report_post post = {
		.path = path, .content_type = "application/json", .idempotency_key = "",
		.body = body, .len = (size_t)len};
	if (!report_client_post(client, &post, &status, reply)) {
		*ret_hopeless = true;
		return false;
	}
	*ret_hopeless = status == 401;
	if (status != 200) {
		snprintf(what, sizeof(what), "%s: not %sed", id, job->decision);
		report_client_tell(what, status, reply);
		return false;
	}
	if (!job->quiet)
		printf("%s %sed\n", id, job->decision);
	return true;
}

static bool decide_all(struct report_client *client, const struct job *job)
{
	struct buf reply;
	bool good = true, hopeless = false;
	buf_init(&reply, CLIENT_REPLY_MAX);
	for (int i = 0; i < job->id_count && !hopeless; i++)
		good = decide(client, job, job->ids[i], &reply, &hopeless) && good;
	buf_done(&reply);
	return good;
}

int command_comments(int argc, char **argv)
{
	struct job job = {.server = "http://127.0.0.1:8080", .tries = 8};
	char token[CLIENT_TOKEN_ROOM] = "";
	struct report_client *client;
	struct wd_why why;

	int status = read_options(argc, argv, &job);
	if (status != 0)
		return status;
	if (job.help) {
		fputs(usage, stdout);
		return 0;
	}
	if (!report_client_token(job.token_file, token))
		return 1;
	const struct report_client_options options = {
		.server = job.server, .token = token, .tries = (unsigned)job.tries,
		.quiet = job.quiet};
	if (report_client_open(&options, &client, &why) != WD_OK)
		return wrong(why.what);
	bool good = job.decision != NULL ? decide_all(client, &job) : list(client, &job);
	report_client_close(client);
	sodium_memzero(token, sizeof(token));
	return good ? 0 : 1;
}
