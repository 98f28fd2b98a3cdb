/* SPDX-License-Identifier: Apache-2.0 */
/* serve_operator: who has the operator's token, and how often others may try theirs. */
#include "base/hash.h"
#include "base/timetext.h"
#include "command/clock.h"
#include "command/server.h"
#include "intake/rate.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	STRANGERS = 4096, /* addresses whose rate of wrong tokens is remembered */
	OPERATOR = 1,     /* the key of the operator's own rate */
};

/* Wrong tokens of one address; and requests of the operator, whose scripts are to be quick. */
static const struct rate_limits stranger_limits = {.client_per_s = 0.5, .client_burst = 30};
static const struct rate_limits operator_limits = {.client_per_s = 200, .client_burst = 1000};

struct door {
	struct hash_key secret;
	pthread_mutex_t lock; /* of `rate` */
	struct rate *rate;
};

/* NULL: there is none. */
static const char *token_of(const struct http_request *req)
{
	const char *field = http_request_field(req, "Authorization");
	return field != NULL && strncasecmp(field, "Bearer ", 7) == 0 ? field + 7 : NULL;
}

static bool is_operator(struct server *s, const char *token)
{
	bool yes = false;
	if (token == NULL)
		return false;
	pthread_rwlock_rdlock(&s->lock);
	yes = token_is(&s->config->admin_token, token, strlen(token));
	pthread_rwlock_unlock(&s->lock);
	return yes;
}

/* An IPv4 address or an IPv6 /64. */
static uint64_t stranger(const struct door *d, const struct http_address *a)
{
	uint64_t key =
		hash_bytes(&d->secret, (const char *)a->bytes, http_address_is_v4(a) ? 16 : 8);
	return key > OPERATOR ? key : OPERATOR + 1;
}

/* For the operator: kept by nobody. */
static struct http_response *operators(int status, const char *type, const struct buf *b,
				       const struct http_field *field)
{
	return b->bad ? NULL : server_answer(&(struct http_response_options){
			.status = status, .content_type = type, .cache_control = "no-store",
			.body = b->data, .body_len = b->len, .fields = field,
			.field_count = field != NULL, .compress = HTTP_COMPRESS_FAST,
			.no_etag = true});
}

struct http_response *server_operators_json(const struct buf *b)
{
	return operators(200, "application/json", b, NULL);
}

struct http_response *server_problem(const struct problem_document *p,
				     const struct http_field *field)
{
	struct buf b;
	buf_init(&b, 1 << 12);
	problem_json(&b, p);
	struct http_response *r = operators(p->status, PROBLEM_TYPE, &b, field);
	buf_done(&b);
	return r;
}

static struct http_response *challenge(void)
{
	static const struct http_field field = {"WWW-Authenticate", "Bearer"};
	return server_problem(&(struct problem_document){
		.status = 401, .title = "Not the operator's token",
		.detail = "The header must be \"Authorization: Bearer \" and the token of the "
			  "setting admin_token."}, &field);
}

static struct http_response *too_many(uint32_t wait_s)
{
	char seconds[16], wait[TIMETEXT_LEN_MAX], detail[TIMETEXT_LEN_MAX + 32];
	snprintf(seconds, sizeof(seconds), "%u", wait_s);
	timetext_write_wait(wait, wait_s);
	snprintf(detail, sizeof(detail), "Please wait %s and try again.", wait);
	const struct http_field field = {"Retry-After", seconds};
	return server_problem(&(struct problem_document){
		.status = 429, .title = "Too many requests", .detail = detail}, &field);
}

/* NULL, or 429: one more of the operator's requests, or of the tries of that address. */
static struct http_response *count_try(struct door *d, const struct http_request *req,
				       bool operator)
{
	uint64_t key = operator ? OPERATOR : stranger(d, &req->client);
	const struct rate_limits *limits = operator ? &operator_limits : &stranger_limits;
	uint32_t wait_s = 0;

	pthread_mutex_lock(&d->lock);
	enum rate_verdict verdict = rate_take(d->rate, limits, key, 1, mono_now(), &wait_s);
	pthread_mutex_unlock(&d->lock);
	return verdict == RATE_PASSES ? NULL : too_many(wait_s);
}

struct http_response *server_refuse_stranger(struct server *s, const struct http_request *req)
{
	bool operator = is_operator(s, token_of(req));
	struct http_response *refusal = count_try(s->door, req, operator);
	return refusal != NULL || operator ? refusal : challenge();
}

struct http_response *server_refuse_guesser(struct server *s, const struct http_request *req,
					    bool *ret_operator)
{
	const char *token = token_of(req);
	*ret_operator = is_operator(s, token);
	return token != NULL ? count_try(s->door, req, *ret_operator) : NULL;
}

enum wd_err door_open(struct server *s, struct wd_why *why)
{
	struct door *d = s->door = calloc(1, sizeof(*d));
	if (d == NULL)
		return wd_fail(why, WD_NOMEM, 0, "the operator's door");
	randombytes_buf(&d->secret, sizeof(d->secret));
	pthread_mutex_init(&d->lock, NULL);
	enum wd_err err = rate_open(STRANGERS, &d->rate);
	return err == WD_OK ? WD_OK : wd_fail(why, err, 0, "the operator's door");
}

void door_close(struct door *d)
{
	if (d == NULL)
		return;
	rate_close(d->rate);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
