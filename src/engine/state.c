/* SPDX-License-Identifier: Apache-2.0 */
/* state: the engine to bytes and back. A blob is: "WDST" · u16 version · u8 kind (0 whole,
 * 1 service) · body · u32 CRC-32 (zlib) of all before it. */
#include "engine/inner.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* 2: a service has its watch at the end, after u8 (0 = none), and its tracer.
 * 3: the whole has who took part in the latest incidents at its end, after u8 (0 = nothing).
 * 4: before that, who tells of traffic.
 * 5: a service whose flags say so has the scenario that it was played from after them. */
enum { STATE_VERSION = 5, KIND_WHOLE = 0, KIND_SERVICE = 1, BLOB_MAX = 512 << 20 };

static void begin(struct out *o, uint8_t kind)
{
	out_init(o, BLOB_MAX);
	out_bytes(o, "WDST", 4);
	out_u16(o, STATE_VERSION);
	out_u8(o, kind);
}

static enum wd_err finish(struct out *o, uint8_t **ret_bytes, size_t *ret_len)
{
	if (!o->bad)
		out_u32(o, (uint32_t)crc32_z(0, o->bytes, o->len));
	if (o->bad) {
		out_done(o);
		return WD_NOMEM;
	}
	*ret_bytes = o->bytes;
	*ret_len = o->len;
	return WD_OK;
}

/* A cursor over the body, if the frame around it is whole. */
static enum wd_err open_blob(const uint8_t *bytes, size_t len, uint8_t kind, struct cur *ret_c,
			     uint16_t *ret_version, struct wd_why *why)
{
	struct cur c = cur_over(bytes, len);
	if (len < 11)
		return wd_fail(why, WD_SHORT, 0, "state ends early");
	struct cur tail = cur_over(bytes + len - 4, 4);
	if (cur_u32(&tail) != (uint32_t)crc32_z(0, bytes, len - 4))
		return wd_fail(why, WD_MALFORMED, 0, "state does not match its checksum");
	if (memcmp(cur_bytes(&c, 4), "WDST", 4) != 0)
		return wd_fail(why, WD_MALFORMED, 0, "state does not begin with WDST");
	*ret_version = cur_u16(&c);
	if (*ret_version > STATE_VERSION)
		return wd_fail(why, WD_UNKNOWN, 4, "state has a later version than this program");
	if (cur_u8(&c) != kind)
		return wd_fail(why, WD_MALFORMED, 6, "state is of another kind");
	c.end -= 4;
	*ret_c = c;
	return WD_OK;
}

/* ---- the whole ---- */

static uint64_t *counters_of(struct engine_counters *c)
{
	return (uint64_t *)(void *)c; /* all members are uint64_t */
}

enum wd_err engine_write(const struct engine *e, uint8_t **ret_bytes, size_t *ret_len)
{
	struct engine_counters counters = e->counters;
	struct out o;
	begin(&o, KIND_WHOLE);
	out_i64(&o, e->now.ns);
	out_i64(&o, e->minute);
	once_write(&e->once, &o);
	out_u32(&o, sizeof(counters) / sizeof(uint64_t));
	for (size_t n = 0; n < sizeof(counters) / sizeof(uint64_t); n++)
		out_u64(&o, counters_of(&counters)[n]);
	witnesses_write(&e->witnesses, &o);
	out_u8(&o, e->lineage != NULL);
	if (e->lineage != NULL) {
		out_u64(&o, usual_mark(e->options.source_key));
		lineage_write(e->lineage, &o);
	}
	return finish(&o, ret_bytes, ret_len);
}

