/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood_names.h"

#include "detect/flood_inner.h"
#include "tally/query_name.h"

enum { ZONES = 64 };

static const uint32_t known_min = 512;   /* names, before what is new can be told */
static const uint32_t known_first = 256; /* … within a flood that other rules name */
static const uint32_t learned_min = 2400; /* ticks */
static const float new_share = 0.6F; /* of what is above usual; of a crowd half at most is new */
static const float new_first = 0.9F;     /* … where nothing was usual */
static const float usual_share = 0.5F;   /* from here on new names are usual */
static const float times_usual = 2;

/* Weights of the sampled records of the class. */
struct news { float all, named, top; uint32_t records; };

static bool is_named(const struct traffic_record *r)
{
	return r->protocol == 17 && r->dport == QUERY_NAME_PORT && r->sequence != 0;
}

/* Was the name not there? Now it is. */
static bool remember(struct flood_names *n, uint32_t name)
{
	uint8_t *tag = &n->tags[(name >> 9) % FLOOD_NAMES_TAGS];
	uint8_t now = (uint8_t)(name >> 1);
	bool is_new = *tag != now;

	*tag = now;
	n->known += n->known < known_min;
	return is_new;
}

static struct news look(struct flood_names *n, const struct traffic_tick *t, int c)
{
	float zones[ZONES] = {0};
	struct news news = {0};
	uint32_t count = t->sample_count < TRAFFIC_SAMPLES ? t->sample_count : TRAFFIC_SAMPLES;

	for (uint32_t i = 0; i < count; i++) {
		const struct traffic_record *r = &t->sample[i];
		double w = traffic_stands_for(t, r);

		if (r->class != c || !(w > 0 && w < 1e30))
			continue;
		news.records++;
		news.all += (float)w;
		if (!is_named(r))
			continue;
		news.named += (float)w;
		if (remember(n, r->sequence))
			zones[r->window % ZONES] += (float)w;
	}
	for (int i = 0; i < ZONES; i++)
		news.top = zones[i] > news.top ? zones[i] : news.top;
	return news;
}

/* Is what came more than usual of such names, and were they not usual? */
static bool is_flood(const struct flood_step *s, int c, float new_now)
{
	const struct flood_names *n = &s->f->names;
	float now = s->now[c].value[0], usual = s->f->class[c].rate[0].recent;
	float new_usual = n->meter.rate[0].recent, more = new_now - new_usual;

	if (more < s->plan->meter.floor[0] * 0.5F || new_now < times_usual * new_usual)
		return false;
	if (n->ticks < learned_min)
		return n->known >= known_first && new_now >= new_first * now;
	if (n->known < known_min) /* after a restart */
		return false;
	return new_usual <= usual_share * usual && more >= new_share * (now - usual);
}

void flood_names_step(struct flood_step *s, int c, bool learn, bool runs,
		      struct flood_names_reading *ret)
{
	struct flood_names *n = &s->f->names;
	struct flood_meter_reading r;

	*ret = (struct flood_names_reading){0};
	if (s->tick == NULL)
		return; /* no names are no news: nothing is learned of quiet */
	struct news news = look(n, s->tick, c);
	if (news.named <= 0)
		return;
	float packets = s->now[c].value[0];
	const float value[METER_RATES] = {packets * (news.top / news.all), 0};
	ret->named = is_flood(s, c, value[0]);
	if (n->known < known_min || (n->ticks < learned_min && runs))
		return;
	struct flood_meter_sample m = flood_meter_sample(s, value);
	float each = packets / (float)news.records; /* that a record of the sample stands for */
	m.error[0] = each / (value[0] + each);
	m.ticks = n->ticks;
	m.learn = learn;
	m.slow = true;
	flood_meter_step(&n->meter, &s->plan->meter, &m, &r);
	n->ticks += learn && n->ticks < UINT32_MAX;
	float seen = s->f->class_seen[c] * (news.top / news.all);
	if (n->ticks < learned_min || !r.above[0] || seen < (float)s->plan->seen_min)
		return;
	ret->above = true;
	ret->log10_return = ret->named ? r.log10_return : 0;
}
