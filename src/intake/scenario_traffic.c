/* SPDX-License-Identifier: Apache-2.0 */
/* What "traffic of" and "attack on" say: the packets of a service, and of what is sent at it. */
#include "intake/scenario_inner.h"

#include "base/check.h"
#include "intake/traffic_recipe.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void say_addresses(struct reader *r)
{
	const char *what = "here stands a prefix, like: addresses 198.51.100.0/28";
	struct scenario_traffic *t = r->traffic;
	char text[64];
	double length;

	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	prose_copy(&r->p, prose_take(&r->p), text, sizeof(text), what);
	if (r->p.err != WD_OK)
		return;
	char *slash = strchr(text, '/');
	if (slash != NULL)
		*slash = '\0';
	t->family = strchr(text, ':') != NULL ? 6 : 4;
	unsigned bits = t->family == 4 ? 32 : 128;
	if (inet_pton(t->family == 4 ? AF_INET : AF_INET6, text, t->address) != 1) {
		prose_fail_at(&r->p, WD_MALFORMED, at, what);
		return;
	}
	length = bits;
	if (slash != NULL &&
	    (!slice_number((struct slice){slash + 1, strlen(slash + 1)}, &length) ||
	     length > bits || length != (double)(unsigned)length)) {
		prose_fail_at(&r->p, WD_MALFORMED, at, what);
		return;
	}
	t->prefix_len = (uint8_t)length;
}

static double take_packets(struct reader *r, const char *what)
{
	double rate = prose_take_number(&r->p, SCENARIO_PACKETS_MAX, what);
	if (!prose_take_if(&r->p, "packet"))
		prose_expect(&r->p, "packets", what);
	prose_expect(&r->p, "a", what);
	prose_expect(&r->p, "second", what);
	if (r->p.err == WD_OK && rate <= 0)
		prose_fail(&r->p, what);
	return rate;
}

static void say_usually(struct reader *r)
{
	r->traffic->packets_per_s = take_packets(
		r, "here stands a rate of at most 10000000, like: usually 2000 packets a second");
}

static uint32_t take_count(struct reader *r, const char *thing, const char *things,
			   const char *what)
{
	double n = prose_take_number(&r->p, 100000000, what);
	if (!prose_take_if(&r->p, thing))
		prose_expect(&r->p, things, what);
	if (r->p.err == WD_OK && (n < 1 || n != (double)(uint32_t)n))
		prose_fail(&r->p, what);
	return r->p.err == WD_OK ? (uint32_t)n : 0;
}

static void say_clients(struct reader *r)
{
	r->traffic->clients = take_count(r, "client", "clients",
					 "here stands how many, like: from 500 clients");
}

static void say_vector(struct reader *r)
{
	const char *what = "here stands a vector that can be simulated, like: vector amp.dns "
			   "(docs/replay.md lists them)";
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	prose_copy(&r->p, prose_take(&r->p), r->attack->vector, sizeof(r->attack->vector), what);
	if (r->p.err == WD_OK && recipe_find(r->attack->vector) == NULL)
		prose_fail_at(&r->p, WD_UNKNOWN, at, what);
}

static void say_peaks(struct reader *r)
{
	const char *what = "here stands a peak, like: peaks at 200000 packets a second";
	prose_expect(&r->p, "at", what);
	r->attack->packets_per_s = take_packets(r, what);
}

static void say_sources(struct reader *r)
{
	r->attack->sources = take_count(r, "source", "sources",
					"here stands how many, like: from 3000 sources");
}

static void say_targets(struct reader *r)
{
	r->attack->targets = take_count(r, "address", "addresses",
					"here stands how many of its addresses are hit, like: on "
					"200 addresses");
}

static const struct statement of_traffic[] = {
	{"addresses", say_addresses}, {"usually", say_usually}, {"from", say_clients}};
const struct statements traffic_statements = {of_traffic, WD_COUNT(of_traffic)};

static const struct statement of_attack[] = {
	{"vector", say_vector},       {"begins", surge_say_begins}, {"rises", surge_say_rises},
	{"stays", surge_say_stays},   {"falls", surge_say_falls},   {"repeats", surge_say_repeats},
	{"peaks", say_peaks},         {"from", say_sources},        {"on", say_targets},
};
const struct statements attack_statements = {of_attack, WD_COUNT(of_attack)};

static const struct scenario_traffic *find_traffic(const struct scenario *s, const char *service)
{
	for (size_t n = 0; n < s->traffic_count; n++) {
		if (strcmp(s->traffics[n].service, service) == 0)
			return &s->traffics[n];
	}
	return NULL;
}

void traffic_begin(struct reader *r)
{
	struct scenario *s = r->s;
	char service[SERVICE_ID_MAX + 1] = "";
	prose_expect(&r->p, "of", "here stands: of, and the service's id, like: traffic of x");
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	scenario_take_service(r, service);
	if (r->p.err == WD_OK && find_traffic(s, service) != NULL)
		prose_fail_at(&r->p, WD_MALFORMED, at, "this service's traffic stands above");
	if (r->p.err != WD_OK)
		return;
	struct scenario_traffic *more =
		scenario_grow(r, s->traffics, s->traffic_count, sizeof(*more));
	if (more == NULL)
		return;
	s->traffics = more;
	r->traffic = &more[s->traffic_count++];
	snprintf(r->traffic->service, sizeof(r->traffic->service), "%s", service);
	r->traffic->clients = 1000;
}

void attack_begin(struct reader *r)
{
	struct scenario *s = r->s;
	char service[SERVICE_ID_MAX + 1] = "";
	prose_expect(&r->p, "on", "here stands: on, and the service's id, like: attack on x");
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	scenario_take_service(r, service);
	if (r->p.err == WD_OK && find_traffic(s, service) == NULL)
		prose_fail_at(&r->p, WD_UNKNOWN, at,
			      "of this service no traffic stands above, like: traffic of x");
	if (r->p.err != WD_OK)
		return;
	struct attack *more = scenario_grow(r, s->attacks, s->attack_count, sizeof(*more));
	if (more == NULL)
		return;
	s->attacks = more;
	r->attack = &more[s->attack_count++];
	r->surge = &r->attack->shape;
	r->surge->repeats = 1;
	r->surge->begins.ns = INT64_MIN;
	snprintf(r->attack->service, sizeof(r->attack->service), "%s", service);
}

void traffic_end(struct reader *r)
{
	if (r->traffic != NULL && r->traffic->family == 0)
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this lacks its addresses, like: addresses 198.51.100.0/28");
	if (r->traffic != NULL && r->traffic->packets_per_s <= 0)
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this lacks its rate, like: usually 2000 packets a second");
	if (r->attack != NULL && r->attack->vector[0] == '\0')
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this lacks its vector, like: vector amp.dns");
	if (r->attack != NULL && r->attack->packets_per_s <= 0)
		prose_fail_at(&r->p, WD_MALFORMED, r->block_at,
			      "this lacks its peak, like: peaks at 200000 packets a second");
}