enum wd_err engine_read(struct engine *e, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	struct engine_counters counters = {0};
	struct once persons;
	struct cur c;
	uint16_t version;
	enum wd_err err = open_blob(bytes, len, KIND_WHOLE, &c, &version, why);
	if (err != WD_OK)
		return err;
	once_init(&persons, e->options.persons_max);
	wd_wall now = {cur_i64(&c)};
	int64_t minute = cur_i64(&c);
	once_read(&persons, &c);
	uint32_t count = cur_u32(&c);
	for (uint32_t n = 0; n < count && !c.bad; n++) {
		uint64_t value = cur_u64(&c); /* a later program may have had more of them */
		if (n < sizeof(counters) / sizeof(uint64_t))
			counters_of(&counters)[n] = value;
	}
	bool bad = c.bad; /* the rest can be done without */
	if (!bad && version >= 4)
		witnesses_read(&e->witnesses, &c);
	if (!bad && version >= 3 && cur_u8(&c) != 0 && e->lineage != NULL &&
	    cur_u64(&c) == usual_mark(e->options.source_key))
		lineage_read(e->lineage, &c);
	if (bad) {
		once_done(&persons);
		return wd_fail(why, WD_MALFORMED, (uint32_t)cur_offset(&c),
			       "state of the engine is damaged");
	}
	once_done(&e->once);
	e->once = persons;
	e->now = now;
	e->minute = minute;
	e->counters = counters;
	e->changed = true;
	return WD_OK;
}

/* ---- a service ---- */

static void write_signal(const struct signal *s, const struct surge_plan *plan, struct out *o)
{
	uint8_t *surge;
	out_u8(o, s->dimension);
	out_text(o, s->value);
	surge = out_room(o, SURGE_BYTES);
	if (surge != NULL)
		surge_write(&s->surge, plan, surge);
	out_f32(o, s->observed);
	out_f32(o, s->expected);
	out_f32(o, s->low);
	out_f32(o, s->high);
	out_f32(o, s->log10_return);
	out_i64(o, s->began);
	out_u8(o, (uint8_t)(s->above | s->sustained << 1 | s->calm << 2 | s->in_scope << 3));
	for (size_t n = 0; n < PENDING_BINS; n++)
		out_u32(o, s->pending[n]);
	for (size_t n = 0; n < CALM_BINS; n++)
		out_f32(o, s->recent[n]);
	out_f32(o, s->run_observed);
	out_f32(o, s->run_expected);
	for (size_t n = 0; n < WD_COUNT(s->hours); n++)
		out_f32(o, s->hours[n]);
}

static void read_signal(struct signal *s, const struct surge_plan *plan, struct cur *c)
{
	*s = (struct signal){.dimension = cur_u8(c)};
	cur_text(c, s->value, sizeof(s->value));
	const uint8_t *surge = cur_bytes(c, SURGE_BYTES);
	if (surge != NULL && surge_read(&s->surge, plan, surge, SURGE_BYTES, NULL) != WD_OK)
		c->bad = true;
	s->observed = cur_f32(c);
	s->expected = cur_f32(c);
	s->low = cur_f32(c);
	s->high = cur_f32(c);
	s->log10_return = cur_f32(c);
	s->began = cur_i64(c);
	uint8_t flags = cur_u8(c);
	s->above = flags & 1;
	s->sustained = flags >> 1 & 1;
	s->calm = flags >> 2 & 1;
	s->in_scope = flags >> 3 & 1;
	for (size_t n = 0; n < PENDING_BINS; n++)
		s->pending[n] = cur_u32(c);
	for (size_t n = 0; n < CALM_BINS; n++)
		s->recent[n] = cur_f32(c);
	s->run_observed = cur_f32(c);
	s->run_expected = cur_f32(c);
	for (size_t n = 0; n < WD_COUNT(s->hours); n++)
		s->hours[n] = cur_f32(c);
	if (s->dimension >= DIMENSION_COUNT)
		c->bad = true;
}

static void write_coordinated(const struct coordinated *x, struct out *o)
{
	out_text(o, x->service);
	out_i64(o, x->began_at.ns);
	out_i64(o, x->last_at.ns);
	out_f32(o, x->observed);
	out_f32(o, x->expected);
	out_u32(o, x->persons);
	out_u32(o, x->networks);
	out_text(o, x->top_network);
	out_f32(o, x->top_share);
}

static void read_coordinated(struct coordinated *x, struct cur *c)
{
	cur_text(c, x->service, sizeof(x->service));
	x->began_at.ns = cur_i64(c);
	x->last_at.ns = cur_i64(c);
	x->observed = cur_f32(c);
	x->expected = cur_f32(c);
	x->persons = cur_u32(c);
	x->networks = cur_u32(c);
	cur_text(c, x->top_network, sizeof(x->top_network));
	x->top_share = cur_f32(c);
}

