/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/site_fixture.h"

#include "publish/site_fixture_traffic.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/timetext.h"
#include "store/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What people said about X, the latest first: the last is as hostile as a text can be. */
static void fixture_comments(void *ctx, const struct comment_window *window,
			     void (*each)(void *each_ctx, const struct comment *c), void *each_ctx)
{
	static const struct {
		int minutes_ago;
		const char *surface, *problem, *country, *text;
	} said[] = {
		{4, "app", "itdoesnotload", "GB",
		 "Timeline is empty since ten to four. The website works."},
		{11, "website", "", "", "\xd9\x84\xd8\xa7 \xd9\x8a\xd8\xb9\xd9\x85\xd9\x84 (502)"},
		{35, "", "", "US",
		 "Posting fails with \"Something went wrong\". Reading is fine.\nPittsburgh"},
		{50, "fax", "<b>", "",
		 FIXTURE_HOSTILE_NAME "\xe2\x80\x8b" /* zero width */
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				      "aaaaaaaaaaaaaaaaaaaaaaaa"},
	};
	wd_wall now = civil_to_wall(&(struct civil){2025, 3, 10, 15, 37, 20});
	(void)ctx;
	for (size_t i = 0; i < WD_COUNT(said) && strcmp(window->service, "x") == 0; i++) {
		struct comment c = {
			.number = (int64_t)i + 1,
			.at = wall_back(now, span_s(said[i].minutes_ago * 60)),
			.status = COMMENT_PUBLISHED,
			.service = "x",
			.surface = said[i].surface,
			.problem = said[i].problem,
			.country = said[i].country,
			.text = said[i].text,
		};
		if (!wall_before(c.at, window->from) && wall_before(c.at, window->to) &&
		    i < window->limit)
			each(each_ctx, &c);
	}
}

/* Of each incident: as it was opened, one that cannot be read, and as it is. */
static void fixture_versions(void *ctx, const struct store_versions *which,
			     void (*each)(void *, const struct store_version *), void *each_ctx)
{
	struct incident i = {.state = INCIDENT_OPEN, .step = span_s(60), .peak_observed = 12,
			     .peak_expected = 2, .log10_return = 8, .reports_log10_return = 8,
			     .wave_count = 1};
	wd_wall at = civil_to_wall(&(struct civil){2025, 3, 10, 9, 52, 0});
	(void)ctx;
	snprintf(i.id, sizeof(i.id), "%s", which->incident);
	snprintf(i.service, sizeof(i.service), "x");
	for (uint32_t n = 1; n <= FIXTURE_VERSIONS; n++) {
		struct buf json;
		i.decided_at = at;
		i.began_at = i.peak_at = i.waves[0].began_at = wall_back(at, span_s(420));
		if (n == FIXTURE_VERSIONS) {
			i.state = INCIDENT_CLOSED;
			i.ended_at = i.waves[0].ended_at = wall_add(at, span_s(3600));
		}
		buf_init(&json, 1 << 16);
		incident_to_json(&json, &i);
		struct store_version v = {
			n, wall_add(at, span_s(60 * n)),
			n == 1 ? "opened" : n == FIXTURE_VERSIONS ? "closed" : "changed",
			n == 2 ? "{\"v\":99}" : json.data};
		if (n > which->after && n <= which->after + which->limit)
			each(each_ctx, &v);
		buf_done(&json);
		i.peak_observed += 3;
	}
}

static struct reconstruction fixture_made = {
	.scenario = "x-2025-03-10",
	.title = "X, 10 March 2025: three waves",
	.began_at = {1741598700 * WD_NS_PER_S}, /* 09:25 */
	.ended_at = {1741632600 * WD_NS_PER_S},
	.sources = {
		{"times", "https://www.times.example/x?a=1&b='2'", "over 40,000 & <b>more</b>"},
		{"bad", "javascript:alert(1)", "what no reader of scenarios lets through"},
	},
	.source_count = 2,
	.assumed = {"the <i>usual</i> rate"},
	.assumed_count = 1,
};
static const struct reconstructions fixture_reconstructions = {&fixture_made, 1};

