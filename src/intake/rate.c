/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/rate.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdlib.h>

/* full_at: when the bucket is full again. What is past counts as full now. */
struct client { uint64_t key; int64_t full_at; };

struct rate {
	size_t set_mask;
	struct client *clients; /* RATE_WAYS a set */
	int64_t all_full_at;
	uint64_t forgotten;
};

enum wd_err rate_open(size_t clients, struct rate **ret_rate)
{
	size_t sets = 1;
	struct rate *r = calloc(1, sizeof(*r));

	WD_CHECK(clients > 0 && clients <= (size_t)1 << 28);
	while (sets * RATE_WAYS < clients)
		sets *= 2;
	if (r == NULL)
		return WD_NOMEM;
	r->set_mask = sets - 1;
	r->clients = calloc(sets * RATE_WAYS, sizeof(*r->clients));
	if (r->clients == NULL) {
		rate_close(r);
		return WD_NOMEM;
	}
	r->all_full_at = INT64_MIN;
	*ret_rate = r;
	return WD_OK;
}

void rate_close(struct rate *r)
{
	if (r == NULL)
		return;
	free(r->clients);
	free(r);
}

uint64_t rate_forgotten(const struct rate *r)
{
	return r->forgotten;
}

/* The client's place: its own, or else that of the one whose bucket is fullest. */
static struct client *find_client(struct rate *r, uint64_t key, int64_t now)
{
	struct client *set = &r->clients[(hash_mix(key) & r->set_mask) * RATE_WAYS];
	struct client *fullest = &set[0];
	for (size_t i = 0; i < RATE_WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].key == 0 || (fullest->key != 0 && set[i].full_at < fullest->full_at))
			fullest = &set[i];
	}
	r->forgotten += fullest->key != 0 && fullest->full_at > now;
	*fullest = (struct client){key, INT64_MIN};
	return fullest;
}

/* What one costs, in ns of filling. */
static double interval_ns(double per_s)
{
	return 1e9 / per_s;
}

/* How long until the bucket has something in it again: 0 if it has. */
static int64_t wait_ns(int64_t full_at, double per_s, double burst, int64_t now)
{
	double room = (burst < 1 ? 1 : burst) * interval_ns(per_s);
	double owed = full_at > now ? (double)(full_at - now) : 0;
	/* Half an interval of grace, or rounding would decide about the last of a burst. */
	double wait = owed - room + interval_ns(per_s) * 0.5;
	return wait > 0 ? (int64_t)wait + 1 : 0;
}

static int64_t paid(int64_t full_at, double per_s, uint32_t cost, int64_t now)
{
	double ns = interval_ns(per_s) * cost;
	int64_t from = full_at > now ? full_at : now;
	return ns < 1e18 && from < INT64_MAX - (int64_t)1e18 ? from + (int64_t)ns : from;
}

enum rate_verdict rate_take(struct rate *r, const struct rate_limits *limits, uint64_t client,
			    uint32_t cost, wd_mono now, uint32_t *ret_wait_s)
{
	struct client *c = NULL;
	int64_t wait = 0;
	enum rate_verdict verdict = RATE_PASSES;

	WD_CHECK(client != 0);
	if (limits->client_per_s > 0) {
		c = find_client(r, client, now.ns);
		wait = wait_ns(c->full_at, limits->client_per_s, limits->client_burst, now.ns);
		verdict = wait > 0 ? RATE_CLIENT_OVER : RATE_PASSES;
	}
	if (verdict == RATE_PASSES && limits->all_per_s > 0) {
		wait = wait_ns(r->all_full_at, limits->all_per_s, limits->all_per_s, now.ns);
		verdict = wait > 0 ? RATE_ALL_OVER : RATE_PASSES;
	}
	if (verdict != RATE_PASSES) {
		int64_t wait_s = (wait + WD_NS_PER_S - 1) / WD_NS_PER_S;
		*ret_wait_s = wait_s > 86400 ? 86400 : (uint32_t)wait_s;
		return verdict;
	}
	if (c != NULL)
		c->full_at = paid(c->full_at, limits->client_per_s, cost, now.ns);
	if (limits->all_per_s > 0)
		r->all_full_at = paid(r->all_full_at, limits->all_per_s, cost, now.ns);
	return RATE_PASSES;
}
