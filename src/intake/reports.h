/* SPDX-License-Identifier: Apache-2.0 */
/* reports: requests that bring observations → frames for the journal, or refusals.
 *   POST /api/v1/reports       one report, JSON or HTML form, from anybody or from a feeder
 *   POST /api/v1/observations  NDJSON lines (decode/ndjson.h) from a feeder, plain or gzip
 * Knows nothing of the HTTP library. Any thread.
 *
 * One report, told as a story. reports_begin looks at the head: is the type one we read, the
 * length within bounds, the token a feeder's, the sender within the rate? Then the body is
 * received, and reports_take reads it, puts in what the address tells (country, region, city,
 * network, and a person: intake/person.h) unless the report says where it is from, and writes
 * a frame. After that the address is forgotten. When the journal has the frame on disk, 202.
 *
 * Ids: a user's header Idempotency-Key makes the id with the person; a feeder's `id`, or its
 * key, makes it with the feeder's name. So the same thing sent twice is counted once, and
 * nobody can take another's id. Without a key a report has no id and is always taken. */
#ifndef WD_INTAKE_REPORTS_H
#define WD_INTAKE_REPORTS_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/units.h"
#include "decode/report.h"
#include "intake/person.h"
#include "intake/place.h"
#include "model/observation.h"
#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	REPORTS_KEY_MAX = 64,        /* bytes of an Idempotency-Key */
	REPORTS_LINES_TOLD_MAX = 100, /* refused lines of a batch that its answer lists */
	REPORTS_EARLY_MAX_S = 600,   /* so far in the future may `at` be: clocks differ */
};

/* X(name, meaning): every counter, and every reason for a refusal. */
#define REPORTS_COUNTERS(X)                                                                        \
	X(reports, "reports taken (one a request)")                                                \
	X(batches, "batches of a feeder taken")                                                    \
	X(observations, "observations of batches taken")                                           \
	X(refused_type, "requests whose content type is none we read")                             \
	X(refused_coding, "requests whose content coding is none we take")                         \
	X(refused_gzip, "batches whose gzip is damaged or ends early")                             \
	X(refused_size, "requests whose body is too large, as sent or unpacked")                   \
	X(refused_token, "requests whose bearer token is no feeder's")                             \
	X(refused_key, "requests whose Idempotency-Key is not 1 to 64 printable characters")       \
	X(refused_client_rate, "requests of an address that sends too many")                       \
	X(refused_all_rate, "requests while all together send too many")                           \
	X(refused_syntax, "reports that are no JSON object or form")                               \
	X(refused_fields, "reports with a field that is wrong")                                    \
	X(refused_lines, "lines of batches that are wrong")                                        \
	X(refused_memory, "requests for which there was no memory")                                \
	X(rate_forgotten, "senders forgotten while over their rate: the table is full")

struct reports_counters {
#define REPORTS_COUNTER_FIELD(name, meaning) uint64_t name;
	REPORTS_COUNTERS(REPORTS_COUNTER_FIELD)
#undef REPORTS_COUNTER_FIELD
};

struct reports_feeder {
	const char *name;       /* at most OBSERVATION_FEEDER_MAX bytes */
	uint8_t token_hash[32]; /* BLAKE2b-256 of its token, without a key */
};

/* What a reload may change. Copied; the catalogue is held. Rates: 0 = no limit. */
struct reports_options {
	struct catalogue *catalogue;
	const struct reports_feeder *feeders;
	size_t feeder_count;
	size_t report_bytes_max; /* cut to REPORT_BODY_MAX */
	size_t batch_bytes_max;
	size_t frames_bytes_max; /* what is kept of a batch: the journal takes no more at once */
	double reports_per_client_per_min, reports_burst_per_client;
	double reports_per_s;             /* all clients together */
	double observations_per_feeder_per_s; /* with as many at once */
};

struct reports;

struct reports_parts {
	struct persons *persons; /* borrowed, both; places may be NULL */
	struct places *places;
	size_t clients; /* whose rates are remembered, 16 bytes each; 0 = 131072 */
};

enum wd_err reports_open(const struct reports_parts *parts, const struct reports_options *options,
			 struct reports **ret_reports) WD_MUST_CHECK;
/* On failure (WD_NOMEM) the old options stay. */
enum wd_err reports_configure(struct reports *r, const struct reports_options *options)
	WD_MUST_CHECK;
void reports_close(struct reports *r); /* NULL is fine */
struct reports_counters reports_count(const struct reports *r);

enum reports_kind { REPORTS_ONE, REPORTS_BATCH };

struct reports_request {
	enum reports_kind kind;
	const char *content_type;    /* lower case, without parameters */
	const char *content_encoding; /* the header; "" = none */
	const char *authorization;   /* the header; "" = none */
	const char *idempotency_key; /* the header; "" = none; REPORTS_ONE only */
	const uint8_t *address;      /* 16 bytes, IPv4 mapped */
	wd_wall now;
	wd_mono mono;
	const char *body; /* in reports_begin NULL */
	size_t body_len;  /* in reports_begin what the head announces */
};

/* A refusal, as an RFC 9457 problem document needs it. */
struct reports_refusal {
	int status;
	const char *type;   /* "/problems/field", … : what docs/problems.md has a section for */
	const char *title;
	const char *detail; /* "" = the errors say it; static, or `wait` */
	char wait[128];     /* of 429: the detail, which says how long to wait */
	uint32_t retry_after_s; /* of 429: the header Retry-After; else 0 */
	const char *accept_encoding; /* of 415 for the coding: the header (RFC 7694); else NULL */
	bool challenge;         /* of 401: the header WWW-Authenticate: Bearer */
	bool from_form;         /* an HTML form sent it: answer with a page */
	struct report_errors errors;
};

/* An HTML form sent it, and its sender wants a page. */
bool reports_is_form(const struct reports_request *req);

/* Before the body: charges the rate. False and *ret_refusal, or true. */
bool reports_begin(struct reports *r, const struct reports_request *req,
		   struct reports_refusal *ret_refusal) WD_MUST_CHECK;

/* One report as a frame. */
bool reports_take(struct reports *r, const struct reports_request *req,
		  uint8_t ret_frame[OBSERVATION_FRAME_MAX], size_t *ret_len,
		  struct reports_refusal *ret_refusal) WD_MUST_CHECK;

struct reports_line { uint32_t line, at; const char *what; }; /* from 1; byte offset from 0 */

struct reports_batch {
	struct out frames; /* owned: reports_batch_done */
	uint32_t count;    /* observations in frames */
	uint32_t refused;
	struct reports_line lines[REPORTS_LINES_TOLD_MAX]; /* the first refused */
};

/* A feeder's lines, each taken or refused on its own. The body is copied, or unpacked to at most
 * batch_bytes_max. A batch of no line is taken, too. */
bool reports_take_batch(struct reports *r, const struct reports_request *req,
			struct reports_batch *ret_batch, struct reports_refusal *ret_refusal)
	WD_MUST_CHECK;
void reports_batch_done(struct reports_batch *b);

/* {"accepted":…,"duplicates":…,"refused":…,"lines":[{"line":3,"detail":…,"at":17}]}: what a
 * batch is answered; `duplicates` is the journal's word. */
void reports_batch_json(struct buf *b, const struct reports_batch *batch, uint32_t duplicates);
/* The problem document. */
void reports_refusal_json(struct buf *b, const struct reports_refusal *refusal);

#endif