const struct site fixture_site = {
	.reconstructions = &fixture_reconstructions,
	.name = "whydown",
	.base_url = "https://whydown.example",
	.contact = "desk@whydown.example",
	.measured = "",
	.incident_versions = fixture_versions,
	.comments = fixture_comments,
};

/* Name, usual reports in 5 minutes at the busiest time of day. */
static const struct {
	const char *name, *category;
	float usual;
} kinds[] = {
	{"X", "social", 40},
	{"Barclays", "bank", 3},
	{"Adobe Creative Cloud", "software", 2},
	{"Airbnb", "travel", 1},
	{"Akamai", "hosting", 1},
	{"Amazon", "shop", 6},
	{"Apple Music", "media", 2},
	{"AT&T", "telecom", 9},
	{"AWS", "hosting", 4},
	{"Azure", "hosting", 3},
	{"Bank of America", "bank", 4},
	{"BBC iPlayer", "media", 3},
	{"Bluesky", "social", 1},
	{"BT", "telecom", 5},
	{"Canva", "software", 1},
	{"Chase", "bank", 3},
	{"ChatGPT", "software", 8},
	{"Cloudflare", "hosting", 2},
	{"Discord", "social", 6},
	{"Disney+", "media", 3},
	{"Dropbox", "software", 1},
	{"EA", "game", 3},
	{"eBay", "shop", 2},
	{"EE", "telecom", 4},
	{"Epic Games", "game", 3},
	{"Facebook", "social", 9},
	{"Fortnite", "game", 7},
	{"GitHub", "software", 2},
	{"Gmail", "mail", 3},
	{"Google", "search", 5},
};

static uint64_t next(uint64_t *seed)
{
	*seed += UINT64_C(0x9e3779b97f4a7c15);
	return hash_mix(*seed);
}

/* Knuth's method for small means, a rounded normal for large ones. */
static float poisson(uint64_t *seed, double mean)
{
	if (mean > 50) {
		double sum = 0;
		for (int i = 0; i < 12; i++)
			sum += (double)(next(seed) >> 11) / 9007199254740992.0;
		return (float)fmax(0, round(mean + (sum - 6) * sqrt(mean)));
	}
	double limit = exp(-mean), product = 1;
	int n = -1;
	do {
		product *= (double)(next(seed) >> 11) / 9007199254740992.0;
		n++;
	} while (product > limit);
	return (float)n;
}

static char *copy(const char *text)
{
	char *s = strdup(text);
	WD_CHECK(s != NULL);
	return s;
}

static void *room(size_t count, size_t size)
{
	void *p = calloc(count, size);
	WD_CHECK(p != NULL);
	return p;
}

static char *id_of(const char *name, size_t index)
{
	char id[SERVICE_ID_MAX + 1];
	size_t len = 0;
	for (const char *p = name; *p != '\0' && len < sizeof(id) - 8; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			id[len++] = c;
	}
	if (len == 0)
		len = (size_t)snprintf(id, sizeof(id), "s%zu", index);
	id[len] = '\0';
	return copy(id);
}

static struct term *terms(const char *const *names, size_t count)
{
	struct term *t = room(count, sizeof(*t));
	for (size_t i = 0; i < count; i++)
		t[i] = (struct term){id_of(names[i], i), copy(names[i])};
	return t;
}

static struct text_list list_of(const char *text)
{
	struct text_list list = {room(1, sizeof(char *)), 1};
	list.items[0] = copy(text);
	return list;
}

static struct catalogue *make_catalogue(enum fixture which, size_t count)
{
	static const char *const surfaces[] = {"App", "Website", "Server connection", "Login"};
	static const char *const problems[] = {"It does not load", "I cannot log in",
					       "Messages fail", "It is slow", "Something else"};
	struct service *services = room(count + 1, sizeof(*services));
	struct catalogue *c = NULL;
	struct wd_why why = {0};