static void write_track(const struct track *t, const struct surge_plan *plan, struct out *o)
{
	out_text(o, t->id);
	out_u8(o, (uint8_t)(t->started | t->whole << 1 | t->metric << 2 | t->reconstruction << 3 |
			    t->sustained << 4 | t->coordinated_on << 5 |
			    (t->scenario[0] != '\0') << 6));
	if (t->scenario[0] != '\0')
		out_text(o, t->scenario);
	out_i64(o, t->step.ns);
	out_i64(o, t->phase.ns);
	out_i64(o, t->next);
	out_i64(o, t->since.ns);
	out_i64(o, t->first_seen.ns);
	out_i64(o, t->last_seen.ns);
	out_i64(o, t->due_at.ns);
	out_i64(o, t->last_above.ns);
	out_i64(o, t->began.ns);
	out_f32(o, t->most);
	out_f32(o, t->log10_return);
	out_u64(o, t->observed_total);
	out_u32(o, t->signal_count);
	for (uint32_t n = 0; n < t->signal_count; n++)
		write_signal(&t->signals[n], plan, o);
	for (size_t n = 0; n < CANDIDATES; n++) {
		out_u64(o, t->candidates[n].hash);
		out_u32(o, t->candidates[n].reports);
	}
	out_u8(o, (uint8_t)((t->history != NULL) | (t->crowd != NULL) << 1));
	if (t->history != NULL) {
		rollup_write(&t->history->bins, o);
		rollup_write(&t->history->fives, o);
		rollup_write(&t->history->hours, o);
		rollup_write(&t->history->quarters, o);
	}
	if (t->crowd != NULL)
		crowd_write(t->crowd, o);
	episode_write(&t->episode, o);
	write_coordinated(&t->coordinated, o);
}

static void read_scenario(struct track *t, struct cur *c)
{
	cur_text(c, t->scenario, sizeof(t->scenario));
	if (!text_is_id(t->scenario, strlen(t->scenario), OBSERVATION_SCENARIO_MAX))
		c->bad = true;
}

static void read_head(struct track *t, struct cur *c)
{
	cur_text(c, t->id, sizeof(t->id));
	uint8_t flags = cur_u8(c);
	t->started = flags & 1;
	t->whole = flags >> 1 & 1;
	t->metric = flags >> 2 & 1;
	t->reconstruction = flags >> 3 & 1;
	t->sustained = flags >> 4 & 1;
	t->coordinated_on = flags >> 5 & 1;
	if ((flags >> 6 & 1) != 0) /* never before version 5 */
		read_scenario(t, c);
	t->step.ns = cur_i64(c);
	t->phase.ns = cur_i64(c);
	t->next = cur_i64(c);
	t->since.ns = cur_i64(c);
	t->first_seen.ns = cur_i64(c);
	t->last_seen.ns = cur_i64(c);
	t->due_at.ns = cur_i64(c);
	t->last_above.ns = cur_i64(c);
	t->began.ns = cur_i64(c);
	t->most = cur_f32(c);
	t->log10_return = cur_f32(c);
	t->observed_total = cur_u64(c);
	if (t->id[0] == '\0' || t->step.ns < WD_NS_PER_S || t->step.ns > 366 * 86400 * WD_NS_PER_S)
		c->bad = true;
}

static void read_parts(struct track *t, struct cur *c)
{
	uint8_t parts = cur_u8(c);
	if (!c->bad && (parts & 1) != 0) {
		if (!track_open_history(t)) {
			c->bad = true;
			return;
		}
		rollup_load(&t->history->bins, c);
		rollup_load(&t->history->fives, c);
		rollup_load(&t->history->hours, c);
		rollup_load(&t->history->quarters, c);
	}
	if (!c->bad && (parts & 2) != 0) {
		t->crowd = calloc(1, sizeof(*t->crowd));
		if (t->crowd == NULL) {
			c->bad = true;
			return;
		}
		crowd_read(t->crowd, c);
	}
}

static void write_watch(const struct engine *e, const struct track *t, struct out *o)
{
	out_u8(o, t->watch != NULL);
	if (t->watch != NULL)
		watch_write(t->watch, e->options.classes, e->options.source_key, o);
}

