/* SPDX-License-Identifier: Apache-2.0 */
/* flood_inner: one step of detect/flood, shared by its two files: what is computed of a tick
 * and thrown away. */
#ifndef WD_DETECT_FLOOD_INNER_H
#define WD_DETECT_FLOOD_INNER_H

#include "detect/flood.h"
#include "detect/flood_cold.h"

static const float flood_hot = 3; /* decades: from here on something is going on */
static const float flood_cold_log10 = 12; /* A of what an absolute rule names: stated, not
					   * measured */
static const float flood_one_peer = 0.6F; /* of what is above usual */

struct flood_class_now {
	float value[METER_RATES]; /* packets and bytes a tick, less what was asked for */
	enum flood_cold_verdict cold;
	float part[METER_RATES]; /* of `value`, that floods: less than 1 with FLOOD_COLD_ALONE */
	bool used;
};

struct flood_step {
	struct flood *f;
	const struct flood_plan *plan;
	const struct flood_sample *sample;
	const struct traffic_tick *tick; /* NULL: all zeros */
	struct flood_reading *ret;
	float scale;      /* a tick over the sample's width */
	float packets, bytes, records, out_packets, out_bytes, tcp;
	float out_usual;  /* packets, of a moment ago */
	float fragments, fragment_bytes;
	bool cold_fragments; /* they are of a class that a rule has named, */
	bool cold_fragments_counted; /* and in `cold` */
	float discount[METER_RATES];
	float asked[METER_RATES]; /* packets and bytes of answers that were asked for */
	float cold[METER_RATES]; /* packets and bytes that absolute rules name */
	float best;       /* A of the whole, weighted */
	float class_best; /* the classes' largest A */
	float one_peer[METER_RATES]; /* what single peers explain, above usual */
	uint32_t used;    /* classes in use */
	uint64_t flooding[2]; /* bit a class */
	uint64_t here[2]; /* bit a class: has traffic in this tick, or is in use */
	bool learn;       /* no incident is open */
	bool learn_cold;  /* one is, of a service that is not known: what floods not is learned */
	bool over;        /* one tick is enough */
	bool calm;        /* nothing of what is above usual is left */
	int64_t began;    /* of the earliest that floods; 0 = none */
	struct flood_class_now now[VECTOR_CLASSES_MAX];
};

/* A number of a tick, whatever it was. */
static inline float flood_clean(double x)
{
	return x > 0 && x < 1e18 ? (float)x : x > 0 ? 1e18F : 0;
}

bool flood_out_seen(const struct flood_step *s);
struct flood_meter_sample flood_meter_sample(const struct flood_step *s,
					     const float value[METER_RATES]);
/* A run of ticks above usual: where it began, and its last tick. */
void flood_run(const struct flood_step *s, int64_t *began, int64_t *last);

/* What the class has, and what the absolute rules say of it. */
void flood_class_look(struct flood_step *s, int c);
/* Judges and learns it. */
void flood_class_step(struct flood_step *s, int c);

#endif