	for (size_t i = 0; i < count; i++) {
		struct service *s = &services[i];
		char name[SERVICE_NAME_MAX];
		if (i < WD_COUNT(kinds))
			snprintf(name, sizeof(name), "%s", kinds[i].name);
		else
			snprintf(name, sizeof(name), "%s %zu", kinds[i % WD_COUNT(kinds)].name,
				 i / WD_COUNT(kinds) + 1);
		s->id = id_of(name, i);
		s->name = copy(which == FIXTURE_HOSTILE && i == 0 ? FIXTURE_HOSTILE_NAME : name);
		s->category = copy(kinds[i % WD_COUNT(kinds)].category);
		if (i == 0)
			s->aliases =
				list_of(which == FIXTURE_HOSTILE ? "<b>\"Twitter'&" : "Twitter");
		s->surfaces = terms(surfaces, WD_COUNT(surfaces));
		s->surface_count = WD_COUNT(surfaces);
		s->problems = terms(problems, WD_COUNT(problems));
		s->problem_count = WD_COUNT(problems);
		if (which == FIXTURE_HOSTILE && i == 0) {
			free(s->surfaces[0].name);
			s->surfaces[0].name = copy("<img src=x onerror=alert(1)>\"");
		}
		s->links = room(1, sizeof(*s->links));
		s->links[0] = (struct link){copy("Status page"),
					    copy("https://status.example/?a=1&b=\"2\"")};
		s->link_count = 1;
		if (i < 2)
			s->relies_on = list_of("cloudflare");
		s->zone = room(1, sizeof(*s->zone));
		snprintf(s->zone->name, sizeof(s->zone->name), "UTC");
	}
	enum wd_err err = catalogue_open(services, count, &c, &why);
	if (err != WD_OK)
		fprintf(stderr, "fixture: %s at %u\n", why.what, why.at);
	WD_CHECK(err == WD_OK);
	return c;
}

/* How many times usual X is at t: three waves. */
static double surge(wd_wall t, wd_wall began)
{
	static const struct {
		double from, to, height;
	} waves[] = {
		{0, 50, 20}, {95, 210, 42}, {300, 400, 30}, /* minutes after the begin */
	};
	double minutes = (double)wall_sub(t, began).ns / 60e9, times = 1;
	for (size_t i = 0; i < WD_COUNT(waves); i++) {
		double into = minutes - waves[i].from, left = waves[i].to - minutes;
		if (into > 0 && left > 0)
			times += waves[i].height * fmin(1, into / 12) * fmin(1, left / 25);
	}
	return times;
}

struct shape {
	double usual;
	wd_wall incident_began;
	double extra_last;
	uint64_t seed;
};

static struct series make_series(wd_wall now, wd_span step, size_t count, const struct shape *shape)
{
	int64_t begin = now.ns - now.ns % step.ns - step.ns * (int64_t)(count - 1);
	struct series s = {{begin}, step, count, room(count, sizeof(struct point))};
	uint64_t seed = shape->seed;
	double scale = (double)step.ns / 300e9;

	for (size_t i = 0; i < count; i++) {
		wd_wall t = wall_add(s.begin, (wd_span){step.ns * (int64_t)i});
		double hours = (double)(wall_to_s(t) % 86400) / 3600;
		double mean = shape->usual * scale * (0.62 + 0.38 * sin((hours - 9) * M_PI / 12));
		double spread = 2.6 * sqrt(mean + 0.01 * mean * mean);
		double times = shape->incident_began.ns != 0 ? surge(t, shape->incident_began) : 1;
		double part = i + 1 == count ? (double)(now.ns % step.ns) / (double)step.ns : 1;
		if (i + 3 >= count)
			times += shape->extra_last;
		s.points[i] =
			(struct point){poisson(&seed, mean * times * part), (float)mean,
				       (float)fmax(0, mean - spread), (float)(mean + spread + 0.5)};
	}
	if (count > 100) /* a gap: the feed was off for a while */
		for (size_t i = 40; i < 44; i++)
			s.points[i].observed = -1;
	return s;
}

