/* SPDX-License-Identifier: Apache-2.0 */
#include "command/report_client.h"

#include "base/check.h"

#include <curl/curl.h>
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
	snprintf(header, sizeof(header), "Content-Type: %s", post->content_type);
	headers = add_header(headers, header);
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
	curl_easy_setopt(curl, CURLOPT_POST, 1L);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->len);
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
