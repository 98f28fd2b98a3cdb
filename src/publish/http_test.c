/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, answers and bodies over real sockets. */
#include "publish/http_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct http *server;
static struct testing_answer answer; /* too large for the stack */
static char page[10240];

static struct http_response *text_response(int status, const char *text)
{
	struct http_response *r = NULL;
	struct http_response_options o = {.status = status, .content_type = "text/plain",
					  .body = text, .body_len = strlen(text)};

	assert_int_equal(http_response_make(&o, &r, NULL), WD_OK);
	return r;
}

static struct http_response *page_response;

static struct http_response *begin(void *app, const struct http_request *req, size_t *body_max)
{
	(void)app;
	if (strcmp(req->path, "/secret") == 0 && http_request_field(req, "Authorization") == NULL)
		return http_response_problem(401, "a token is needed");
	if (strcmp(req->path, "/big") == 0)
		*body_max = 1 << 20;
	return NULL;
}

static struct http_response *handle(void *app, struct http_request *req)
{
	char text[2048], address[46];

	(void)app;
	if (strcmp(req->path, "/") == 0)
		return http_response_ref(page_response);
	if (strcmp(req->path, "/null") == 0)
		return NULL;
	if (strcmp(req->path, "/length") == 0 || strcmp(req->path, "/big") == 0) {
		snprintf(text, sizeof(text), "%zu", req->body_len);
		return text_response(200, text);
	}
	http_address_text(&req->client, address);
	const char *q = http_request_query(req, "q");
	snprintf(text, sizeof(text), "%d|%s|%s|%s|%s|%s", (int)req->method, req->path,
		 q != NULL ? q : "-", req->content_type, address, req->body);
	return text_response(200, text);
}

static int set_up(void **state)
{
	static const char *const TRUSTED[] = {"127.0.0.9", "10.0.0.0/8"};
	struct http_handler handler = {.begin = begin, .handle = handle};
	struct http_options o = testing_options();
	struct http_response_options page_options = {
		.content_type = "text/html; charset=utf-8", .body = page,
		.body_len = sizeof(page), .compress = HTTP_COMPRESS_PAGE};

	(void)state;
	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (char)('a' + i * i % 23);
	assert_int_equal(http_response_make(&page_options, &page_response, NULL), WD_OK);
	o.trusted = TRUSTED;
	o.trusted_count = 2;
	server = testing_open(&o, &handler);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	http_close(server);
	http_response_unref(page_response);
	return 0;
}

static void a_page_is_answered_whole_with_its_security_fields(void **state)
{
	(void)state;
	testing_ask(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body_len, sizeof(page));
	assert_memory_equal(testing_body(&answer), page, sizeof(page));
	assert_string_equal(testing_field(&answer, "Content-Type"), "text/html; charset=utf-8");
	assert_string_equal(testing_field(&answer, "Vary"), "Accept-Encoding");
	assert_string_equal(testing_field(&answer, "X-Content-Type-Options"), "nosniff");
	assert_string_equal(testing_field(&answer, "Cross-Origin-Resource-Policy"), "same-origin");
	assert_non_null(strstr(testing_field(&answer, "Content-Security-Policy"),
			       "default-src 'none'"));
	assert_non_null(strstr(testing_field(&answer, "Content-Security-Policy"),
			       "frame-ancestors 'none'"));
	assert_non_null(testing_field(&answer, "Date"));
	assert_null(testing_field(&answer, "Server"));
	assert_true(answer.keeps_open);
}

