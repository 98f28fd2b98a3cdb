/* SPDX-License-Identifier: Apache-2.0 */
#include "command/keeper.h"

#include "command/chart_bytes.h"
#include "command/clock.h"
#include "command/log.h"

#include <stdlib.h>

static const wd_span AGAIN_AFTER = {5 * WD_NS_PER_S};

static const char *change_name(enum effect_kind kind)
{
	return kind == EFFECT_INCIDENT_OPENED   ? "opened"
	       : kind == EFFECT_INCIDENT_CLOSED ? "closed"
						: "changed";
}

void keeper_failed(struct keeper *k, const struct wd_why *why)
{
	k->damaged = k->damaged || store_is_damaged(why);
}

/* Something of this time could not be written. */
static void miss(struct keeper *k, const char *event, wd_wall at, const struct wd_why *why)
{
	log_why(LOG_LEVEL_ERROR, event, why);
	if (k->missed.ns == 0 || wall_before(at, k->missed))
		k->missed = at;
	k->again = mono_add(mono_now(), AGAIN_AFTER);
	keeper_failed(k, why);
}

static bool put(struct keeper *k, const struct incident *i, enum effect_kind kind, wd_wall at)
{
	struct store_change change = {.change = change_name(kind), .at = at};
	struct series series = {0};
	struct wd_why why = {0};
	struct out chart;

	out_init(&chart, 1 << 20);
	if (engine_incident_series(k->engine, i, &series))
		chart_write(&series, &chart);
	if (!chart.bad && chart.len > 0) {
		change.series = chart.bytes;
		change.series_len = chart.len;
	}
	bool kept = store_put_incident(k->store, i, &change, &why) == WD_OK;
	if (!kept)
		miss(k, "incident_not_kept", i->changed_at, &why);
	free(series.points);
	out_done(&chart);
	return kept;
}

static void keep_incident(struct keeper *k, const struct effect *x)
{
	(void)put(k, &x->incident, x->kind, x->at);
	if (x->kind != EFFECT_INCIDENT_CHANGED)
		log_line(LOG_LEVEL_INFO, "incident",
			 "change=%s id=%s service=%s severity=%.3g odds=1e%.1f",
			 change_name(x->kind), x->incident.id, x->incident.service,
			 (double)x->incident.severity, (double)x->incident.log10_return);
}

static void keep_coordinated(struct keeper *k, const struct effect *x)
{
	const struct coordinated *c = &x->coordinated;
	struct wd_why why = {0};

	if (store_put_coordinated(k->store, c, x->at, &why) != WD_OK) {
		log_why(LOG_LEVEL_ERROR, "evidence_not_kept", &why);
		keeper_failed(k, &why);
	}
	log_line(LOG_LEVEL_INFO, "reports_coordinated",
		 "service=%s persons=%u networks=%u top_share=%.2f", c->service, c->persons,
		 c->networks, (double)c->top_share);
}

bool keeper_keep(struct keeper *k)
{
	size_t count;
	const struct effect *effects = engine_effects(k->engine, &count);
	struct wd_why why = {0};
	bool hasty = false;

	for (size_t n = 0; n < count; n++) {
		const struct effect *x = &effects[n];
		if (x->kind == EFFECT_COORDINATED) {
			keep_coordinated(k, x);
		} else if (x->kind != EFFECT_TRACE) {
			keep_incident(k, x);
			hasty = hasty || (x->kind == EFFECT_INCIDENT_OPENED &&
					  keeper_by_ticks(&x->incident));
		} else if (store_trace_put(k->store, x->trace, &why) != WD_OK) {
			miss(k, "trace_not_kept", x->trace->changed_at, &why);
		}
	}
	engine_effects_drop(k->engine);
	return hasty;
}

bool keeper_again(struct keeper *k, bool last)
{
	wd_wall since = k->missed;

	if (since.ns == 0 || (!last && mono_now().ns < k->again.ns))
		return false;
	struct snapshot *s = engine_snapshot(k->engine);
	if (s == NULL)
		return false;
	k->missed.ns = 0; /* until the next failure */
	for (size_t n = 0; n < s->incident_count && k->missed.ns == 0; n++) {
		const struct incident *i = &s->incidents[n];
		if (!wall_before(i->changed_at, since))
			(void)put(k, i, i->state == INCIDENT_CLOSED ? EFFECT_INCIDENT_CLOSED :
								      EFFECT_INCIDENT_CHANGED,
				  engine_now(k->engine));
	}
	snapshot_release(s);
	if (k->missed.ns != 0) {
		k->missed = since;
		return false;
	}
	engine_tell_traces(k->engine);
	(void)keeper_keep(k);
	if (k->missed.ns == 0)
		log_line(LOG_LEVEL_INFO, "incidents_kept", "missing_since=%lld",
			 (long long)wall_to_s(since));
	return k->missed.ns == 0;
}
