/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_limit.h"

#include "base/check.h"
#include "base/hash.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8 };

/* Tokens in thousandths, so that slow rates need no fractions. */
struct bucket {
	uint64_t at_ms;
	uint64_t milli;
};

struct entry {
	uint8_t key[16];
	uint32_t connections, streams;
	struct bucket bucket;
};

struct http_limit {
	struct http_limit_options o;
	struct hash_key key;
	pthread_mutex_t lock;
	uint32_t connections, streams;
	struct bucket bucket;
	uint32_t set_count;
	struct entry *entries; /* set_count sets of WAYS */
};

/* The burst: two seconds' worth. */
static uint64_t bucket_size(uint32_t per_s)
{
	return (uint64_t)per_s * 2000;
}

static void bucket_fill(struct bucket *b, uint32_t per_s, uint64_t now_ms)
{
	uint64_t size = bucket_size(per_s);
	uint64_t passed_ms = now_ms > b->at_ms ? now_ms - b->at_ms : 0;

	b->at_ms = now_ms;
	if (passed_ms >= 2000 || b->milli + passed_ms * per_s >= size)
		b->milli = size;
	else
		b->milli += passed_ms * per_s;
}

enum wd_err http_limit_open(const struct http_limit_options *o, struct http_limit **ret_limit)
{
	struct http_limit *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return WD_NOMEM;
	l->o = *o;
	randombytes_buf(&l->key, sizeof(l->key));
	/* Four entries a connection keep sets from filling while most clients hold one. */
	l->set_count = 64;
	while (l->set_count * WAYS < o->connections_max * 4 && l->set_count < 1u << 20)
		l->set_count *= 2;
	l->entries = calloc((size_t)l->set_count * WAYS, sizeof(*l->entries));
	if (l->entries == NULL) {
		free(l);
		return WD_NOMEM;
	}
	l->bucket.milli = bucket_size(o->accepts_per_s_max);
	pthread_mutex_init(&l->lock, NULL);
	*ret_limit = l;
	return WD_OK;
}

void http_limit_close(struct http_limit *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l->entries);
	free(l);
}

/* The entry of that key, or a new one; NULL when all sixteen of its two sets hold connections
 * (with one set, a crowd of single connections would fill some set by chance). An entry that
 * holds none is the first to go, the longest unused first: what is forgotten is how fast it
 * came, and only while more addresses come than the table has room for. */
static struct entry *entry_find(struct http_limit *l, const uint8_t key[16], uint64_t now_ms)
{
	uint64_t hash = hash_bytes(&l->key, key, 16);
	struct entry *sets[] = {&l->entries[(hash & (l->set_count - 1)) * WAYS],
				&l->entries[(hash >> 32 & (l->set_count - 1)) * WAYS]};
	struct entry *idle = NULL;

	for (size_t i = 0; i < 2 * (size_t)WAYS; i++) {
		struct entry *e = &sets[i / WAYS][i % WAYS];
		if (memcmp(e->key, key, 16) == 0 && e->bucket.at_ms != 0)
			return e;
		if (e->connections == 0 && (idle == NULL || e->bucket.at_ms < idle->bucket.at_ms))
			idle = e;
	}
	if (idle == NULL)
		return NULL;
	*idle = (struct entry){
		.bucket = {.at_ms = now_ms,
			   .milli = bucket_size(l->o.accepts_per_address_per_s_max)}};
	memcpy(idle->key, key, 16);
	return idle;
}

static enum http_limit_verdict connect_locked(struct http_limit *l, const struct http_address *from,
					      bool exempt, uint64_t now_ms, uint32_t *ret_entry)
{
	struct entry *e = NULL;
	uint8_t key[16];

	if (l->connections >= l->o.connections_max)
		return LIMIT_FULL;
	bucket_fill(&l->bucket, l->o.accepts_per_s_max, now_ms);
	if (!exempt) {
		memcpy(key, from->bytes, 16);
		if (!http_address_is_v4(from))
			memset(key + 8, 0, 8);
		e = entry_find(l, key, now_ms);
		if (e == NULL || e->connections >= l->o.connections_per_address_max)
			return LIMIT_ADDRESS;
		bucket_fill(&e->bucket, l->o.accepts_per_address_per_s_max, now_ms);
		if (e->bucket.milli < 1000)
			return LIMIT_RATE;
	}
	if (l->bucket.milli < 1000)
		return LIMIT_RATE;
	l->bucket.milli -= 1000;
	l->connections++;
	*ret_entry = LIMIT_EXEMPT;
	if (e != NULL) {
		e->bucket.milli -= 1000;
		e->connections++;
		*ret_entry = (uint32_t)(e - l->entries);
	}
	return LIMIT_OK;
}

enum http_limit_verdict http_limit_connect(struct http_limit *l, const struct http_address *from,
					   bool exempt, uint64_t now_ms, uint32_t *ret_entry)
{
	enum http_limit_verdict verdict;

	pthread_mutex_lock(&l->lock);
	verdict = connect_locked(l, from, exempt, now_ms, ret_entry);
	pthread_mutex_unlock(&l->lock);
	return verdict;
}

void http_limit_disconnect(struct http_limit *l, uint32_t entry)
{
	pthread_mutex_lock(&l->lock);
	WD_CHECK(l->connections > 0);
	l->connections--;
	if (entry != LIMIT_EXEMPT) {
		WD_CHECK(l->entries[entry].connections > 0);
		l->entries[entry].connections--;
	}
	pthread_mutex_unlock(&l->lock);
}

enum http_limit_verdict http_limit_stream(struct http_limit *l, uint32_t entry)
{
	enum http_limit_verdict verdict = LIMIT_OK;

	pthread_mutex_lock(&l->lock);
	if (l->streams >= l->o.streams_max)
		verdict = LIMIT_FULL;
	else if (entry != LIMIT_EXEMPT &&
		 l->entries[entry].streams >= l->o.streams_per_address_max)
		verdict = LIMIT_ADDRESS;
	if (verdict == LIMIT_OK) {
		l->streams++;
		if (entry != LIMIT_EXEMPT)
			l->entries[entry].streams++;
	}
	pthread_mutex_unlock(&l->lock);
	return verdict;
}

void http_limit_stream_end(struct http_limit *l, uint32_t entry)
{
	pthread_mutex_lock(&l->lock);
	WD_CHECK(l->streams > 0);
	l->streams--;
	if (entry != LIMIT_EXEMPT) {
		WD_CHECK(l->entries[entry].streams > 0);
		l->entries[entry].streams--;
	}
	pthread_mutex_unlock(&l->lock);
}
