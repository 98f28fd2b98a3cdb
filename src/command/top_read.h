/* SPDX-License-Identifier: Apache-2.0 */
/* top_read: answers of the API → plain structs. The server is believed no more than any other
 * input: lengths, counts and numbers have limits, and what is missing or of another type is "not
 * known". Text is kept as it came: who shows it must escape it (top_line.h). */
#ifndef WD_COMMAND_TOP_READ_H
#define WD_COMMAND_TOP_READ_H

#include "base/err.h"
#include "base/units.h"
#include "model/incident.h"
#include "model/trace.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	TOP_SERVICES_MAX = 5000, /* shown; further ones are counted */
	TOP_OPEN_MAX = 100,      /* open incidents; likewise */
	TOP_POINTS_MAX = 400,
	TOP_JSON_MAX = 16 << 20, /* bytes of an answer */
	TOP_VALUES_MAX = 400000, /* values in one, which bounds the memory that it takes */
	TOP_FRESH_S = 30,        /* a rate speaks of now for so long */
};

/* A second, of reports a minute: less than this is usually nothing. */
#define TOP_USUAL_MIN 1e-3

enum top_status { TOP_UNKNOWN, TOP_USUAL, TOP_UNUSUAL, TOP_INCIDENT, TOP_STATUSES };

/* Numbers are < 0 where not known; all are finite. */
struct top_service {
	char id[SERVICE_ID_MAX + 1], name[SERVICE_NAME_MAX + 1];
	enum top_status status;
	bool watched; /* its traffic is */
	bool cold;    /* too little history to say what its usual traffic is */
	bool silent;  /* records came once, and come no more */
	double packets, usual_packets, bits, usual_bits, records, sources; /* a second */
	double requests, usual_requests, clients;                          /* a second */
	double reports, usual_reports; /* a minute, of the last whole bucket */
	double ratio;  /* times usual: the larger of packets and requests, else reports */
	char part[VECTOR_ID_MAX + 1]; /* what most of the flood or of the requests is; "" = none */
	double part_share;
};

struct top_services {
	wd_wall now;  /* the server's clock */
	size_t count, left_out;
	struct top_service *rows; /* owned */
};

struct top_open {
	size_t count, left_out;
	struct incident rows[TOP_OPEN_MAX];
};

struct top_series { double step_s; size_t count; float observed[TOP_POINTS_MAX]; }; /* < 0: gap */

/* What is shown of one service beside its row and its open incident. */
struct top_detail {
	char service[SERVICE_ID_MAX + 1];
	struct top_series packets, requests;
	bool has_trace;
	struct trace trace;
};

/* GET /api/v1/services. `now`: the server's clock as its answer's head has it; 0 = not known, then
 * the answer's own. *ret is untouched on failure; top_services_done() frees it. */
enum wd_err top_read_services(const char *text, size_t len, wd_wall now, struct top_services *ret,
			      struct wd_why *why) WD_MUST_CHECK;
void top_services_done(struct top_services *s);
/* NULL: none of that id. */
const struct top_service *top_services_find(const struct top_services *s, const char *id);

/* GET /api/v1/now: the incidents in it. *ret is untouched on failure. */
enum wd_err top_read_open(const char *text, size_t len, struct top_open *ret,
			  struct wd_why *why) WD_MUST_CHECK;
const struct incident *top_open_find(const struct top_open *o, const char *service);

/* GET /api/v1/services/ID/traffic and /api/v1/incidents/ID/trace: each its part of *d, which is
 * untouched on failure. */
enum wd_err top_read_traffic(const char *text, size_t len, struct top_detail *d,
			     struct wd_why *why) WD_MUST_CHECK;
enum wd_err top_read_trace(const char *text, size_t len, struct top_detail *d,
			   struct wd_why *why) WD_MUST_CHECK;

#endif
