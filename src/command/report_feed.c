/* SPDX-License-Identifier: Apache-2.0 */
#include "command/report_feed.h"

#include "base/check.h"
#include "decode/ndjson.h"
#include "intake/lines.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { BATCH_BYTES = 256 << 10, TOLD_MAX = 20, BATCH_LINES_MAX = 100000 };

struct feed {
	struct report_client *client;
	const char *name;
	struct report_feed *result;
	uint64_t line; /* of the input, from 1 */
	struct buf batch, reply;
	uint64_t *numbers; /* of each line of the batch */
	size_t count, max;
	bool failed_before; /* the last line could not be read */
};

/* `why` may be the server's words. */
static void tell_refused(struct feed *f, uint64_t line, const char *why)
{
	if (f->result->refused++ < TOLD_MAX) {
		fprintf(stderr, "%s:%llu: ", f->name, (unsigned long long)line);
		report_client_print(why);
		fputc('\n', stderr);
	} else if (f->result->refused == TOLD_MAX + 1) {
		fprintf(stderr, "%s: more lines are refused; only counted from here\n", f->name);
	}
}

/* What the server says of a batch it took. False if that is not to be understood. */
static bool read_answer(struct feed *f)
{
	json_t *line, *json = json_loadb(f->reply.data != NULL ? f->reply.data : "", f->reply.len,
					 JSON_REJECT_DUPLICATES, NULL);
	json_t *accepted = json_object_get(json, "accepted");
	json_t *duplicates = json_object_get(json, "duplicates");
	json_t *refused = json_object_get(json, "refused");
	size_t i, told = 0;

	bool good = json_is_integer(accepted) && json_is_integer(duplicates) &&
		    json_is_integer(refused);
	if (good) {
		f->result->accepted += (uint64_t)json_integer_value(accepted);
		f->result->duplicates += (uint64_t)json_integer_value(duplicates);
	}
	json_array_foreach(json_object_get(json, "lines"), i, line)
	{
		json_int_t number = json_integer_value(json_object_get(line, "line"));
		const char *detail = json_string_value(json_object_get(line, "detail"));
		if (number < 1 || (size_t)number > f->count || detail == NULL)
			continue;
		tell_refused(f, f->numbers[number - 1], detail);
		told++;
	}
	if (good && (size_t)json_integer_value(refused) > told)
		f->result->refused += (uint64_t)json_integer_value(refused) - told;
	json_decref(json);
	return good;
}

/* The detail, or at least the title, of a problem document. */
static void tell_problem(struct feed *f, long status)
{
	json_t *json =
		json_loadb(f->reply.data != NULL ? f->reply.data : "", f->reply.len, 0, NULL);
	const char *detail = json_string_value(json_object_get(json, "detail"));
	if (detail == NULL)
		detail = json_string_value(json_object_get(json, "title"));
	fprintf(stderr, "whydown: the server answers %ld%s", status, detail != NULL ? ": " : "");
	report_client_print(detail != NULL ? detail : "");
	fprintf(stderr, "; stopped at line %llu\n",
		(unsigned long long)(f->count > 0 ? f->numbers[0] : f->line));
	json_decref(json);
}

static void send_batch(struct feed *f)
{
	struct report_post post = {
		.path = "/api/v1/observations",
		.content_type = "application/x-ndjson",
		.idempotency_key = "",
		.body = f->batch.data,
		.len = f->batch.len,
	};
	long status;

	if (f->count == 0 || f->result->stopped)
		return;
	WD_CHECK(!f->batch.bad);
	if (!report_client_post(f->client, &post, &status, &f->reply)) {
		f->result->stopped = true;
	} else if (status / 100 != 2) {
		tell_problem(f, status);
		f->result->stopped = true;
	} else if (!read_answer(f)) {
		fprintf(stderr, "whydown: the answer is not that of a whydown server\n");
		f->result->stopped = true;
	}
	buf_reset(&f->batch);
	f->count = 0;
}

/* The line with an id put in before its last brace. */
static void add_with_id(struct feed *f, const char *line, size_t len)
{
	struct observation_id id;
	char text[33];
	crypto_generichash_state state;
	uint64_t number = f->line;

	crypto_generichash_init(&state, NULL, 0, sizeof(id.bytes));
	crypto_generichash_update(&state, (const uint8_t *)&number, sizeof(number));
	crypto_generichash_update(&state, (const uint8_t *)line, len);
	crypto_generichash_final(&state, id.bytes, sizeof(id.bytes));
	observation_id_text(&id, text);
	while (line[len - 1] != '}')
		len--; /* it was read: there is one */
	buf_add(&f->batch, line, len - 1);
	buf_fmt(&f->batch, ",\"id\":\"%s\"}\n", text);
}

static void add_line(struct feed *f, const char *line, size_t len)
{
	char copy[NDJSON_LINE_MAX];
	struct ndjson n;
	struct wd_why why;

	f->result->lines++;
	if (len > sizeof(copy)) {
		tell_refused(f, f->line, "the line is longer than 8192 bytes");
		return;
	}
	memcpy(copy, line, len);
	if (ndjson_read(copy, len, &n, &why) != WD_OK) {
		tell_refused(f, f->line, why.what);
		return;
	}
	if (f->count == f->max || f->batch.len + len > BATCH_BYTES)
		send_batch(f);
	if (n.id[0] == '\0' && n.observation.kind == OBSERVATION_REPORT) {
		add_with_id(f, line, len);
	} else {
		buf_add(&f->batch, line, len);
		buf_char(&f->batch, '\n');
	}
	f->numbers[f->count++] = f->line;
}

/* Reads and sends all. False if the file cannot be read to its end. */
static bool send_lines(struct feed *f, struct lines *lines)
{
	char *line;
	size_t len;
	struct wd_why why;

	while (!f->result->stopped) {
		enum wd_err err = lines_next(lines, &line, &len, &why);
		f->line = lines_number(lines);
		if (err == WD_MALFORMED && !f->failed_before) {
			/* A line too long is passed over; a damaged file says so for ever. */
			f->result->lines++;
			tell_refused(f, f->line, why.what);
			f->failed_before = true;
			continue;
		}
		if (err != WD_OK) {
			fprintf(stderr, "%s:%llu: %s\n", f->name, (unsigned long long)f->line,
				why.what);
			return false;
		}
		f->failed_before = false;
		if (line == NULL)
			return true;
		if (strspn(line, " \t\r") != len)
			add_line(f, line, len);
	}
	return true;
}

enum wd_err report_feed_send(struct report_client *c, const char *path, size_t batch_lines,
			     struct report_feed *ret_feed, struct wd_why *why)
{
	struct feed f = {.client = c, .name = path, .result = ret_feed};
	struct lines *lines;

	enum wd_err err = lines_open(path, &lines, why);
	if (err != WD_OK)
		return err;
	*ret_feed = (struct report_feed){0};
	f.max = batch_lines < BATCH_LINES_MAX ? batch_lines : BATCH_LINES_MAX;
	f.numbers = calloc(f.max, sizeof(*f.numbers));
	WD_CHECK(f.max > 0 && f.numbers != NULL);
	buf_init(&f.batch, 2 * BATCH_BYTES);
	buf_init(&f.reply, CLIENT_REPLY_MAX);
	bool whole = send_lines(&f, lines);
	send_batch(&f); /* also what came before a file broke off */
	ret_feed->stopped = ret_feed->stopped || !whole;
	buf_done(&f.batch);
	buf_done(&f.reply);
	free(f.numbers);
	lines_close(lines);
	return WD_OK;
}