static void add_share(struct service_state *s, enum dimension d, const char *value, double observed,
		      bool significant)
{
	struct share *share = &s->shares[s->share_count++];
	share->dimension = d;
	snprintf(share->value, sizeof(share->value), "%s", value);
	share->observed_24h = (float)observed;
	share->significant = significant;
	share->log10_return = significant ? 9 : 0.4f;
}

static void make_shares(struct service_state *s, enum fixture which, bool down)
{
	double all = 0;
	for (size_t i = 0; i < s->day.count; i++)
		all += fmax(0, s->day.points[i].observed);
	s->shares = room(24, sizeof(*s->shares));
	add_share(s, DIMENSION_SURFACE, "app", all * .56, down);
	add_share(s, DIMENSION_SURFACE, "website", all * .33, down);
	add_share(s, DIMENSION_SURFACE, "serverconnection", all * .11, down);
	add_share(s, DIMENSION_PROBLEM, "itdoesnotload", all * .61, down);
	add_share(s, DIMENSION_PROBLEM, "icannotlogin", all * .2, false);
	add_share(s, DIMENSION_COUNTRY, "US", all * .48, down);
	add_share(s, DIMENSION_COUNTRY, "GB", all * .27, down);
	add_share(s, DIMENSION_COUNTRY, "DE", all * .08, false);
	add_share(s, DIMENSION_CITY, which == FIXTURE_HOSTILE ? "GB/<i>London\"" : "GB/London",
		  all * .09, down);
	add_share(s, DIMENSION_CITY, "GB/Birmingham", all * .04, down);
	add_share(s, DIMENSION_CITY, "US/New York", all * .04, false);
	add_share(s, DIMENSION_CITY, "US/Los Angeles", all * .03, false);
	add_share(s, DIMENSION_NETWORK, "AS2856", all * .05, false);
	add_share(s, DIMENSION_NETWORK, "AS7922", all * .05, false);
}

static struct service_state *make_state(enum fixture which, const struct service *service,
					size_t index, wd_wall now, wd_wall began)
{
	struct service_state *s = room(1, sizeof(*s));
	bool down = index == 0 && (which == FIXTURE_INCIDENT || which == FIXTURE_HOSTILE);
	bool seen = which != FIXTURE_NEW && index != 5;
	struct shape shape = {
		.usual = kinds[index % WD_COUNT(kinds)].usual,
		.incident_began = down ? began : (wd_wall){0},
		.extra_last = index == 7 && which == FIXTURE_INCIDENT ? 2.4 : 0,
		.seed = index * 77 + 5,
	};

	s->service = service;
	s->incident = SIZE_MAX;
	s->references = 1;
	s->version = index + 1;
	if (!seen)
		return s;
	if (index == 0)
		fixture_watched(s, now);
	if (index <= 1)
		fixture_clients(s, now, which == FIXTURE_HOSTILE ? "<b" : "DE");
	s->first_seen_at = wall_back(now, span_s(100 * 86400));
	s->last_seen_at = wall_back(now, span_s(20));
	s->status = STATUS_USUAL;
	s->day = make_series(now, span_s(300), 288, &shape);
	s->week = make_series(now, span_s(3600), 168, &shape);
	s->quarter = make_series(now, span_s(21600), 360, &shape);
	struct point last = s->day.points[s->day.count - 2];
	s->observed_now = last.observed;
	s->expected_now = last.expected;
	s->low_now = last.low;
	s->high_now = last.high;
	make_shares(s, which, down);
	if (down) {
		s->status = STATUS_INCIDENT;
		s->incident = 0;
		s->log10_return = 14;
	} else if (shape.extra_last > 0) {
		s->status = STATUS_UNUSUAL;
		s->log10_return = 3.1f;
	} else if (index == 9 && which == FIXTURE_INCIDENT) {
		s->status = STATUS_UNUSUAL;
		snprintf(s->coordinated.service, sizeof(s->coordinated.service), "%s", service->id);
		s->coordinated.began_at = wall_back(now, span_s(1500));
		s->coordinated.last_at = wall_back(now, span_s(60));
		s->coordinated.observed = 240;
		s->coordinated.expected = 4;
		s->coordinated.persons = 3;
		s->coordinated.networks = 1;
		snprintf(s->coordinated.top_network, sizeof(s->coordinated.top_network), "AS64500");
		s->coordinated.top_share = 1;
	}
	return s;
}

