/* SPDX-License-Identifier: Apache-2.0 */
/* http_testing: a server on a free port and clients of raw bytes, for the tests. */
#ifndef WD_PUBLISH_HTTP_TESTING_H
#define WD_PUBLISH_HTTP_TESTING_H

#include "publish/http.h"

#include <stddef.h>

/* Defaults on 127.0.0.1, port 0, one worker, short deadlines, no caps in the way. */
struct http_options testing_options(void);
struct http *testing_open(const struct http_options *o, const struct http_handler *handler);

/* A connected socket; `from` is the client's own address, NULL = 127.0.0.1. */
int testing_connect(const struct http *h, const char *from);
void testing_send(int fd, const char *bytes);
void testing_send_n(int fd, const void *bytes, size_t len);

struct testing_answer {
	int status;        /* 0: closed without an answer */
	bool keeps_open;
	size_t head_len, body_len;
	char text[1 << 20]; /* head and body, ended */
};
/* Reads one answer (with Content-Length); `has_body` false after HEAD. Five seconds at most. */
void testing_read(int fd, struct testing_answer *a, bool has_body);
/* Sends on a new connection, reads one answer, closes. */
void testing_ask(const struct http *h, const char *request, struct testing_answer *a);
/* The field's value in the answer, or NULL; valid until the next call. */
const char *testing_field(const struct testing_answer *a, const char *name);
const char *testing_body(const struct testing_answer *a);
/* True if the other end closes within that time, whatever it sends before. */
bool testing_closes(int fd, int within_ms);
/* Reads what comes until it contains `needle`; false after the time. */
bool testing_read_until(int fd, char *text, size_t size, const char *needle, int within_ms);
uint64_t testing_now_ms(void);
void testing_sleep_ms(int ms);

#endif
