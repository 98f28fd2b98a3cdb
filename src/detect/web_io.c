/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a watch as bytes: little-endian, a version in front, no padding. */
#include "detect/web.h"

#include "base/bytes.h"
#include "base/check.h"

#include <math.h>
#include <string.h>

static const uint32_t version = 2; /* 1 had no rush */

/* One list of what is kept, for both ways. */
#define MIX_FIELDS(f)                                                                              \
	f(assets) f(path) f(agent) f(client) f(key) f(posts) f(logins) f(crawlers) f(apart)        \
		f(per_client) f(ms)
#define RUSH_FIELDS(f) f(pages) f(requests) f(refused) f(now) f(peak)
#define LEVEL_FIELDS(f)                                                                            \
	f(fast) f(slow) f(excess) f(sum) f(calibrate.peak) f(calibrate.excess)                     \
		f(calibrate.square) f(calibrate.count) f(calibrate.samples) f(calibrate.scale)     \
			f(calibrate.shape) f(calibrate.log10_rate) f(calibrate.log10_seen)

struct writer { uint8_t *at; };

static void put(struct writer *w, uint64_t x, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		*w->at++ = (uint8_t)(x >> (8 * i));
}

static void put_f32(struct writer *w, float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	put(w, bits, sizeof(bits));
}

static void put_mix(struct writer *w, const struct web_mix *m)
{
#define PUT(field) put_f32(w, m->field);
	MIX_FIELDS(PUT)
#undef PUT
	put(w, m->pages, 4);
	put(w, m->queried, 4);
}

static void put_level(struct writer *w, const struct web_level *l)
{
#define PUT(field) put_f32(w, l->field);
	LEVEL_FIELDS(PUT)
#undef PUT
	for (int k = 0; k < EVIDENCE_SIZES; k++)
		put_f32(w, l->evidence.nats[k]);
	for (int k = 0; k < EVIDENCE_SIZES; k++)
		put(w, l->evidence.age[k], 4);
}

static void put_rush(struct writer *w, const struct web_rush *r)
{
	put(w, r->seconds, 4);
	put(w, r->quiet, 4);
	put(w, r->held, 4);
#define PUT(field) put_f32(w, r->field);
	RUSH_FIELDS(PUT)
#undef PUT
	memcpy(w->at, r->clients, sizeof(r->clients));
	w->at += sizeof(r->clients);
}

void web_watch_write(const struct web_watch *watch, uint8_t bytes[WEB_WATCH_BYTES])
{
	struct writer w = {bytes};

	put(&w, version << 24 | WEB_SIGNALS, 4);
	put(&w, watch->seen < UINT32_MAX ? watch->seen : UINT32_MAX, 4);
	put(&w, (uint64_t)watch->last, 8);
	put(&w, watch->calm, 4);
	put(&w, watch->frozen, 4);
	put(&w, watch->mixes, 4);
	put_mix(&w, &watch->now);
	put_mix(&w, &watch->usual);
	for (unsigned i = 0; i < WEB_SIGNALS; i++)
		put_level(&w, &watch->levels[i]);
	put_rush(&w, &watch->rush);
	WD_CHECK(w.at == bytes + WEB_WATCH_BYTES);
}

static bool get_f32(struct cur *c, float *ret)
{
	*ret = cur_f32(c);
	return isfinite(*ret) && fabsf(*ret) <= 1e30F;
}

static bool get_mix(struct cur *c, struct web_mix *m)
{
	bool sound = true;
#define GET(field) sound &= get_f32(c, &m->field) && m->field >= 0;
	MIX_FIELDS(GET)
#undef GET
	m->pages = cur_u32(c);
	m->queried = cur_u32(c);
	return sound;
}

static bool get_level(struct cur *c, struct web_level *l)
{
	bool sound = true;
#define GET(field) sound &= get_f32(c, &l->field);
	LEVEL_FIELDS(GET)
#undef GET
	for (int k = 0; k < EVIDENCE_SIZES; k++)
		sound &= get_f32(c, &l->evidence.nats[k]) && l->evidence.nats[k] >= 0;
	for (int k = 0; k < EVIDENCE_SIZES; k++)
		l->evidence.age[k] = cur_u32(c);
	return sound && l->fast >= 0 && l->slow >= 0 && l->excess >= 0 && l->sum >= 0 &&
	       l->calibrate.samples >= 0 &&
	       l->calibrate.samples <= 1e6F && l->calibrate.count >= 0 && l->calibrate.scale > 0 &&
	       l->calibrate.shape >= 0 && l->calibrate.log10_rate <= 0;
}

static bool get_rush(struct cur *c, struct web_rush *r)
{
	bool sound = true;

	r->seconds = cur_u32(c);
	r->quiet = cur_u32(c);
	r->held = cur_u32(c);
#define GET(field) sound &= get_f32(c, &r->field) && r->field >= 0;
	RUSH_FIELDS(GET)
#undef GET
	const uint8_t *clients = cur_bytes(c, sizeof(r->clients));
	if (clients != NULL)
		memcpy(r->clients, clients, sizeof(r->clients));
	return sound;
}

enum wd_err web_watch_read(struct web_watch *ret, const uint8_t *bytes, size_t len,
			   struct wd_why *why)
{
	struct cur c = cur_over(bytes, len);
	struct web_watch w = {0};
	uint32_t head = cur_u32(&c);
	bool sound = true;

	if (!c.bad && head >> 24 > version)
		return wd_fail(why, WD_UNKNOWN, 0, "a version of the future");
	if (!c.bad && head != (version << 24 | WEB_SIGNALS) && head != (1 << 24 | WEB_SIGNALS))
		return wd_fail(why, WD_MALFORMED, 0, "no state of a watch");
	w.seen = cur_u32(&c);
	w.last = cur_i64(&c);
	w.calm = cur_u32(&c);
	w.frozen = cur_u32(&c);
	w.mixes = cur_u32(&c);
	sound &= get_mix(&c, &w.now);
	sound &= get_mix(&c, &w.usual);
	for (unsigned i = 0; i < WEB_SIGNALS; i++)
		sound &= get_level(&c, &w.levels[i]);
	if (head >> 24 > 1)
		sound &= get_rush(&c, &w.rush);
	if (c.bad || cur_left(&c) > 0)
		return wd_fail(why, c.bad ? WD_SHORT : WD_MALFORMED, (uint32_t)cur_offset(&c),
			       "not as long as a watch's state");
	if (!sound || w.last > INT64_C(1) << 40 || w.last < -(INT64_C(1) << 40))
		return wd_fail(why, WD_MALFORMED, 0, "a number that no watch has");
	*ret = w;
	return WD_OK;
}
