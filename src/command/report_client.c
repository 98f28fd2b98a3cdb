/* SPDX-License-Identifier: Apache-2.0 */
#include "command/report_client.h"

#include "base/check.h"
#include "base/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CONNECT_S = 10, ANSWER_S = 60, WAIT_FIRST_MS = 500, WAIT_MAX_MS = 30000, URL_MAX = 2048 };

struct report_client {
	struct report_client_options options;
	CURL *curl;
	char server[URL_MAX], token_header[CLIENT_TOKEN_MAX + 32];
	char error[CURL_ERROR_SIZE];
};

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= 0x20 || *text >= 0x7f)
			return false;
	}
	return true;
}

bool report_client_is_server(const char *url)
{
	return (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0) &&
	       strlen(url) < URL_MAX - 64 && is_printable(url);
}

bool report_client_token(const char *path, char token[CLIENT_TOKEN_ROOM])
{
	FILE *f = fopen(path, "re");
	if (f == NULL) {
		fprintf(stderr, "whydown: %s: %s\n", path, strerror(errno));
		return false;
	}
	bool read = fgets(token, CLIENT_TOKEN_ROOM, f) != NULL;
	fclose(f);
	if (read)
		token[strcspn(token, "\r\n")] = '\0';
	if (!read || token[0] == '\0')
		fprintf(stderr, "whydown: %s: its first line must be the token\n", path);
	return read && token[0] != '\0';
}

enum wd_err report_client_open(const struct report_client_options *options,
			       struct report_client **ret_client, struct wd_why *why)
{
	size_t len = strlen(options->server);

	WD_CHECK(options->tries > 0);
	if (!report_client_is_server(options->server))
		return wd_fail(why, WD_MALFORMED, 0,
			       "the server is a URL like http://127.0.0.1:8080");
	if (strlen(options->token) > CLIENT_TOKEN_MAX || !is_printable(options->token))
		return wd_fail(why, WD_MALFORMED, 0,
			       "the token is one word of up to 256 printable characters");
	struct report_client *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return wd_fail(why, WD_NOMEM, 0, "make a client");
	c->options = *options;
	while (len > 0 && options->server[len - 1] == '/')
		len--;
	memcpy(c->server, options->server, len);
	if (options->token[0] != '\0')
		snprintf(c->token_header, sizeof(c->token_header), "Authorization: Bearer %s",
			 options->token);
	c->curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
	if (c->curl == NULL) {
		report_client_close(c);
		return wd_fail(why, WD_NOMEM, 0, "make a client");
	}
	*ret_client = c;
	return WD_OK;
}

void report_client_close(struct report_client *c)
{
	if (c == NULL)
		return;
	if (c->curl != NULL)
		curl_easy_cleanup(c->curl);
	curl_global_cleanup();
	free(c);
}

static size_t take_reply(char *bytes, size_t size, size_t count, void *ctx)
{
	struct buf *reply = ctx;
	buf_add(reply, bytes, size * count);
	return size * count; /* an answer that is too long does not end the transfer */
}

/* Takes over `list` when there is no memory for more. */
static struct curl_slist *add_header(struct curl_slist *list, const char *header)
{
	struct curl_slist *longer = curl_slist_append(list, header);
	WD_CHECK(longer != NULL);
	return longer;
}

static CURLcode post_once(struct report_client *c, const struct report_post *post,
			  struct buf *reply)
{
	char url[URL_MAX], header[256];
	struct curl_slist *headers = add_header(NULL, "Expect:"); /* no waiting for 100 Continue */
	CURL *curl = c->curl;

	buf_reset(reply);
	snprintf(url, sizeof(url), "%s%s", c->server, post->path);
	if (post->body != NULL) {
		snprintf(header, sizeof(header), "Content-Type: %s", post->content_type);
		headers = add_header(headers, header);
	}
	if (post->idempotency_key[0] != '\0') {
		snprintf(header, sizeof(header), "Idempotency-Key: %s", post->idempotency_key);
		headers = add_header(headers, header);
	}
	if (c->token_header[0] != '\0')
		headers = add_header(headers, c->token_header);
	curl_easy_reset(curl); /* keeps the connection */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "whydown");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (post->body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->len);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_reply);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_S);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	c->error[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->error);
	CURLcode code = curl_easy_perform(curl);
	curl_slist_free_all(headers);
	if (reply->bad)
		buf_reset(reply);
	return code;
}

