/* SPDX-License-Identifier: Apache-2.0 */
/* Guesses at passwords, of many requests: refused sign-ins, and others where clients have several a
 * second. Whole offices sign in at nine, and are answered as a guess is: by the page that comes
 * then, or with the form again. And many programs send their password only when they are asked for
 * it. */
#include "detect/web_inner.h"

#include <math.h>
#include <string.h>

/* Requests a second and client; so many are answered for one that was refused. */
static const float sign_ins_min = 1.4F, guesses_min = 2, let_in_max = 0.25F;

static bool is_sure(const struct web_record *r)
{
	return r->status >= 400 || strstr(r->path, ".php") != NULL; /* WordPress answers 200 */
}

/* How many of the tick's they are; 0 where a client has fewer than that a second. */
static float repeated(const struct web_tick *t, const struct web_picked *p, float each_min)
{
	struct web_variety clients = web_variety_of(p, WEB_CLIENT);
	float share = (float)p->count / fmaxf((float)t->sample_count, 1);
	float all = share * (float)t->requests;
	/* Beyond the sample: at least their share of all clients. */
	float different = t->requests > t->sample_count ? share * (float)web_distinct(t, WEB_CLIENT)
							: (float)clients.different;

	return all >= each_min * different ? all : 0;
}

/* Of those that were refused some time in this second: how many requests were answered? */
static uint32_t let_in(const struct web_picked *pages, const struct web_picked *refused)
{
	enum { BITS = 4096 };
	uint64_t clients[BITS / 64] = {0};
	uint32_t count = 0;

	for (uint32_t i = 0; i < refused->count; i++) {
		uint64_t hash = refused->all[i]->hash[WEB_CLIENT] >> 32;
		clients[hash % BITS / 64] |= UINT64_C(1) << hash % 64;
	}
	for (uint32_t i = 0; i < pages->count; i++) {
		uint64_t hash = pages->all[i]->hash[WEB_CLIENT] >> 32;
		count += pages->all[i]->status < 400 &&
			 (clients[hash % BITS / 64] >> hash % 64 & 1);
	}
	return count;
}

float web_guesses(const struct web_tick *t, const struct web_picked *pages)
{
	struct web_picked sure, perhaps, refused;

	if (t->marks[WEB_LOGIN] + t->statuses[WEB_401] == 0)
		return 0;
	sure.count = perhaps.count = refused.count = 0;
	for (uint32_t i = 0; i < pages->count; i++) {
		const struct web_record *r = pages->all[i];
		bool login = r->marks & 1 << WEB_LOGIN;
		web_pick(&sure, r, login && is_sure(r));
		web_pick(&perhaps, r, login && !is_sure(r));
		web_pick(&refused, r, r->status == 401);
	}
	float sign_ins = repeated(t, &sure, 0) + repeated(t, &perhaps, sign_ins_min);
	bool are_let_in = (float)let_in(pages, &refused) > let_in_max * (float)refused.count;

	return fmaxf(sign_ins, are_let_in ? 0 : repeated(t, &refused, guesses_min));
}
