/* SPDX-License-Identifier: Apache-2.0 */
#include "command/report.h"

#include "base/buf.h"
#include "base/check.h"
#include "command/report_client.h"
#include "command/report_feed.h"
#include "command/usage.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

static const char usage[] =
	"usage: whydown report [OPTION…] --service SERVICE\n"
	"       whydown report [OPTION…] --token-file FILE RECORDING\n"
	"Sends a report to a running whydown; or, as a trusted feeder, a recording of "
	"observations\n"
	"(NDJSON, plain or gzip; - is standard input). What the server is too busy for is sent\n"
	"again, and counts once.\n"
	"\n"
	"  --server URL       the server (default http://127.0.0.1:8080)\n"
	"  --service SERVICE  which service: its id, name or alias\n"
	"  --surface SURFACE  what of it: app, website, …\n"
	"  --problem PROBLEM  what is wrong\n"
	"  --comment TEXT     in your own words, up to 500 bytes\n"
	"  --place PLACE      where, instead of where your address is: GB, GB/London or\n"
	"                     GB/England/London\n"
	"  --at TIME          when, like 2025-03-10T09:45Z (feeders only)\n"
	"  --token-file FILE  the file whose first line is the feeder's token\n"
	"  --batch LINES      lines of a recording sent at once (default 1000)\n"
	"  --tries N          how often to try before giving up (default 8)\n"
	"  --quiet            say nothing but errors\n"
	"  --help             this text\n";

struct job {
	const char *server, *token_file, *recording;
	const char *service, *surface, *problem, *comment, *at;
	char country[64], region[512], city[512];
	uint64_t batch, tries;
	bool quiet, help;
};

/* "GB", "GB/London" or "GB/England/London"; the server judges the parts. */
static bool read_place(struct job *job, const char *text)
{
	const char *first = strchr(text, '/');
	const char *last = strrchr(text, '/');
	size_t country_len = first != NULL ? (size_t)(first - text) : strlen(text);

	if (country_len >= sizeof(job->country) || strlen(text) >= sizeof(job->city))
		return false;
	memcpy(job->country, text, country_len);
	job->country[country_len] = '\0';
	if (first != NULL)
		snprintf(job->city, sizeof(job->city), "%s", last + 1);
	if (first != last)
		snprintf(job->region, sizeof(job->region), "%.*s", (int)(last - first - 1),
			 first + 1);
	return true;
}

static int wrong(const char *what)
{
	return usage_wrong("report", what);
}

enum option_id {
	SERVER = 1,
	SERVICE,
	SURFACE,
	PROBLEM,
	COMMENT,
	PLACE,
	AT,
	TOKEN,
	BATCH,
	TRIES,
	QUIET,
	HELP
};

static const struct option options[] = {
	{"server", required_argument, NULL, SERVER},
	{"service", required_argument, NULL, SERVICE},
	{"surface", required_argument, NULL, SURFACE},
	{"problem", required_argument, NULL, PROBLEM},
	{"comment", required_argument, NULL, COMMENT},
	{"place", required_argument, NULL, PLACE},
	{"at", required_argument, NULL, AT},
	{"token-file", required_argument, NULL, TOKEN},
	{"batch", required_argument, NULL, BATCH},
	{"tries", required_argument, NULL, TRIES},
	{"quiet", no_argument, NULL, QUIET},
	{"help", no_argument, NULL, HELP},
	{NULL, 0, NULL, 0},
};

/* 0, or the exit status. */
static int read_options(int argc, char **argv, struct job *job)
{
	optind = 0;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (option) {
		case SERVER: job->server = optarg; break;
		case SERVICE: job->service = optarg; break;
		case SURFACE: job->surface = optarg; break;
		case PROBLEM: job->problem = optarg; break;
		case COMMENT: job->comment = optarg; break;
		case PLACE:
			if (!read_place(job, optarg))
				return wrong("--place is too long");
			break;
		case AT: job->at = optarg; break;
		case TOKEN: job->token_file = optarg; break;
		case BATCH:
			if (!usage_number(optarg, 1, 10000, &job->batch))
				return wrong("--batch is a number from 1 to 10000");
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
	if (optind + 1 < argc)
		return wrong("one recording at a time");
	job->recording = argv[optind];
	if ((job->recording != NULL) == (job->service != NULL))
		return wrong("--service or a recording is needed, not both");
	if (job->recording != NULL && job->token_file == NULL)
		return wrong("a recording needs --token-file: only feeders send them");
	return 0;
}

static void add_member(struct buf *b, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	buf_fmt(b, "%s\"%s\":\"", b->len > 1 ? "," : "", name);
	buf_json(b, value);
	buf_char(b, '"');
}

static int send_one(struct report_client *client, const struct job *job)
{
	uint8_t random[16];
	char key[sizeof(random) * 2 + 1];
	struct buf body, reply;
	long status = 0;

	buf_init(&body, 1 << 16);
	buf_init(&reply, CLIENT_REPLY_MAX);
	buf_char(&body, '{');
	add_member(&body, "service", job->service);
	add_member(&body, "surface", job->surface);
	add_member(&body, "problem", job->problem);
	add_member(&body, "comment", job->comment);
	add_member(&body, "country", job->country);
	add_member(&body, "region", job->region);
	add_member(&body, "city", job->city);
	add_member(&body, "at", job->at);
	buf_char(&body, '}');
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(key, sizeof(key), random, sizeof(random));
	struct report_post post = {
		.path = "/api/v1/reports",
		.content_type = "application/json",
		.idempotency_key = key, /* so a second try after a lost answer counts once */
		.body = body.data,
		.len = body.len,
	};
	bool taken = false;
	if (body.bad) {
		fputs("whydown: the report is too long\n", stderr);
	} else if (report_client_post(client, &post, &status, &reply)) {
		taken = status / 100 == 2;
		if (!taken)
			report_client_tell("not taken", status, &reply);
		else if (!job->quiet)
			printf("taken: a report about %s\n", job->service);
	}
	buf_done(&body);
	buf_done(&reply);
	return taken ? 0 : 1;
}

static int send_recording(struct report_client *client, const struct job *job)
{
	struct report_feed feed;
	struct wd_why why;

	if (report_feed_send(client, job->recording, job->batch, &feed, &why) != WD_OK) {
		fprintf(stderr, "whydown: %s: %s%s%s\n", job->recording, why.what,
			why.err == WD_OS ? ": " : "",
			why.err == WD_OS ? strerror(why.os_errno) : "");
		return 1;
	}
	if (!job->quiet)
		printf("%llu lines: %llu taken, %llu sent before, %llu refused\n",
		       (unsigned long long)feed.lines, (unsigned long long)feed.accepted,
		       (unsigned long long)feed.duplicates, (unsigned long long)feed.refused);
	return feed.stopped || feed.refused > 0 ? 1 : 0;
}

int command_report(int argc, char **argv)
{
	struct job job = {.server = "http://127.0.0.1:8080", .batch = 1000, .tries = 8};
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
	if (job.token_file != NULL && !report_client_token(job.token_file, token))
		return 1;
	struct report_client_options to = {
		.server = job.server,
		.token = token,
		.tries = (unsigned)job.tries,
		.quiet = job.quiet,
	};
	if (report_client_open(&to, &client, &why) != WD_OK)
		return wrong(why.what);
	status = job.recording != NULL ? send_recording(client, &job) : send_one(client, &job);
	report_client_close(client);
	sodium_memzero(token, sizeof(token));
	return status;
}
