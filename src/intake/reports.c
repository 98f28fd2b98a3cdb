/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/reports_internal.h"

#include "base/check.h"
#include "base/text.h"
#include "base/timetext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum { CLIENTS_DEFAULT = 1 << 17 };

/* The refusals. */

static const struct refusal_kind bad_type = {415, "/problems/content-type",
					     "Unsupported content type"};
static const struct refusal_kind bad_coding = {415, "/problems/content-encoding",
					       "Unsupported content coding"};
static const struct refusal_kind too_large = {413, "/problems/size", "Body too large"};
static const struct refusal_kind bad_token = {401, "/problems/token", "Not a feeder's token"};
static const struct refusal_kind bad_key = {400, "/problems/idempotency-key",
					    "Unusable Idempotency-Key"};
static const struct refusal_kind too_many = {429, "/problems/rate", "Too many requests"};
static const struct refusal_kind bad_syntax = {400, "/problems/syntax",
					       "The report cannot be read"};
static const struct refusal_kind bad_field = {422, "/problems/field",
					      "A field of the report is wrong"};

bool reports_is_form(const struct reports_request *req)
{
	return req->kind == REPORTS_ONE &&
	       strcmp(req->content_type, "application/x-www-form-urlencoded") == 0;
}

/* Fills everything but the errors. Always false, for `return reports_refuse(…)`. */
bool reports_refuse(const struct reports_request *req, const struct refusal_kind *kind,
		   const char *detail, struct reports_refusal *ret)
{
	ret->status = kind->status;
	ret->type = kind->type;
	ret->title = kind->title;
	ret->detail = detail;
	ret->retry_after_s = 0;
	ret->accept_encoding = NULL;
	ret->challenge = kind->status == 401;
	ret->from_form = reports_is_form(req);
	ret->errors.count = 0;
	return false;
}

/* Options. */

static enum wd_err options_copy(struct reports *r, const struct reports_options *options)
{
	struct feeder *feeders = calloc(options->feeder_count + 1, sizeof(*feeders));
	if (feeders == NULL)
		return WD_NOMEM;
	for (size_t i = 0; i < options->feeder_count; i++) {
		size_t len = strlen(options->feeders[i].name);
		WD_CHECK(len <= OBSERVATION_FEEDER_MAX);
		memcpy(feeders[i].name, options->feeders[i].name, len + 1);
		memcpy(feeders[i].token_hash, options->feeders[i].token_hash, REPORTS_HASH_LEN);
	}
	struct catalogue *old = r->options.catalogue;
	free(r->feeders);
	r->feeders = feeders;
	r->options = *options;
	r->options.feeders = NULL; /* they may go; ours are in r->feeders */
	r->options.catalogue = catalogue_hold(options->catalogue);
	if (r->options.report_bytes_max > REPORT_BODY_MAX)
		r->options.report_bytes_max = REPORT_BODY_MAX;
	catalogue_release(old);
	return WD_OK;
}

enum wd_err reports_open(const struct reports_parts *parts, const struct reports_options *options,
			 struct reports **ret_reports)
{
	struct reports *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return WD_NOMEM;
	WD_CHECK(pthread_rwlock_init(&r->lock, NULL) == 0);
	WD_CHECK(pthread_mutex_init(&r->rate_lock, NULL) == 0);
	r->persons = parts->persons;
	r->places = parts->places;
	enum wd_err err =
		rate_open(parts->clients > 0 ? parts->clients : CLIENTS_DEFAULT, &r->rate);
	if (err == WD_OK)
		err = options_copy(r, options);
	if (err != WD_OK) {
		reports_close(r);
		return err;
	}
	*ret_reports = r;
	return WD_OK;
}

enum wd_err reports_configure(struct reports *r, const struct reports_options *options)
{
	pthread_rwlock_wrlock(&r->lock);
	enum wd_err err = options_copy(r, options);
	pthread_rwlock_unlock(&r->lock);
	return err;
}

void reports_close(struct reports *r)
{
	if (r == NULL)
		return;
	catalogue_release(r->options.catalogue);
	free(r->feeders);
	rate_close(r->rate);
	pthread_mutex_destroy(&r->rate_lock);
	pthread_rwlock_destroy(&r->lock);
	free(r);
}