/* Would the same body have a chance later? */
static bool is_busy(long status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

static void sleep_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&t, &t) != 0) {
	}
}

bool report_client_post(struct report_client *c, const struct report_post *post, long *ret_status,
			struct buf *reply)
{
	long wait_ms = WAIT_FIRST_MS;

	for (unsigned left = c->options.tries;; left--) {
		long status = 0;
		curl_off_t asked_s = 0;
		CURLcode code = post_once(c, post, reply);
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &asked_s);
		if (code == CURLE_OK && !(is_busy(status) && left > 1)) {
			*ret_status = status;
			return true;
		}
		const char *reason = code == CURLE_OK       ? "the server is busy"
				     : c->error[0] != '\0' ? c->error
							   : curl_easy_strerror(code);
		if (left == 1) {
			fprintf(stderr, "whydown: %s: %s\n", c->server, reason);
			return false;
		}
		/* An answer that asks for more patience than an hour is not waited for. */
		long this_ms = asked_s > 0 && asked_s <= 3600 ? (long)asked_s * 1000 : wait_ms;
		if (!c->options.quiet)
			fprintf(stderr, "whydown: %s: %s; trying again in %.1f s\n", c->server,
				reason, (double)this_ms / 1000);
		sleep_ms(this_ms);
		wait_ms = wait_ms * 2 < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS;
	}
}

/* ---- what a server says ---- */

void report_client_print(const char *text)
{
	struct buf b;
	buf_init(&b, CLIENT_REPLY_MAX);
	report_client_text(&b, text);
	fputs(b.bad || b.data == NULL ? "" : b.data, stderr);
	buf_done(&b);
}

static void tell_text(const char *front, json_t *text)
{
	if (!json_is_string(text))
		return;
	fputs(front, stderr);
	report_client_print(json_string_value(text));
}

void report_client_tell(const char *what, long status, const struct buf *reply)
{
	json_t *error,
		*json = json_loadb(reply->data != NULL ? reply->data : "", reply->len, 0, NULL);
	size_t i;

	fprintf(stderr, "%s (%ld)", what, status);
	tell_text(": ", json_object_get(json, "title"));
	tell_text(": ", json_object_get(json, "detail"));
	fputc('\n', stderr);
	json_array_foreach(json_object_get(json, "errors"), i, error)
	{
		tell_text("  ", json_object_get(error, "detail"));
		fputc('\n', stderr);
	}
	json_decref(json);
}

/* Not seen, or makes what follows look different (Unicode 15: Cf, Zl, Zp, and C1 controls), but for
 * the joiners that scripts and emoji need. */
static bool is_hidden(unsigned c)
{
	return (c >= 0x80 && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e || c == 0x200b ||
	       c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
	       (c >= 0xe0000 && c <= 0xe0fff);
}

/* Of the UTF-8 character at `p`: its length, and *ret_c; 0 if it is none. */
static size_t read_character(const char *p, unsigned *ret_c)
{
	unsigned char c = (unsigned char)*p;
	size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (memchr(p, '\0', len) != NULL || !text_is_utf8(p, len))
		return 0;
	*ret_c = len == 1 ? c : c & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++)
		*ret_c = *ret_c << 6 | ((unsigned char)p[i] & 0x3f);
	return len;
}

void report_client_text(struct buf *b, const char *text)
{
	for (const char *p = text; *p != '\0';) {
		unsigned c = 0;
		size_t len = read_character(p, &c);
		switch (c) {
		case '\t': buf_str(b, "\\t"); break;
		case '\n': buf_str(b, "\\n"); break;
		case '\r': buf_str(b, "\\r"); break;
		case '\\': buf_str(b, "\\\\"); break;
		default:
			if (len == 0 || c < 0x20 || c == 0x7f)
				buf_fmt(b, "\\x%02x", (unsigned char)*p);
			else if (is_hidden(c))
				buf_fmt(b, "\\u{%x}", c);
			else
				buf_add(b, p, len);
		}
		p += len > 0 ? len : 1;
	}
}
