/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_fetch.h"

#include "base/buf.h"
#include "base/check.h"
#include "command/report_client.h"
#include "command/top_read.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_S = 5, ANSWER_S = 20, URL_MAX = 2560, DATE_MAX = 64 };

struct top_fetch {
	CURLM *multi;
	CURL *curl;
	bool asked; /* curl is in multi */
	struct buf body;
	wd_wall date;
	char server[URL_MAX], error[CURL_ERROR_SIZE];
};

static size_t take_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct top_fetch *f = ctx;
	buf_add(&f->body, bytes, size * count);
	return f->body.bad ? 0 : size * count; /* 0 ends the transfer */
}

static size_t take_head(char *bytes, size_t size, size_t count, void *ctx)
{
	struct top_fetch *f = ctx;
	char date[DATE_MAX];
	size_t len = size * count;

	if (len > 5 && len < sizeof(date) && strncasecmp(bytes, "date:", 5) == 0) {
		memcpy(date, bytes + 5, len - 5);
		date[len - 5] = '\0';
		time_t t = curl_getdate(date, NULL);
		/* To the year 2200, as all times (base/timetext.h). */
		f->date = t > 0 && t < 7258118400 ? wall_s(t) : (wd_wall){0};
	}
	return len;
}

static bool set_options(struct top_fetch *f)
{
	CURL *c = f->curl;
	return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "whydown") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK && /* all it can */
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, f) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_head) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_HEADERDATA, f) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)ANSWER_S) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->error) == CURLE_OK;
}

enum wd_err top_fetch_open(const char *server, struct top_fetch **ret_fetch, struct wd_why *why)
{
	if (!report_client_is_server(server))
		return wd_fail(why, WD_MALFORMED, 0,
			       "the server is a URL like http://127.0.0.1:8080");
	struct top_fetch *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return wd_fail(why, WD_NOMEM, 0, "make a client");
	size_t len = strlen(server);
	while (server[len - 1] == '/')
		len--;
	memcpy(f->server, server, len);
	buf_init(&f->body, TOP_JSON_MAX);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
		f->multi = curl_multi_init();
		f->curl = curl_easy_init();
	}
	if (f->multi == NULL || f->curl == NULL || !set_options(f)) {
		top_fetch_close(f);
		return wd_fail(why, WD_NOMEM, 0, "make a client");
	}
	*ret_fetch = f;
	return WD_OK;
}

static void drop(struct top_fetch *f)
{
	if (f->asked)
		(void)curl_multi_remove_handle(f->multi, f->curl);
	f->asked = false;
}

void top_fetch_close(struct top_fetch *f)
{
	if (f == NULL)
		return;
	drop(f);
	curl_easy_cleanup(f->curl);
	curl_multi_cleanup(f->multi);
	curl_global_cleanup();
	buf_done(&f->body);
	free(f);
}

void top_fetch_ask(struct top_fetch *f, const char *path)
{
	char url[URL_MAX + 256];

	drop(f);
	buf_reset(&f->body);
	f->date.ns = 0;
	f->error[0] = '\0';
	snprintf(url, sizeof(url), "%s%s", f->server, path);
	WD_CHECK(curl_easy_setopt(f->curl, CURLOPT_URL, url) == CURLE_OK);
	WD_CHECK(curl_multi_add_handle(f->multi, f->curl) == CURLM_OK);
	f->asked = true;
}

static void fill_answer(struct top_fetch *f, CURLcode code, struct top_answer *a)
{
	*a = (struct top_answer){.error = "", .date = f->date, .body = "", .len = 0};
	if (f->body.bad)
		a->error = "the answer is too long";
	else if (code != CURLE_OK)
		a->error = f->error[0] != '\0' ? f->error : curl_easy_strerror(code);
	else if (f->body.len > 0)
		a->body = f->body.data, a->len = f->body.len;
	(void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &a->status);
}

bool top_fetch_wait(struct top_fetch *f, int fd, int wait_ms, struct top_answer *ret_answer)
{
	struct curl_waitfd key = {.fd = fd, .events = CURL_WAIT_POLLIN};
	int left = 0;

	(void)curl_multi_perform(f->multi, &left);
	if (left > 0 || !f->asked) {
		(void)curl_multi_poll(f->multi, &key, fd >= 0, wait_ms, NULL);
		(void)curl_multi_perform(f->multi, &left);
	}
	for (CURLMsg *m; (m = curl_multi_info_read(f->multi, &left)) != NULL;) {
		if (m->msg != CURLMSG_DONE || !f->asked)
			continue;
		CURLcode code = m->data.result;
		drop(f); /* m is gone with it */
		fill_answer(f, code, ret_answer);
		return true;
	}
	return false;
}