struct reports_counters reports_count(const struct reports *r)
{
	struct reports_counters c;
#define READ_COUNTER(name, meaning) c.name = __atomic_load_n(&r->counters.name, __ATOMIC_RELAXED);
	REPORTS_COUNTERS(READ_COUNTER)
#undef READ_COUNTER
	return c;
}

/* Who sends. */

/* The token of "Bearer TOKEN" (the scheme in any case, RFC 9110), NULL if it is not that. */
static const char *bearer_token(const char *authorization)
{
	static const char scheme[] = "bearer ";
	for (size_t i = 0; scheme[i] != '\0'; i++) {
		char c = authorization[i];
		c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
		if (c != scheme[i])
			return NULL;
	}
	return authorization + sizeof(scheme) - 1;
}

/* The feeder with this token, or NULL. Looks at all of them, whichever it is. */
static const struct feeder *find_feeder(const struct reports *r, const char *authorization)
{
	const struct feeder *found = NULL;
	const char *token = bearer_token(authorization);
	uint8_t hash[REPORTS_HASH_LEN];

	if (token == NULL)
		return NULL;
	crypto_generichash(hash, sizeof(hash), (const uint8_t *)token, strlen(token), NULL, 0);
	for (size_t i = 0; i < r->options.feeder_count; i++) {
		if (sodium_memcmp(hash, r->feeders[i].token_hash, REPORTS_HASH_LEN) == 0)
			found = &r->feeders[i];
	}
	return found;
}

/* *ret_feeder is NULL for anybody. False, with a refusal, for a token that is no feeder's. */
bool reports_check_sender(struct reports *r, const struct reports_request *req,
			 const struct feeder **ret_feeder, struct reports_refusal *refusal)
{
	*ret_feeder = find_feeder(r, req->authorization);
	if (*ret_feeder != NULL || (req->kind == REPORTS_ONE && req->authorization[0] == '\0'))
		return true;
	COUNT(r, refused_token, 1);
	return reports_refuse(req, &bad_token,
		      "The header must be \"Authorization: Bearer \" and a feeder's token.",
		      refusal);
}

/* A number for a feeder's rate, apart from those of persons. */
static uint64_t feeder_key(const struct reports *r, const struct feeder *feeder)
{
	return (uint64_t)(feeder - r->feeders) + 1;
}

bool reports_check_rate(struct reports *r, const struct reports_request *req,
		       const struct feeder *feeder, uint32_t cost, struct reports_refusal *refusal)
{
	struct rate_limits limits = {
		.client_per_s = r->options.reports_per_client_per_min / 60,
		.client_burst = r->options.reports_burst_per_client,
		.all_per_s = r->options.reports_per_s,
	};
	uint64_t client;
	uint32_t wait_s = 0;

	if (feeder != NULL) {
		client = feeder_key(r, feeder);
		limits = (struct rate_limits){
			.client_per_s = r->options.observations_per_feeder_per_s,
			.client_burst = r->options.observations_per_feeder_per_s,
		};
	} else {
		client = persons_client(r->persons, req->address, req->now);
	}
	pthread_mutex_lock(&r->rate_lock);
	enum rate_verdict verdict = rate_take(r->rate, &limits, client, cost, req->mono, &wait_s);
	uint64_t forgotten = rate_forgotten(r->rate);
	pthread_mutex_unlock(&r->rate_lock);
	__atomic_store_n(&r->counters.rate_forgotten, forgotten, __ATOMIC_RELAXED);
	if (verdict == RATE_PASSES)
		return true;
	if (verdict == RATE_CLIENT_OVER)
		COUNT(r, refused_client_rate, 1);
	else
		COUNT(r, refused_all_rate, 1);
	char wait[TIMETEXT_LEN_MAX];
	timetext_write_wait(wait, wait_s);
	snprintf(refusal->wait, sizeof(refusal->wait), "%s Please wait %s and send it again.",
		 verdict == RATE_CLIENT_OVER ? "You have sent many reports in a short time."
					     : "Very many people are reporting right now.",
		 wait);
	reports_refuse(req, &too_many, refusal->wait, refusal);
	refusal->retry_after_s = wait_s;
	return false;
}

