/* SPDX-License-Identifier: Apache-2.0 */
/* incident: anomalies of one service that belong together. A plain value: copied into
 * effects, snapshots and the store. Serialised as JSON with a version (docs/formats.md). */
#ifndef WD_MODEL_INCIDENT_H
#define WD_MODEL_INCIDENT_H

#include "base/buf.h"
#include "base/units.h"
#include "model/observation.h"
#include "model/service.h"
#include "model/signal.h"
#include "model/vector.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	INCIDENT_ID_MAX =
		SERVICE_ID_MAX + 24, /* "x-20250310-0945", "…-2" for the next of that minute */
	INCIDENT_WAVES_MAX = 24,
	INCIDENT_SCOPE_MAX = 24,
	INCIDENT_RELATED_MAX = 8,
	INCIDENT_PARTS_MAX = 4,
	INCIDENT_WHY_MAX = 159,
};

/* The kinds of signal that carry an incident, as bits. */
enum incident_kind { INCIDENT_REPORTS = 1, INCIDENT_TRAFFIC = 2, INCIDENT_REQUESTS = 4 };

enum incident_state {
	INCIDENT_SUSPECTED, /* above usual, not yet past the false-alarm budget */
	INCIDENT_OPEN,
	INCIDENT_RECOVERING, /* back to usual, not yet for long enough */
	INCIDENT_CLOSED,
};
static inline bool incident_is_on(enum incident_state s)
{
	return s == INCIDENT_OPEN || s == INCIDENT_RECOVERING;
}

enum severity { SEVERITY_MINOR, SEVERITY_MODERATE, SEVERITY_MAJOR, SEVERITY_SEVERE };

/* A run of time significantly above usual, between two spells of calm. */
struct wave {
	wd_wall began_at, decided_at, peak_at, ended_at; /* ended_at 0 = still on */
	float peak_observed, peak_expected;  /* reports in the peak bucket, and what is usual */
	float peak_packets_per_s, peak_bits_per_s, peak_requests_per_s; /* 0 = not by them */
};

/* A signal that is itself significant: part of what the incident reaches. */
struct scope {
	enum dimension dimension;
	char value[SIGNAL_VALUE_MAX + 1];
	float observed, expected; /* summed over the incident so far */
	float log10_return;       /* the highest so far */
};

enum relation {
	RELATION_SAME_TIME,       /* began within minutes of each other */
	RELATION_SHARED_PROVIDER, /* and both rely on, or one is relied on by, the same service */
	RELATION_SPILLOVER,       /* much smaller and a little later: likely the other's reports */
};

struct related { char id[INCIDENT_ID_MAX + 1]; enum relation relation; };

/* What made most of it: a vector's id, or of requests a finding's. */
struct part {
	char id[VECTOR_ID_MAX + 1];
	float share; /* of the packets or requests of the peak, 0..1 */
};

/* What the service's traffic (flows, packets) says of an incident. More is in its trace. */
struct incident_traffic {
	wd_wall began_at, decided_at, ended_at, peak_at; /* as in struct incident */
	float peak_packets_per_s, usual_packets_per_s; /* in the strongest second */
	float peak_bits_per_s, usual_bits_per_s;
	float log10_return;        /* highest so far */
	enum source_status status; /* of the heaviest vector */
	bool cold; /* opened by fixed rules: too little history for odds (log10_return is none) */
	wd_wall silent_since; /* nobody who told of this traffic has spoken since; 0 = they do */
	bool silent_partly;   /* … some of them, rather: there may be more than was seen */
	uint32_t vector_count;
	struct part vectors[INCIDENT_PARTS_MAX]; /* heaviest first */
};