static void the_same_etag_is_answered_304_without_a_body(void **state)
{
	char request[512], etag[80];

	(void)state;
	testing_ask(server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	snprintf(etag, sizeof(etag), "%s", testing_field(&answer, "ETag"));
	snprintf(request, sizeof(request),
		 "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", W/%s\r\n\r\n", etag);
	testing_ask(server, request, &answer);
	assert_int_equal(answer.status, 304);
	assert_int_equal(answer.body_len, 0);
	assert_string_equal(testing_field(&answer, "ETag"), etag);
	/* Several fields are one list. */
	snprintf(request, sizeof(request),
		 "GET / HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\"\r\nIf-None-Match: , %s\r\n"
		 "If-None-Match: \"y\"\r\n\r\n", etag);
	testing_ask(server, request, &answer);
	assert_int_equal(answer.status, 304);
	testing_ask(server,
		    "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: br;q=0\r\n"
		    "Accept-Encoding: deflate\r\nAccept-Encoding: *\r\n\r\n", &answer);
	assert_string_equal(testing_field(&answer, "Content-Encoding"), "gzip");
	/* The tag of the identity form is not that of the gzip form. */
	snprintf(request, sizeof(request),
		 "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nIf-None-Match: %s\r\n\r\n",
		 etag);
	testing_ask(server, request, &answer);
	assert_int_equal(answer.status, 200);
}

static int status_if(const char *fields)
{
	char request[512];

	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	testing_ask(server, request, &answer);
	return answer.status;
}

static void what_the_client_does_not_have_is_412(void **state)
{
	char etag[64], fields[256];

	(void)state;
	assert_int_equal(status_if(""), 200);
	snprintf(etag, sizeof(etag), "%s", testing_field(&answer, "ETag"));
	assert_int_equal(status_if("If-Match: *\r\n"), 200);
	assert_int_equal(status_if("If-Match: \"x\"\r\n"), 412);
	assert_string_equal(testing_field(&answer, "Content-Type"), "application/problem+json");
	snprintf(fields, sizeof(fields), "If-Match: \"x\"\r\nIf-Match: %s\r\n", etag);
	assert_int_equal(status_if(fields), 200);
	/* Weak tags are never strongly the same; If-None-Match is not asked then. */
	snprintf(fields, sizeof(fields), "If-Match: W/%s\r\nIf-None-Match: %s\r\n", etag, etag);
	assert_int_equal(status_if(fields), 412);
	snprintf(fields, sizeof(fields), "If-Match: %s\r\nIf-None-Match: %s\r\n", etag, etag);
	assert_int_equal(status_if(fields), 304);
	/* The tag of another form is not this one's. */
	snprintf(fields, sizeof(fields), "If-Match: %s\r\nAccept-Encoding: gzip\r\n", etag);
	assert_int_equal(status_if(fields), 412);
}

static void head_has_the_fields_of_get_and_no_body(void **state)
{
	int fd = testing_connect(server, NULL);

	(void)state;
	testing_send(fd, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n");
	testing_read(fd, &answer, false);
	assert_int_equal(answer.status, 200);
	assert_string_equal(testing_field(&answer, "Content-Length"), "10240");
	testing_read(fd, &answer, true); /* what follows is the next answer, not a body */
	assert_int_equal(answer.status, 200);
	assert_string_equal(testing_body(&answer), "0|/x|-||127.0.0.1|");
	close(fd);
}

static void the_encoding_follows_the_client(void **state)
{
	static const struct { const char *accept, *encoding; } CASES[] = {
		{"gzip", "gzip"}, {"gzip, br", "br"}, {"br;q=0.5, gzip", "gzip"},
		{"br;q=0, gzip;q=0", NULL}, {"deflate", NULL}, {"*", "br"},
	};
	char request[256];

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		snprintf(request, sizeof(request),
			 "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n",
			 CASES[i].accept);
		testing_ask(server, request, &answer);
		assert_int_equal(answer.status, 200);
		if (CASES[i].encoding == NULL) {
			assert_null(testing_field(&answer, "Content-Encoding"));
			assert_int_equal(answer.body_len, sizeof(page));
		} else {
			assert_string_equal(testing_field(&answer, "Content-Encoding"),
					    CASES[i].encoding);
			assert_true(answer.body_len < sizeof(page));
		}
	}
}

static void path_and_query_arrive_decoded(void **state)
{
	(void)state;
	testing_ask(server, "GET /s/caf%C3%A9?a=1&q=x+y%26z HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_string_equal(testing_body(&answer), "0|/s/caf\xc3\xa9|x y&z||127.0.0.1|");
}

/* RFC 9112 3.2.2: as a client sends it that takes us for a proxy. */
static void a_target_may_be_a_whole_url(void **state)
{
	(void)state;
	testing_ask(server, "GET http://b.example:80/a%20b?q=c HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_int_equal(answer.status, 200);
	assert_non_null(strstr(testing_body(&answer), "|/a b|c|"));
	testing_ask(server, "GET https://b.example?q=/c HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_int_equal(answer.status, 200);
}

static void a_body_arrives_whole_in_however_many_pieces(void **state)
{
	int fd = testing_connect(server, NULL);

	(void)state;
	testing_send(fd, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Type: Text/JSON; charset=utf-8\r\n"
			 "Content-Length: 10\r\n\r\n01");
	for (const char *p = "23456789"; *p != '\0'; p++) {
		testing_sleep_ms(2);
		testing_send_n(fd, p, 1);
	}
	testing_read(fd, &answer, true);
	assert_string_equal(testing_body(&answer), "1|/x|-|text/json|127.0.0.1|0123456789");
	assert_true(answer.keeps_open);
	close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	int fd = testing_connect(server, NULL);
	char want[64];

	(void)state;
	for (int i = 0; i < 50; i++) {
		char request[128];
		snprintf(request, sizeof(request),
			 "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", i);
		testing_send(fd, request);
	}
	for (int i = 0; i < 50; i++) {
		testing_read(fd, &answer, true);
		snprintf(want, sizeof(want), "1|/%d|-||127.0.0.1|abc", i);
		assert_string_equal(testing_body(&answer), want);
	}
	close(fd);
}

static void a_body_over_its_cap_is_413(void **state)
{
	static char request[40000];
	int fd = testing_connect(server, NULL);

	(void)state;
	/* A little over: read and dropped, the connection lives. */
	int len = snprintf(request, sizeof(request),
			   "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n");
	memset(request + len, 'x', 20000);
	testing_send_n(fd, request, (size_t)len + 20000);
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 413);
	assert_true(answer.keeps_open);
	/* A little over, but it waits for 100 Continue: told at once. */
	testing_send(fd, "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
			 "Content-Length: 20000\r\n\r\n");
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 413);
	close(fd);
	/* Far over: answered and closed. */
	testing_ask(server, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
		    &answer);
	assert_int_equal(answer.status, 413);
	assert_false(answer.keeps_open);
	/* GET takes none. */
	testing_ask(server, "GET /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", &answer);
	assert_int_equal(answer.status, 413);
	assert_true(http_counters_read(server).refused_body >= 4);
}

static void a_route_may_take_more(void **state)
{
	static char body[300000];
	int fd = testing_connect(server, NULL);

	(void)state;
	memset(body, 'x', sizeof(body));
	testing_send(fd, "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
	testing_send_n(fd, body, sizeof(body));
	testing_read(fd, &answer, true);
	assert_string_equal(testing_body(&answer), "300000");
	close(fd);
}

static void begin_refuses_before_the_body(void **state)
{
	(void)state;
	testing_ask(server, "POST /secret HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		    &answer);
	assert_int_equal(answer.status, 401);
	assert_true(answer.keeps_open);
	assert_non_null(strstr(testing_body(&answer), "a token is needed"));
	testing_ask(server, "POST /secret HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\n"
			    "Content-Length: 3\r\n\r\nabc", &answer);
	assert_int_equal(answer.status, 200);
}

static void no_answer_is_a_500(void **state)
{
	(void)state;
	testing_ask(server, "GET /null HTTP/1.1\r\nHost: a\r\n\r\n", &answer);
	assert_int_equal(answer.status, 500);
	assert_non_null(strstr(testing_body(&answer), "\"status\":500"));
}

static void only_trusted_proxies_name_the_client(void **state)
{
	static const char REQUEST[] = "GET /x HTTP/1.1\r\nHost: a\r\n"
				      "X-Forwarded-For: 1.1.1.1, 2001:db8::5\r\n"
				      "X-Forwarded-For: 9.9.9.9 , 10.1.2.3\r\n\r\n";
	int fd = testing_connect(server, "127.0.0.9");

	(void)state;
	testing_send(fd, REQUEST);
	testing_read(fd, &answer, true);
	assert_string_equal(testing_body(&answer), "0|/x|-||9.9.9.9|");
	close(fd);
	/* The field that a second proxy added has only the first one in it. */
	fd = testing_connect(server, "127.0.0.9");
	testing_send(fd, "GET /x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, 2001:db8::5\r\n"
			 "X-Forwarded-For: 10.1.2.3\r\n\r\n");
	testing_read(fd, &answer, true);
	assert_string_equal(testing_body(&answer), "0|/x|-||2001:db8::5|");
	close(fd);
	testing_ask(server, REQUEST, &answer);
	assert_string_equal(testing_body(&answer), "0|/x|-||127.0.0.1|");
}

static void http_1_0_is_answered_and_closed(void **state)
{
	int fd = testing_connect(server, NULL);

	(void)state;
	testing_send(fd, "GET /x HTTP/1.0\r\n\r\n");
	testing_read(fd, &answer, true);
	assert_int_equal(answer.status, 200);
	assert_false(answer.keeps_open);
	assert_true(testing_closes(fd, 1000));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_answered_whole_with_its_security_fields),
		cmocka_unit_test(the_same_etag_is_answered_304_without_a_body),
		cmocka_unit_test(what_the_client_does_not_have_is_412),
		cmocka_unit_test(head_has_the_fields_of_get_and_no_body),
		cmocka_unit_test(the_encoding_follows_the_client),
		cmocka_unit_test(path_and_query_arrive_decoded),
		cmocka_unit_test(a_target_may_be_a_whole_url),
		cmocka_unit_test(a_body_arrives_whole_in_however_many_pieces),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(a_body_over_its_cap_is_413),
		cmocka_unit_test(a_route_may_take_more),
		cmocka_unit_test(begin_refuses_before_the_body),
		cmocka_unit_test(no_answer_is_a_500),
		cmocka_unit_test(only_trusted_proxies_name_the_client),
		cmocka_unit_test(http_1_0_is_answered_and_closed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