static bool check_type(struct reports *r, const struct reports_request *req,
		       struct reports_refusal *refusal)
{
	const char *type = req->content_type;
	if (reports_is_form(req) ||
	    (req->kind == REPORTS_ONE && strcmp(type, "application/json") == 0))
		return true;
	if (req->kind == REPORTS_BATCH &&
	    (strcmp(type, "application/x-ndjson") == 0 || strcmp(type, "application/ndjson") == 0))
		return true;
	COUNT(r, refused_type, 1);
	return reports_refuse(req, &bad_type,
		      req->kind == REPORTS_ONE
			      ? "A report is application/json or application/x-www-form-urlencoded."
			      : "Observations are application/x-ndjson.",
		      refusal);
}

bool reports_is_packed(const struct reports_request *req)
{
	return text_same_nocase(req->content_encoding, "gzip") ||
	       text_same_nocase(req->content_encoding, "x-gzip");
}

static bool check_coding(struct reports *r, const struct reports_request *req,
			 struct reports_refusal *refusal)
{
	bool batch = req->kind == REPORTS_BATCH;
	if (req->content_encoding[0] == '\0' ||
	    text_same_nocase(req->content_encoding, "identity") ||
	    (batch && reports_is_packed(req)))
		return true;
	COUNT(r, refused_coding, 1);
	reports_refuse(req, &bad_coding,
		       batch ? "A batch is sent as it is, or with Content-Encoding: gzip."
			     : "A report is sent as it is, without a Content-Encoding.", refusal);
	refusal->accept_encoding = batch ? "gzip" : "identity";
	return false;
}

bool reports_check_size(struct reports *r, const struct reports_request *req,
		       struct reports_refusal *refusal)
{
	size_t max = req->kind == REPORTS_ONE ? r->options.report_bytes_max
					      : r->options.batch_bytes_max;
	return req->body_len <= max || reports_refuse_size(r, req, refusal);
}

bool reports_refuse_size(struct reports *r, const struct reports_request *req,
			 struct reports_refusal *refusal)
{
	COUNT(r, refused_size, 1);
	return reports_refuse(req, &too_large,
		      req->kind == REPORTS_ONE ? "A report is a few hundred bytes."
					       : "Send the observations in smaller batches.",
		      refusal);
}

/* The key is part of nothing that is shown; printable, so that logs of others stay readable. */
static bool check_key(struct reports *r, const struct reports_request *req,
		      struct reports_refusal *refusal)
{
	size_t len = strnlen(req->idempotency_key, REPORTS_KEY_MAX + 1);
	bool good = len <= REPORTS_KEY_MAX;
	for (size_t i = 0; good && i < len; i++)
		good = req->idempotency_key[i] > 0x20 && req->idempotency_key[i] < 0x7f;
	if (good)
		return true;
	COUNT(r, refused_key, 1);
	return reports_refuse(req, &bad_key,
		      "The key is 1 to 64 printable ASCII characters without spaces.", refusal);
}

bool reports_begin(struct reports *r, const struct reports_request *req,
		   struct reports_refusal *ret_refusal)
{
	const struct feeder *feeder;
	pthread_rwlock_rdlock(&r->lock);
	/* A batch pays for its lines when they are known; its first is paid for here. */
	bool passes = check_type(r, req, ret_refusal) && check_coding(r, req, ret_refusal) &&
		      reports_check_size(r, req, ret_refusal) &&
		      check_key(r, req, ret_refusal) &&
		      reports_check_sender(r, req, &feeder, ret_refusal) &&
		      reports_check_rate(r, req, feeder, 1, ret_refusal);
	pthread_rwlock_unlock(&r->lock);
	return passes;
}

/* What is sent. */

/* The id of what this sender calls so. The parts are separated by their lengths. */
struct observation_id reports_id(const void *sender, size_t sender_len, const void *name,
				   size_t name_len)
{
	struct observation_id id;
	crypto_generichash_state state;
	uint8_t len = (uint8_t)sender_len;

	crypto_generichash_init(&state, NULL, 0, sizeof(id.bytes));
	crypto_generichash_update(&state, &len, 1);
	crypto_generichash_update(&state, sender, sender_len);
	crypto_generichash_update(&state, name, name_len);
	crypto_generichash_final(&state, id.bytes, sizeof(id.bytes));
	id.bytes[0] |= observation_id_is_none(&id); /* never "none" */
	return id;
}