/* What the service's access logs say of it. */
struct incident_requests {
	wd_wall began_at, decided_at, ended_at, peak_at;
	float peak_requests_per_s, usual_requests_per_s;
	float log10_return;
	bool cold; /* as above */
	wd_wall silent_since; /* no log that told of this has had a line since; 0 = it has */
	uint32_t finding_count;
	struct part findings[INCIDENT_PARTS_MAX];
	char why[INCIDENT_PARTS_MAX][INCIDENT_WHY_MAX + 1]; /* of each, in words; "" = not kept */
};

struct incident {
	char id[INCIDENT_ID_MAX + 1];
	char service[SERVICE_ID_MAX + 1];
	enum incident_state state;
	bool reconstruction;     /* made from what was published, not observed */
	char scenario[OBSERVATION_SCENARIO_MAX + 1]; /* that it was played from; "" = not known */
	bool metric; /* its "reports" are values of a metric, which may have fallen */
	wd_span step;            /* bucket width of its numbers */
	wd_wall began_at;        /* estimated begin, not the time of the alarm */
	wd_wall decided_at;      /* when the budget was passed: the alarm */
	wd_wall ended_at;        /* estimated end; 0 while it lasts */
	wd_wall changed_at;      /* last change of any field, on the engine's clock */
	uint32_t kinds;          /* enum incident_kind; 0 = reports, see incident_kinds() */
	float peak_observed, peak_expected; /* of reports, of the strongest bucket */
	wd_wall peak_at;
	float excess;            /* reports above usual, summed */
	float severity;          /* log2(1 + peak ratio) x hours, see docs/methods.md */
	float log10_return; /* "normal does this once in 10^x buckets": the highest, of all kinds */
	float reports_log10_return; /* of reports alone; 0: they do not carry it */
	float log10_return_decided; /* the same when it was decided */
	uint32_t persons;        /* distinct, at most this many; 0 = not known */
	uint32_t networks;       /* distinct; 0 = not known */
	uint32_t wave_count, scope_count, related_count;
	uint32_t scope_dropped, waves_dropped; /* did not fit */
	struct wave waves[INCIDENT_WAVES_MAX];
	struct scope scopes[INCIDENT_SCOPE_MAX];
	struct related related[INCIDENT_RELATED_MAX];
	struct incident_traffic traffic;   /* if traffic carries it */
	struct incident_requests requests; /* if requests do */
};

/* Reports that rose significantly but that few persons or few networks made: no incident. */
struct coordinated {
	char service[SERVICE_ID_MAX + 1];
	wd_wall began_at, last_at;
	float observed, expected;   /* reports in four minutes, the most there were */
	uint32_t persons, networks; /* in this quarter of an hour and the last */
	char top_network[SIGNAL_VALUE_MAX + 1]; /* the heaviest, "" if not known */
	float top_share;                        /* of the last four minutes' reports, 0..1 */
};

/* Which kinds carry it; reports alone where none is named. */
static inline uint32_t incident_kinds(const struct incident *i)
{
	return i->kinds != 0 ? i->kinds : (uint32_t)INCIDENT_REPORTS;
}
const char *incident_kind_name(enum incident_kind k); /* "reports", "traffic", "requests" */
uint32_t incident_kind_of(const char *name);          /* 0: there is none of that name */
/* True if a vector or a finding of that id is among its heaviest. */
bool incident_has_vector(const struct incident *i, const char *id);
const char *incident_state_name(enum incident_state s); /* "suspected", … */
enum severity incident_severity_word(const struct incident *i);
const char *severity_name(enum severity s); /* "minor", … */
/* Until ended_at, or until now while it lasts. Never negative. */
wd_span incident_duration(const struct incident *i, wd_wall now);

/* The whole incident as one JSON object, no line end; the form of the API, the store and
 * of `replay --format json`. */
void incident_to_json(struct buf *b, const struct incident *i);
/* Reads that form back. Unknown members are left alone; a higher version is WD_UNKNOWN. */
enum wd_err incident_from_json(const char *text, size_t len, struct incident *ret_i,
			       struct wd_why *why) WD_MUST_CHECK;

#endif
