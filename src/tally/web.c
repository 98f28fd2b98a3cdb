/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/web.h"

#include "base/cache_line.h"
#include "base/check.h"
#include "base/text.h"
#include "tally/text_hash.h"
#include "tally/web_mark.h"

#include <stddef.h>
#include <string.h>

static const uint16_t apart[WEB_STATUSES] = {401, 403, 404, 408, 429, 499, 503};
static const uint64_t busy_ms_max = 60000;

void web_clear(struct web_tick *t, const char *service, wd_wall at)
{
	web_clear_small(t, service, at, WEB_SAMPLES);
}

void web_clear_small(struct web_tick *t, const char *service, wd_wall at, uint32_t sample_max)
{
	WD_CHECK(sample_max > 0 && sample_max <= WEB_SAMPLES);
	memset(t, 0, offsetof(struct web_tick, draws)); /* the rest is valid up to sample_count */
	text_copy(t->service, sizeof(t->service), service);
	t->at = at;
	t->width = (wd_span){WEB_TICK_NS};
	t->sample_max = sample_max;
}

/* ---- the sample: the requests with the lowest draws ---- */

/* `moving` into a heap whose place `root` is free: down to the bottom along the larger children,
 * then up to where it belongs, which is near. Stopping on the way down would be for chance to
 * say, step by step. */
