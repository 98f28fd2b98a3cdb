/* SPDX-License-Identifier: Apache-2.0 */
/* flood: is the traffic of this service significantly more than usual? One tick of 250 ms in;
 * what was expected, which classes flood, since when, and A out:
 *
 *	A = log10_return: "normal traffic does this once in 10^A ticks".
 *
 *	flood_plan_init(&plan, &classes);            one for all services
 *	flood_init(&state, &plan);                   one a service
 *	for each tick: flood_step(&state, &plan, &sample, &reading);
 *	open:   reading.log10_return >= budget_threshold(TRAFFIC_TICK, services, …, k)
 *	        and reading.sustained
 *	while open: sample.frozen = true;  close: reading.calm
 *
 * Pure: no clock, no allocation, no log. struct flood holds plain values: copy it freely. A
 * service takes sizeof(struct flood), under 32 KB, whatever arrives. Any tick leaves a sane
 * state. docs/flood.md has the method and its measured errors. */
#ifndef WD_DETECT_FLOOD_H
#define WD_DETECT_FLOOD_H

#include "base/err.h"
#include "base/units.h"
#include "detect/flood_meter.h"
#include "detect/flood_names.h"
#include "model/vector.h"
#include "tally/traffic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FLOOD_CLASSES_MAX = 12, /* flooding classes in a reading, heaviest first */
	FLOOD_SERIES = 2,       /* of the whole service: packets and bits; records and sources */
	FLOOD_PULSES_MIN = 3,   /* on-off cycles from which it is a pulse wave */
};

/* What a class can be in the life of a service that is not attacked. */
enum flood_nature {
	FLOOD_DATAGRAM, /* anything that needs no partner */
	FLOOD_ANSWER,   /* of an amplifier: usual as far as it was asked for */
	FLOOD_SYN,      /* opens a connection, one packet each */
	FLOOD_STRAY,    /* TCP without a connection: flags that data never has */
	FLOOD_STREAM,   /* TCP inside a connection: a crowd or a transfer may be all of it */
	FLOOD_FRAGMENT, /* later fragments: belong to whatever else floods */
};

/* What is to be known of some classes as long as nothing is known of the service. */
enum flood_habit {
	FLOOD_TALK,     /* between two ports for a while, as most do */
	FLOOD_REQUEST,  /* each asks from another port */
	FLOOD_EQUAL,    /* and all requests are of one size */
	FLOOD_BULK,     /* answers of a port over which much is fetched, or played */
	FLOOD_ASKED,    /* answers that some services ask for all the time */
	FLOOD_TUNNEL,   /* from few places, whatever the rate */
	FLOOD_TROUBLE,  /* never much of it */
	FLOOD_END,      /* as many as connections are opened */
	FLOOD_NEVER,    /* flags of TCP that no connection has, however its packets are summed up */
};

struct flood_plan {
	/* Floors: less than this above usual is never a flood. A second. */
	double packets_floor, bits_floor;
	double records_floor, sources_floor;
	double answers_bits_floor; /* of large answers that nobody asked for */
	uint64_t seen_min;         /* packets looked at, fewer decide nothing */
	uint32_t cold;             /* ticks: as long the absolute rules help out */
	uint32_t calm_min;         /* ticks back to usual after which a flood is over */
	uint32_t frozen_max;       /* ticks frozen: after this what is now is normal */
	uint32_t join_max;         /* ticks of quiet between two pulses of one flood */
	struct flood_meter_plan meter;       /* packets and bits of all and of a class, */
	struct flood_meter_plan meter_other; /* records and sources */
	uint8_t nature[VECTOR_CLASSES_MAX];  /* enum flood_nature */
	uint8_t habit[VECTOR_CLASSES_MAX];   /* enum flood_habit */
	struct vector_mark marks[VECTOR_MARKS_MAX];
	uint8_t mark_count;
	uint8_t syn_class, synack_class;
	uint8_t fragment_class;
	uint8_t query_class; /* of DNS, whose names are looked at; 0: there is none */
	uint8_t stream_class; /* under which all that TCP sends is counted */
	uint8_t null_class;   /* of TCP without flags; also of flows whose flags are not told */
	uint8_t class_count;
};

/* Connections that were watched, sums of about ten ticks (tally/talk.h). */
struct flood_talk { float talking, deaf, old; };

