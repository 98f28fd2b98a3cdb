/* SPDX-License-Identifier: Apache-2.0 */
/* watch: to bytes and back, within the state of its service. u8 version · … What cannot be taken
 * over (another version of a part, a part that is damaged in itself) is learned anew. */
#include "engine/watch.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

/* 2: the usual sources at the end, after u8 (0 = none). 3: requests as web_watch_write has them,
 * after u32 of how many bytes; before, as words of memory, which are passed over. 4: rates in 16
 * bits; before, as rollups. 5: what came in the last half hour, at the end. 6: and who
 * tells of it. 7: a peak as last told of each kind; before, one of both. */
enum { WATCH_VERSION = 7 };

static void write_kind(const struct watch_kind *k, struct out *o)
{
	out_i64(o, k->end.ns);
	out_i64(o, k->began.ns);
	out_i64(o, k->last_above.ns);
	out_f32(o, k->log10_return);
	out_u8(o, (uint8_t)(k->significant | k->suspicious << 1 | k->calm << 2));
	out_i64(o, k->peak_at.ns);
	for (size_t n = 0; n < 2; n++) {
		out_f32(o, k->peak[n]);
		out_f32(o, k->usual[n]);
	}
	second_write(&k->second, o);
}

static void read_kind(struct watch_kind *k, struct cur *c)
{
	k->end.ns = cur_i64(c);
	k->began.ns = cur_i64(c);
	k->last_above.ns = cur_i64(c);
	k->log10_return = cur_f32(c);
	uint8_t flags = cur_u8(c);
	k->significant = flags & 1;
	k->suspicious = flags >> 1 & 1;
	k->calm = flags >> 2 & 1;
	k->peak_at.ns = cur_i64(c);
	for (size_t n = 0; n < 2; n++) {
		k->peak[n] = cur_f32(c);
		k->usual[n] = cur_f32(c);
	}
	second_read(&k->second, c);
}

static void write_rate(const struct course *r, struct out *o)
{
	out_u8(o, r->cells != NULL);
	if (r->cells != NULL)
		course_write(r, o);
}

static void read_rate(struct watch *w, size_t n, struct cur *c, uint8_t version)
{
	if (cur_u8(c) == 0)
		return;
	if (watch_open_rates(w, n == RATE_REQUESTS ? WATCH_REQUESTS : WATCH_FLOWS))
		course_read(&w->rates[n], c, version < 4);
	else
		c->bad = true;
}

static void write_flood(const struct watch *w, const struct vector_classes *classes, struct out *o)
{
	uint8_t bytes[FLOOD_BYTES_MAX];
	size_t len = flood_write(&w->flood, classes, bytes);
	out_u32(o, (uint32_t)len);
	out_bytes(o, bytes, len);
}

static void read_flood(struct watch *w, const struct flood_plan *plan,
		       const struct vector_classes *classes, struct cur *c)
{
	size_t len = cur_u32(c);
	const uint8_t *bytes = cur_bytes(c, len);
	struct flood *scratch = malloc(2 * sizeof(*scratch));
	if (scratch == NULL)
		c->bad = true;
	if (bytes != NULL && scratch != NULL &&
	    flood_read(&w->flood, scratch, plan, classes, bytes, len, NULL) != WD_OK)
		flood_init(&w->flood, plan);
	free(scratch);
}

static void write_web(const struct web_watch *web, struct out *o)
{
	uint8_t bytes[WEB_WATCH_BYTES];
	web_watch_write(web, bytes);
	out_u32(o, sizeof(bytes));
	out_bytes(o, bytes, sizeof(bytes));
}

static void read_web(struct web_watch *web, struct cur *c, uint8_t version)
{
	size_t len = cur_u32(c), unit = version < 3 ? sizeof(uint32_t) : 1;
	const uint8_t *bytes = cur_bytes(c, len * unit);
	if (bytes == NULL || unit > 1 || web_watch_read(web, bytes, len, NULL) != WD_OK)
		web_watch_init(web);
}

void watch_write(const struct watch *w, const struct vector_classes *classes,
		 const struct address_key *key, struct out *o)
{
	out_u8(o, WATCH_VERSION);
	for (size_t n = 0; n < WATCH_KINDS; n++)
		write_kind(&w->kinds[n], o);
	for (size_t n = 0; n < WATCH_RATES; n++)
		write_rate(&w->rates[n], o);
	out_i64(o, w->told_at.ns);
	out_i64(o, w->kept_at.ns);
	out_i64(o, w->shown_at.ns);
	for (size_t n = 0; n < WATCH_KINDS; n++)
		out_f32(o, w->told_peak[n]);
	out_f32(o, w->requests.requests_per_s);
	out_u8(o, (uint8_t)(w->traced | w->untraced << 1));
	write_flood(w, classes, o);
	write_web(&w->web, o);
	bool usual = w->usual != NULL && key != NULL;
	out_u8(o, usual);
	if (usual)
		usual_write(w->usual, key, o);
	before_write(&w->before, o);
	told_write(&w->told, o);
}

static void read_usual(struct watch *w, const struct address_key *key, struct cur *c)
{
	if (cur_u8(c) == 0 || c->bad)
		return;
	w->usual = calloc(1, sizeof(*w->usual));
	if (w->usual == NULL)
		c->bad = true;
	else
		usual_read(w->usual, key, c);
}

struct watch *watch_read(const struct flood_plan *plan, const struct vector_classes *classes,
			 const struct address_key *key, struct cur *c)
{
	uint8_t version = cur_u8(c);
	bool known = version >= 1 && version <= WATCH_VERSION;
	struct watch *w = known ? watch_open(plan) : NULL;
	if (w == NULL) {
		c->bad = true;
		return NULL;
	}
	for (size_t n = 0; n < WATCH_KINDS; n++)
		read_kind(&w->kinds[n], c);
	for (size_t n = 0; n < WATCH_RATES; n++)
		read_rate(w, n, c, version);
	w->told_at.ns = cur_i64(c);
	w->kept_at.ns = cur_i64(c);
	w->shown_at.ns = cur_i64(c);
	for (size_t n = 0; n < WATCH_KINDS; n++)
		w->told_peak[n] = n == 0 || version >= 7 ? cur_f32(c) : w->told_peak[0];
	w->requests.requests_per_s = cur_f32(c);
	uint8_t flags = cur_u8(c);
	w->traced = flags & 1;
	w->untraced = flags >> 1 & 1;
	read_flood(w, plan, classes, c);
	read_web(&w->web, c, version);
	if (version >= 2)
		read_usual(w, key, c);
	if (version >= 5)
		before_load(&w->before, c);
	if (version >= 6)
		told_read(&w->told, c);
	if (c->bad) {
		watch_close(w);
		return NULL;
	}
	return w;
}
