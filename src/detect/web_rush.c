/* SPDX-License-Identifier: Apache-2.0 */
/* A rush: thousands of an app's clients that are woken at once (a push message) ask for one thing,
 * with one agent, without assets, as a flood does. But each asks once, is answered, and soon they
 * are done. Who floods asks again: n requests of c clients picked blindly are of c (1 - e^(-n/c))
 * different ones, so 1,500 clients give themselves away with their first thousand requests. */
#include "detect/web_inner.h"

#include <math.h>
#include <string.h>

static const float rises = 1.5F;         /* times usual: it counts to the rush, */
static const float begins = 1;           /* with so many decades of evidence */
static const float once = 1.3F;          /* requests a client; the registers err by 6.5 % */
static const uint32_t forget_s = 300;    /* without a rise: the next is another one */
static const uint32_t long_s = 40;       /* then it must be over its height, */
static const float declined = 0.6F;      /* with so much of it left, to be one still */
static const float refused_max = 0.1F;   /* of the answers: 4xx and 5xx */
static const float peak_gain = 0.3F;

void web_rush_idle(struct web_rush *r, int64_t seconds)
{
	int64_t quiet = seconds < forget_s ? (int64_t)r->quiet + seconds : forget_s;

	r->quiet = quiet < forget_s ? (uint32_t)quiet : forget_s;
	if (r->quiet >= forget_s)
		memset(r, 0, sizeof(*r));
}

void web_rush_step(struct web_rush *r, const struct web_seen *seen, const struct web_tick *t,
		   const struct web_judged *j)
{
	float per_s = (float)t->requests / seen->seconds;
	uint32_t seconds = (uint32_t)fminf(seen->seconds, (float)forget_s);

	if (per_s < rises * j->usual[WEB_S_REQUESTS] || j->a[WEB_S_REQUESTS] < begins) {
		web_rush_idle(r, seconds);
		return;
	}
	r->quiet = 0;
	r->seconds += r->seconds <= long_s ? seconds : 0;
	r->pages += (float)(t->requests - t->marks[WEB_ASSET]);
	r->refused += (float)(t->classes[4] + t->classes[5]);
	r->requests += (float)t->requests;
	r->now += peak_gain * (per_s - j->usual[WEB_S_REQUESTS] - r->now);
	r->peak = fmaxf(r->peak, r->now);
	hll_fold(r->clients, WEB_RUSH_BITS, t->clients, WEB_CLIENTS_BITS);
}

float web_rush_each(const struct web_rush *r)
{
	float clients = (float)hll_estimate(r->clients, WEB_RUSH_BITS);

	return clients > 0 ? r->pages / clients : 0;
}

bool web_rush_is(const struct web_rush *r)
{
	float clients = (float)hll_estimate(r->clients, WEB_RUSH_BITS);

	if (r->pages > once * clients || r->refused > refused_max * r->requests)
		return false;
	return r->seconds <= long_s || r->now <= declined * r->peak;
}
