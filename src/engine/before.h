/* SPDX-License-Identifier: Apache-2.0 */
/* before: what came to a service in the last half hour, in steps of ten seconds: so that the charts
 * of an incident, which begin with it, can show what came before. Always kept; handed to the
 * incident's tracer when that begins. 2.2 KB, within WATCH_BYTES_MAX. Internal to the engine. */
#ifndef WD_ENGINE_BEFORE_H
#define WD_ENGINE_BEFORE_H

#include "base/bytes.h"
#include "base/units.h"
#include "detect/flood.h"
#include "model/trace.h"

#include <stdint.h>

enum { BEFORE_STEP_S = 10 };

enum before_rate {
	BEFORE_PACKETS, BEFORE_BITS, BEFORE_RECORDS, BEFORE_USUAL_PACKETS, BEFORE_USUAL_BITS,
	BEFORE_REQUESTS, /* the others are of flows */
	BEFORE_RATES,
};

/* All bytes 0 is one that saw nothing. */
struct before {
	int64_t last; /* number of the running step (begin / step) */
	float flows_s, requests_s; /* what is covered of it */
	float sums[BEFORE_RATES];  /* rate x seconds */
	uint16_t steps[TRACE_BEFORE_MAX][BEFORE_RATES]; /* course_pack; step n in [n mod …] */
};

void before_flows(struct before *b, wd_wall at, wd_span width, const struct flood_reading *r);
void before_requests(struct before *b, wd_wall at, wd_span width, float requests_per_s);
/* The half hour until then, from the first step of which anything is known. */
void before_read(const struct before *b, wd_wall until, struct trace_before *ret);

void before_write(const struct before *b, struct out *o);
void before_load(struct before *b, struct cur *c);

#endif