/* What the address tells, unless the report itself says where it is from. */
static void add_place(struct observation *o, const struct place *place)
{
	o->network = place->network;
	if (o->country[0] != '\0' || o->region[0] != '\0' || o->city[0] != '\0')
		return;
	memcpy(o->country, place->country, sizeof(o->country));
	o->region = place->region;
	o->city = place->city;
}

/* Of a data folder whose stamps are beyond what an observation may have, its last moment. */
static wd_wall whole_ms(wd_wall t)
{
	const int64_t max_ns = OBSERVATION_AT_MAX_S * WD_NS_PER_S - 1;
	int64_t ns = t.ns < max_ns ? t.ns : max_ns;
	return (wd_wall){ns - ns % 1000000};
}

bool reports_is_early(wd_wall at, wd_wall now)
{
	return wall_before(wall_add(now, span_s(REPORTS_EARLY_MAX_S)), at);
}

static void complete_report(struct reports *r, const struct reports_request *req,
			    const struct feeder *feeder, struct observation *o, struct place *place)
{
	const char *key = req->idempotency_key;

	if (o->at.ns == 0)
		o->at = whole_ms(req->now);
	if (feeder != NULL) {
		o->feeder = feeder->name;
		if (key[0] != '\0')
			o->id = reports_id(feeder->name, strlen(feeder->name), key, strlen(key));
		return;
	}
	o->person = persons_hash(r->persons, req->address, req->now);
	if (r->places != NULL)
		*place = places_find(r->places, req->address);
	add_place(o, place);
	if (o->network == 0 && !address_is_private(req->address))
		o->network = persons_network(r->persons, req->address, req->now);
	if (key[0] != '\0')
		o->id = reports_id(&o->person, sizeof(o->person), key, strlen(key));
}

static bool take_one(struct reports *r, const struct reports_request *req,
		     const struct feeder *feeder, uint8_t *ret_frame, size_t *ret_len,
		     struct reports_refusal *refusal)
{
	struct report report;
	struct place place = {0};
	struct report_source source = {
		.form = reports_is_form(req) ? REPORT_HTML_FORM : REPORT_JSON,
		.body = req->body,
		.len = req->body_len,
		.catalogue = r->options.catalogue,
		.from_feeder = feeder != NULL,
	};
	enum wd_err err = report_read(&source, &report, &refusal->errors);
	if (err == WD_OK && reports_is_early(report.observation.at, req->now)) {
		struct report_errors *e = &refusal->errors;
		e->items[0] = (struct report_error){.field = "at", .detail = "at is in the future"};
		e->count = 1;
		err = WD_UNKNOWN;
	}
	if (err != WD_OK) {
		size_t count = refusal->errors.count;
		if (err == WD_MALFORMED)
			COUNT(r, refused_syntax, 1);
		else
			COUNT(r, refused_fields, 1);
		reports_refuse(req, err == WD_MALFORMED ? &bad_syntax : &bad_field, "", refusal);
		refusal->errors.count = count;
		return false;
	}
	complete_report(r, req, feeder, &report.observation, &place);
	*ret_len = observation_encode(&report.observation, ret_frame);
	COUNT(r, reports, 1);
	return true;
}

bool reports_take(struct reports *r, const struct reports_request *req,
		  uint8_t ret_frame[OBSERVATION_FRAME_MAX], size_t *ret_len,
		  struct reports_refusal *ret_refusal)
{
	const struct feeder *feeder;
	WD_CHECK(req->kind == REPORTS_ONE);
	pthread_rwlock_rdlock(&r->lock);
	bool taken = reports_check_size(r, req, ret_refusal) &&
		     reports_check_sender(r, req, &feeder, ret_refusal) &&
		     take_one(r, req, feeder, ret_frame, ret_len, ret_refusal);
	pthread_rwlock_unlock(&r->lock);
	return taken;
}