static void sift(struct web_draw *heap, uint32_t count, uint32_t root, struct web_draw moving)
{
	uint32_t at = root, child;

	for (; (child = 2 * at + 1) + 1 < count; at = child) {
		child += heap[child + 1].draw > heap[child].draw;
		heap[at] = heap[child];
	}
	if (child < count) {
		heap[at] = heap[child];
		at = child;
	}
	for (; at > root && heap[(at - 1) / 2].draw < moving.draw; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = moving;
}

static void heap_make(struct web_draw *heap, uint32_t count)
{
	for (uint32_t i = count / 2; i-- > 0;)
		sift(heap, count, i, heap[i]);
}

/* Asks for the memory that the next request will be kept in, if it is: time enough until then. */
static inline void sample_expect(const struct web_tick *t)
{
	uint32_t slot = t->sample_count < t->sample_max ? t->sample_count : t->draws[0].slot;
	const char *at = (const char *)&t->sample[slot];

	for (size_t i = 0; i < sizeof(struct web_record); i += CACHE_LINE)
		__builtin_prefetch(at + i, 1);
}

/* Where a request with this draw is to be kept; NULL if it is not. */
static struct web_record *sample_place(struct web_tick *t, uint32_t draw)
{
	if (t->sample_count < t->sample_max) {
		uint32_t slot = t->sample_count++;
		t->draws[slot] = (struct web_draw){draw, slot};
		if (t->sample_count == t->sample_max)
			heap_make(t->draws, t->sample_max);
		return &t->sample[slot];
	}
	if (draw >= t->draws[0].draw)
		return NULL;
	uint32_t slot = t->draws[0].slot;
	sift(t->draws, t->sample_max, 0, (struct web_draw){draw, slot});
	return &t->sample[slot];
}

/* Up to 47 bytes in pieces that overlap: no call with a length that is chance. */
static inline void text_keep(char *dst, size_t size, struct text_span s)
{
	size_t len = s.len < size - 1 ? s.len : size - 1;

	if (len >= 16) {
		memcpy(dst, s.at, 16);
		if (len > 32)
			memcpy(dst + 16, s.at + 16, 16);
		memcpy(dst + len - 16, s.at + len - 16, 16);
	} else if (len >= 8) {
		memcpy(dst, s.at, 8);
		memcpy(dst + len - 8, s.at + len - 8, 8);
	} else {
		for (size_t i = 0; i < len; i++)
			dst[i] = s.at[i];
	}
	dst[len] = '\0';
}
_Static_assert(WEB_PATH_MAX <= 48 && WEB_QUERY_MAX <= 48 && WEB_AGENT_MAX <= 48, "in pieces");

uint8_t web_size_of(int64_t bytes)
{
	if (bytes < 0)
		return WEB_SIZE_UNTOLD;
	if (bytes < 4)
		return (uint8_t)bytes;
	unsigned doublings = 63 - (unsigned)__builtin_clzll((uint64_t)bytes);

	return (uint8_t)(4 * doublings - 4 + ((uint64_t)bytes >> (doublings - 2) & 3));
}

static void record_fill(struct web_record *w, const struct request *r, uint16_t marks)
{
	memcpy(w->client, r->client, sizeof(w->client));
	w->family = r->family;
	w->method = r->method;
	w->status = r->status;
	w->marks = marks;
	w->size = web_size_of(r->bytes);
	w->query_cut = r->query.len > WEB_QUERY_MAX;
	text_keep(w->path, sizeof(w->path), r->path);
	text_keep(w->query, sizeof(w->query), r->query);
	text_keep(w->agent, sizeof(w->agent), r->agent);
}

/* ---- counting ---- */

static uint64_t hash_span(const struct address_key *key, struct text_span s)
{
	return s.len > 0 ? text_hash(key, s.at, s.len) | 1 : 0; /* 0 means none */
}

static bool is_missing(uint16_t status)
{
	return status == 404 || status == 400 || status == 410;
}

struct web_facts web_facts_of(struct web_agents *agents, const struct address_key *key,
			      const struct request *r)
{
	struct web_agent *agent = web_agent_of(agents, key, r->agent);

	return (struct web_facts){address_hash(key, r->client, r->family),
				  web_marks_of(r, agent->marks), agent};
}

static void kinds_hash(uint64_t hash[WEB_KINDS], const struct address_key *key,
		       const struct request *r, const struct web_facts *facts)
{
	uint16_t marks = facts->marks;
	bool asset = marks & 1 << WEB_ASSET, malformed = marks & 1 << WEB_MALFORMED;

	memset(hash, 0, sizeof(*hash) * WEB_KINDS);
	hash[WEB_CLIENT] = facts->client | 1;
	hash[WEB_PATH] = hash_span(key, r->path);
	if (!asset && !malformed) {
		uint64_t query = hash_span(key, r->query);
		hash[WEB_TARGET] = web_target_of(hash[WEB_PATH], query);
		if (query != 0)
			hash[WEB_KEY] = hash_span(key, web_key_of(r));
		if (is_missing(r->status))
			hash[WEB_MISSING] = hash[WEB_PATH];
	}
}

static void sums_add(struct web_tick *t, const struct request *r, uint16_t marks)
{
	t->requests++;
	t->bytes += r->bytes > 0 ? (uint64_t)r->bytes : 0;
	t->classes[r->status < 600 ? r->status / 100 : 0]++;
	t->methods[r->method < REQUEST_METHODS ? r->method : REQUEST_OTHER]++;
	t->protocols[r->protocol <= REQUEST_ODD ? r->protocol : REQUEST_UNTOLD]++;
	if (r->status > 400)
		for (unsigned i = 0; i < WEB_STATUSES; i++)
			t->statuses[i] += r->status == apart[i];
	for (unsigned rest = marks; rest != 0; rest &= rest - 1)
		t->marks[__builtin_ctz(rest)]++;
	if (r->duration_us >= 0) {
		uint64_t ms = (uint64_t)r->duration_us / 1000;
		unsigned i = ms < 2 ? 0 : 63 - (unsigned)__builtin_clzll(ms);
		t->duration[i < WEB_DURATIONS ? i : WEB_DURATIONS - 1]++;
		t->timed++;
		t->busy_ms += ms < busy_ms_max ? ms : busy_ms_max;
	}
}

void web_add(struct web_tick *t, const struct address_key *key, const struct request *r,
	     const struct web_facts *facts, uint64_t random)
{
	uint16_t marks = facts->marks;
	uint64_t hash[WEB_KINDS];

	sums_add(t, r, marks);
	kinds_hash(hash, key, r, facts);
	hll_add(t->clients, WEB_CLIENTS_BITS, hash[WEB_CLIENT]);
	for (unsigned kind = WEB_PATH; kind <= WEB_MISSING; kind++)
		if (hash[kind] != 0)
			hll_add(t->others[kind - 1], WEB_OTHERS_BITS, hash[kind]);

	struct web_record *w = sample_place(t, (uint32_t)(random >> 32));
	if (w != NULL) {
		hash[WEB_AGENT] = facts->agent->hash;
		memcpy(w->hash, hash, sizeof(w->hash));
		record_fill(w, r, marks);
		sample_expect(t);
	}
}

/* ---- reading ---- */

/* In the sample. */
static uint32_t sample_distinct(const struct web_tick *t, enum web_kind kind)
{
	uint16_t slots[2 * WEB_SAMPLES] = {0}; /* index into the sample + 1; at most half full */
	uint32_t count = 0;

	for (uint32_t i = 0; i < t->sample_count; i++) {
		uint64_t hash = t->sample[i].hash[kind];
		size_t at = (hash >> 32) % WD_COUNT(slots);

		if (hash == 0)
			continue;
		while (slots[at] != 0 && t->sample[slots[at] - 1].hash[kind] != hash)
			at = (at + 1) % WD_COUNT(slots);
		count += slots[at] == 0;
		slots[at] = (uint16_t)(i + 1);
	}
	return count;
}

double web_distinct(const struct web_tick *t, enum web_kind kind)
{
	if (kind == WEB_AGENT || t->requests <= t->sample_count)
		return sample_distinct(t, kind);
	return kind == WEB_CLIENT ? hll_estimate(t->clients, WEB_CLIENTS_BITS)
				  : hll_estimate(t->others[kind - 1], WEB_OTHERS_BITS);
}