/* It comes last, so that an engine without classes can leave it alone. */
static void read_watch(const struct engine *e, struct track *t, uint16_t version, struct cur *c)
{
	if (version < 2 || cur_u8(c) == 0 || e->options.classes == NULL || c->bad)
		return;
	t->watch = watch_read(&e->flood_plan, e->options.classes, e->options.source_key, c);
	t->episode.held = t->episode.state == INCIDENT_OPEN && !watch_is_calm(t, e->now);
}

static void read_signals(struct engine *e, struct track *t, struct cur *c)
{
	uint32_t count = cur_u32(c);
	const struct surge_plan *plan =
		c->bad ? NULL : engine_plan(e, t->step, t->metric, &t->plan);
	if (plan == NULL || count > SIGNALS_MAX || (t->started && count == 0)) {
		c->bad = true;
		return;
	}
	t->signals = calloc(count + 1, sizeof(*t->signals));
	if (t->signals == NULL) {
		c->bad = true;
		return;
	}
	t->signal_cap = count + 1;
	for (t->signal_count = 0; t->signal_count < count && !c->bad; t->signal_count++)
		read_signal(&t->signals[t->signal_count], plan, c);
	if (!c->bad)
		track_reindex(t, &e->options.key);
}

enum wd_err engine_write_service(const struct engine *e, size_t index, const char **ret_id,
				 uint8_t **ret_bytes, size_t *ret_len)
{
	WD_CHECK(index < e->track_count);
	const struct track *t = &e->tracks[index];
	struct out o;
	begin(&o, KIND_SERVICE);
	write_track(t, &e->plans[t->plan].plan, &o);
	write_watch(e, t, &o);
	if (t->watch != NULL)
		engine_tracing_write(e, t, &o);
	enum wd_err err = finish(&o, ret_bytes, ret_len);
	if (err == WD_OK)
		*ret_id = t->id;
	return err;
}

size_t engine_service_count(const struct engine *e)
{
	return e->track_count;
}

enum wd_err engine_read_service(struct engine *e, const uint8_t *bytes, size_t len,
				struct wd_why *why)
{
	struct track read = {0};
	struct cur c;
	uint16_t version;
	enum wd_err err = open_blob(bytes, len, KIND_SERVICE, &c, &version, why);
	if (err != WD_OK)
		return err;
	read_head(&read, &c);
	read_signals(e, &read, &c);
	for (size_t n = 0; n < CANDIDATES; n++) {
		read.candidates[n].hash = cur_u64(&c);
		read.candidates[n].reports = cur_u32(&c);
	}
	read_parts(&read, &c);
	episode_read(&read.episode, &c);
	read_coordinated(&read.coordinated, &c);
	read_watch(e, &read, version, &c);
	if (c.bad) {
		track_done(&read);
		return wd_fail(why, WD_MALFORMED, (uint32_t)cur_offset(&c),
			       "state of a service is damaged");
	}
	struct track *t = engine_track(e, read.id);
	bool full = t == NULL && e->track_count >= e->options.services_max;
	if (t == NULL)
		t = engine_add_track(e, read.id);
	if (t == NULL) {
		track_done(&read);
		return full ? WD_OK : wd_fail(why, WD_NOMEM, 0, "service");
	}
	if (read.watch != NULL && t->watch == NULL && !engine_watch_room(e)) {
		watch_close(read.watch);
		read.watch = NULL;
	}
	e->may_drop = e->may_drop || t->service == NULL;
	read.service = t->service;
	read.adopted = t->adopted;
	read.salt = t->salt;
	t->adopted = NULL;
	engine_trace_stop(e, t);
	e->watched += (read.watch != NULL) - (size_t)(t->watch != NULL);
	track_done(t);
	*t = read;
	engine_state_budget(e);
	if (t->watch != NULL)
		engine_tracing_read(e, t, &c);
	e->due += t->due_at.ns != 0;
	if (t->service == NULL && e->options.adopt_services && !engine_adopt(e, t))
		return wd_fail(why, WD_NOMEM, 0, "service");
	engine_touch(e, t);
	if (t->episode.known && engine_remember(e, &t->episode.incident) != WD_OK)
		e->effects_lost++;
	return WD_OK;
}
