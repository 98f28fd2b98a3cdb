/* SPDX-License-Identifier: Apache-2.0 */
/* surge: is this series significantly above (a metric: away from) what it usually is?
 * One sample a bin in; what was expected, and A out:
 *
 *	A = log10_return: "normal traffic does this once in 10^A samples".
 *
 * One plan for all series of a bin width and kind, one struct surge a series:
 *
 *	surge_plan_init(&plan, span_s(60), SURGE_COUNTS);
 *	surge_init(&series, &plan);
 *	for each bin: surge_step(&series, &plan, &sample, &reading);
 *
 * Pure: no clock, no allocation, no log. struct surge holds plain values: copy it freely.
 * Any sample leaves a sane state; docs/detector.md has the method and its measured errors. */
#ifndef WD_DETECT_SURGE_H
#define WD_DETECT_SURGE_H

#include "base/err.h"
#include "base/units.h"
#include "detect/calibrate.h"
#include "detect/deviation.h"
#include "detect/evidence.h"
#include "tally/baseline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum surge_kind {
	SURGE_COUNTS, /* whole numbers from 0 up; only more than usual counts */
	SURGE_METRIC, /* any number; both more and less than usual count */
};

struct surge_plan {
	enum surge_kind kind;
	wd_span step; /* width of a bin, 1 s to 1 day */
	struct baseline_plan baseline;
	struct calibrate_plan calibrate;
	float cap;           /* nats that one sample may add */
	float null_min;      /* counts a bin: fewer than this is no outage in a new series */
	float null_min_fade; /* null_min / (1 + samples * this) is the floor of an older one */
	float pace_gain;     /* of the 10-minute rate */
	uint32_t warm;       /* samples before the first evidence */
	uint32_t hits_min;   /* samples above the null that an alarm needs */
	uint32_t hits_apart; /* samples within which the last of them must lie */
	uint32_t calm_min;   /* calm samples after which a surge is over */
	uint32_t lasting;    /* samples: evidence as old as this is no scatter */
	uint32_t gap_max;    /* bins that may be missing without the evidence being dropped */
	uint32_t day_min;    /* samples: frozen for this long, hours not known before are learned */
	uint32_t frozen_max; /* samples: after this long frozen, what is now is normal */
};

struct surge {
	uint64_t seen;    /* samples */
	int64_t last;     /* bin of the last sample; valid when seen > 0 */
	uint32_t hits;    /* samples above the null since the evidence began */
	uint32_t unhit;   /* samples since the last of them */
	uint32_t calm;    /* calm samples in a row; of a metric, what they come to (surge.c) */
	uint32_t frozen;  /* frozen samples in a row */
	float hit_counts; /* what the hits held */
	float pace;       /* 10-minute mean of the counts */
	float floor;      /* of the null, as it has faded */
	struct calibrate calibrate;
	struct evidence evidence; /* SURGE_COUNTS */
	union {
		struct baseline baseline;   /* SURGE_COUNTS */
		struct deviation deviation; /* SURGE_METRIC */
	};
};

struct surge_sample {
	int64_t bin;     /* time divided by the step; a jump is a gap: missing, not 0 */
	double observed; /* SURGE_COUNTS: >= 0 */
	uint16_t minute; /* local minute of the day at the bin's start, 0 to 1439 */
	bool weekend;    /* local */
	bool frozen;     /* an incident is open: learn only the level, and that slowly. When it
			  * falls the evidence starts anew. */
};

struct surge_reading {
	float observed, expected;
	float low, high;    /* the usual band: about 19 of 20 normal samples */
	float log10_return; /* A; 0: nothing unusual */
	int64_t began;      /* bin at which the evidence began; the sample's own if there is none */
	int8_t side;        /* 1 above usual, -1 below (SURGE_METRIC), 0 neither */
	bool above;         /* beyond the null now */
	bool sustained;     /* enough separate samples carry it: with A over the threshold, open */
	bool calm;          /* back to usual long enough: close */
	bool taken;         /* false: not a number, or not after the last bin; nothing changed */
};

void surge_plan_init(struct surge_plan *plan, wd_span step, enum surge_kind kind);
void surge_init(struct surge *s, const struct surge_plan *plan);

void surge_step(struct surge *s, const struct surge_plan *plan, const struct surge_sample *sample,
		struct surge_reading *ret);
/* State to bytes and back: the same on every machine, and old versions stay readable.
 * surge_write fills SURGE_BYTES bytes. surge_read checks everything it reads (WD_SHORT,
 * WD_MALFORMED, or WD_UNKNOWN for a version of the future; at = byte offset) and on failure
 * leaves *ret_s alone. The plan must be of the kind that the series was written with. */
enum { SURGE_BYTES = 804 };
void surge_write(const struct surge *s, const struct surge_plan *plan, uint8_t bytes[SURGE_BYTES]);
enum wd_err surge_read(struct surge *ret_s, const struct surge_plan *plan, const uint8_t *bytes,
		       size_t len, struct wd_why *why) WD_MUST_CHECK;

#endif