static void add_scope(struct incident *i, enum dimension d, const char *value, float observed,
		      float expected)
{
	struct scope *s = &i->scopes[i->scope_count++];
	*s = (struct scope){
		.dimension = d, .observed = observed, .expected = expected, .log10_return = 11};
	snprintf(s->value, sizeof(s->value), "%s", value);
}

static void add_wave(struct incident *i, int from, int peak, int to, float observed)
{
	i->waves[i->wave_count++] = (struct wave){
		.began_at = wall_add(i->began_at, span_s(from * 60)),
		.decided_at = wall_add(i->began_at, span_s(from * 60 + 120)),
		.peak_at = wall_add(i->began_at, span_s(peak * 60)),
		.ended_at = to > 0 ? wall_add(i->began_at, span_s(to * 60)) : (wd_wall){0},
		.peak_observed = observed,
		.peak_expected = 40,
	};
}

static void make_open_incident(struct incident *i, const struct service *s, wd_wall now,
			       wd_wall began)
{
	snprintf(i->id, sizeof(i->id), "%s-20250310-0945", s->id);
	snprintf(i->service, sizeof(i->service), "%s", s->id);
	i->state = INCIDENT_OPEN;
	i->reconstruction = true;
	snprintf(i->scenario, sizeof(i->scenario), "x-2025-03-10");
	i->step = span_s(300);
	i->began_at = began;
	i->decided_at = wall_add(began, span_s(120));
	i->changed_at = wall_back(now, span_s(30));
	i->peak_at = wall_add(began, span_s(130 * 60));
	i->peak_observed = 1712;
	i->peak_expected = 40;
	i->excess = 61234;
	i->severity = 34;
	i->log10_return = i->reports_log10_return = 14.2f;
	i->log10_return_decided = 6.1f;
	i->persons = 52100;
	i->networks = 812;
	add_wave(i, 0, 20, 50, 840);
	add_wave(i, 95, 130, 210, 1712);
	add_wave(i, 300, 350, 0, 1220);
	add_scope(i, DIMENSION_SURFACE, "app", 34291, 900);
	add_scope(i, DIMENSION_SURFACE, "website", 20207, 500);
	add_scope(i, DIMENSION_PROBLEM, "itdoesnotload", 37352, 820);
	add_scope(i, DIMENSION_COUNTRY, "US", 29392, 800);
	add_scope(i, DIMENSION_COUNTRY, "GB", 16533, 300);
	add_scope(i, DIMENSION_CITY, "GB/London", 5511, 90);
	add_scope(i, DIMENSION_CITY, "GB/Birmingham", 2449, 40);
	snprintf(i->related[0].id, sizeof(i->related[0].id), "cloudflare-20250310-0951");
	i->related[0].relation = RELATION_SPILLOVER;
	i->related_count = 1;
}