struct flood {
	uint64_t ticks;       /* learned from; 0 = nothing seen yet */
	int64_t last;         /* end of the last tick, ns */
	int64_t began;        /* of the running flood, ns; 0 = none runs */
	int64_t class_began[VECTOR_CLASSES_MAX]; /* of its run above usual; 0 = none */
	int64_t class_last[VECTOR_CLASSES_MAX];  /* its last tick above */
	int64_t whole_began, whole_last; /* the same of the whole */
	int64_t hot_last;     /* the last tick with strong evidence, ns */
	uint32_t hits;        /* ticks that carry the evidence since it began */
	uint32_t calm;        /* calm ticks in a row */
	uint32_t frozen;      /* frozen ticks in a row */
	uint32_t pulses;      /* times that the flood went on again */
	uint32_t quiet;       /* ticks since it last was on */
	float sampling;       /* packets that one looked at stands for */
	float out_share;      /* outbound packets to inbound ones; 0: only one way is seen */
	float cold_rate[VECTOR_CLASSES_MAX]; /* mean of about a second, packets a tick, */
	float cold_bytes[VECTOR_CLASSES_MAX];
	float class_seen[VECTOR_CLASSES_MAX]; /* packets looked at, sum of about ten ticks */
	float asked[VECTOR_CLASSES_MAX];      /* what the service asked for of late, a tick */
	bool cold_fired[VECTOR_CLASSES_MAX];  /* an absolute rule named it once */
	bool cold_open;       /* one has in this flood */
	uint64_t awake[2];    /* bit a class: in use */
	struct flood_meter whole[FLOOD_SERIES];
	struct flood_meter out;
	struct flood_meter class[VECTOR_CLASSES_MAX];
	struct flood_names names;
	struct flood_talk talk; /* not kept over a restart */
};
_Static_assert(sizeof(struct flood) <= 32 * 1024, "the stated bound of a service");

struct flood_sample {
	const struct traffic_tick *tick; /* NULL: watched, and nothing came: zeros */
	wd_wall at;       /* begin; after the end of the last, a jump is a gap: missing, not 0 */
	wd_span width;    /* of several ticks where nothing sealed between */
	bool frozen;      /* an incident is open: nothing is learned */
};

struct flood_class {
	uint8_t class;
	float log10_return;
	float packets_per_s, usual_packets_per_s; /* answers: less what was asked for */
	float bits_per_s, usual_bits_per_s;
	float sources; /* distinct in this tick; < 0 not known */
	bool alone;     /* of the class only what nobody answers (traffic_tick.talk) */
	bool new_names; /* DNS: what is above usual asks for names that nobody asked for */
	wd_wall began;
};

struct flood_reading {
	float log10_return; /* A; 0: nothing unusual */
	wd_wall began;      /* earliest tick of the run; the tick's own if there is none */
	float packets_per_s, usual_packets_per_s, high_packets_per_s; /* inbound, in all */
	float bits_per_s, usual_bits_per_s, high_bits_per_s;
	float records_per_s, usual_records_per_s;
	float sources, usual_sources; /* distinct in a tick */
	int8_t side;      /* 1 above usual, -1 well below (opens nothing), 0 neither */
	bool above;       /* this tick is */
	bool sustained;   /* enough separate ticks carry it: with A over the threshold, open */
	bool calm;        /* back to usual for calm_min: close */
	bool cold;        /* decided by the absolute rules: too little history */
	bool stirs;       /* something may begin: what comes next may be named a flood since here */
	bool carpet;      /* spread over many targets, each with a small part of it */
	bool pulse;       /* on and off, FLOOD_PULSES_MIN cycles or more */
	uint64_t stirring[2]; /* bit a class: which may, in this tick */
	bool taken;       /* false: not after the last tick; nothing changed */
	uint32_t class_count;
	struct flood_class classes[FLOOD_CLASSES_MAX];
};

void flood_plan_init(struct flood_plan *plan, const struct vector_classes *classes);
/* After the floors were changed. */
void flood_plan_floors(struct flood_plan *plan, double packets_per_s, double bits_per_s);
void flood_init(struct flood *f, const struct flood_plan *plan);
void flood_step(struct flood *f, const struct flood_plan *plan, const struct flood_sample *sample,
		struct flood_reading *ret);
/* A person says that the last flood was usual traffic: its height is learned. */
void flood_accept(struct flood *f);

/* State to bytes and back: the same on every machine. Classes go by their ids, so that a
 * later table of vectors finds them again. flood_write returns how many bytes it filled.
 * flood_read checks everything it reads (WD_SHORT, WD_MALFORMED, or WD_UNKNOWN for a version
 * of the future; at = byte offset) and on failure leaves *ret_f alone; `scratch` is room for
 * two states, whose content is lost. */
enum { FLOOD_BYTES_MAX = 28 * 1024 };
size_t flood_write(const struct flood *f, const struct vector_classes *classes,
		   uint8_t bytes[FLOOD_BYTES_MAX]);
enum wd_err flood_read(struct flood *ret_f, struct flood scratch[2],
		       const struct flood_plan *plan, const struct vector_classes *classes,
		       const uint8_t *bytes, size_t len, struct wd_why *why) WD_MUST_CHECK;

#endif