static void make_past_incident(struct incident *i, const struct service *s, wd_wall began, size_t n,
			       uint64_t *seed)
{
	struct civil c = civil_of(began);
	snprintf(i->id, sizeof(i->id), "%s-%04d%02d%02d-%02d%02d", s->id, c.year, c.month, c.day,
		 c.hour, c.minute);
	snprintf(i->service, sizeof(i->service), "%s", s->id);
	i->state = INCIDENT_CLOSED;
	i->step = span_s(60);
	i->began_at = began;
	i->decided_at = wall_add(began, span_s(180));
	i->ended_at = wall_add(began, span_s(600 + (int64_t)(next(seed) % 20000)));
	i->changed_at = i->ended_at;
	i->peak_at = wall_add(began, span_s(400));
	i->peak_observed = 20 + (float)(next(seed) % 300);
	i->peak_expected = 2 + (float)(n % 5);
	i->severity = (float)(next(seed) % 30) + 0.5f;
	i->log10_return = i->reports_log10_return = 7;
	i->log10_return_decided = 5.5f;
	add_wave(i, 0, 7, (int)(wall_sub(i->ended_at, began).ns / 60000000000), i->peak_observed);
	add_scope(i, DIMENSION_SURFACE, "app", 300, 20);
}

static void release_incidents(struct incident_list *list)
{
	free(list);
}

static void make_incidents(struct snapshot *s, enum fixture which, wd_wall began)
{
	uint64_t seed = 11;
	bool down = which == FIXTURE_INCIDENT || which == FIXTURE_HOSTILE;

	s->incidents = room(48, sizeof(*s->incidents));
	s->incident_owner = (struct incident_list *)s->incidents;
	s->incident_release = release_incidents;
	if (which == FIXTURE_NEW || which == FIXTURE_EMPTY)
		return;
	if (down)
		make_open_incident(&s->incidents[s->incident_count++], s->services[0]->service,
				   s->now, began);
	/* Cloudflare's, an hour's spillover of the first. */
	struct incident *other = &s->incidents[s->incident_count++];
	make_past_incident(other, s->services[17]->service, wall_add(began, span_s(360)), 1, &seed);
	other->ended_at = wall_add(other->began_at, span_s(3600));
	other->waves[0].ended_at = other->ended_at;
	fixture_traffic(s, other, which == FIXTURE_HOSTILE ? FIXTURE_HOSTILE_NAME : NULL);
	fixture_watched(s->services[17], s->now);
	for (size_t n = 0; n < 40; n++) {
		size_t who = n % 3 == 0 ? 0 : next(&seed) % s->service_count;
		make_past_incident(&s->incidents[s->incident_count++], s->services[who]->service,
				   wall_back(began, span_s(86400 * 3 * (int64_t)(n + 1) +
							   (int64_t)(next(&seed) % 70000))),
				   n, &seed);
	}
	fixture_proved(s, &s->incidents[6]);
}

struct snapshot *fixture_snapshot(enum fixture which)
{
	struct snapshot *s = room(1, sizeof(*s));
	wd_wall began = civil_to_wall(&(struct civil){2025, 3, 10, 9, 45, 0});
	size_t count = which == FIXTURE_EMPTY ? 0 : 100;

	s->version = 7;
	s->references = 1;
	s->now = civil_to_wall(&(struct civil){2025, 3, 10, 15, 37, 20});
	s->since = civil_to_wall(&(struct civil){2024, 11, 1, 0, 0, 0});
	s->catalogue = make_catalogue(which, count);
	s->services = room(count + 1, sizeof(*s->services));
	for (size_t i = 0; i < count; i++)
		s->services[i] = make_state(which, catalogue_at(s->catalogue, i), i, s->now, began);
	s->service_count = count;
	make_incidents(s, which, began);
	s->book = fixture_book(which == FIXTURE_HOSTILE ? FIXTURE_HOSTILE_NAME : NULL);
	s->budget = (struct budget_stated){4800, 1, 8.3};
	s->counters = (struct engine_counters){
		.observations = 123456, .reports = 120000, .signals = 4800, .untraced = 3};
	return s;
}
