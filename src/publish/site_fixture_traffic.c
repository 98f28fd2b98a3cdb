/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/site_fixture_traffic.h"
#include "publish/site_fixture.h"

#include "model/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_vector(struct trace *t, const char *id, const char *name, enum source_status status,
		       float share, double packets)
{
	struct trace_vector *v = &t->vectors[t->vector_count++];
	snprintf(v->id, sizeof(v->id), "%s", id);
	snprintf(v->name, sizeof(v->name), "%s", name);
	snprintf(v->why, sizeof(v->why), "made up for a test: %s", name);
	snprintf(v->rule, sizeof(v->rule), "%s", name[0] == '<' ? name : "udp from 53, ttl 52-58");
	v->first_at = wall_add(t->begin, span_s(share > 0.5f ? 0 : 280));
	v->last_at = wall_add(t->begin, span_s(780));
	v->fingerprint = 0x1d2c3b4a59687766;
	v->status = status;
	v->share = share;
	v->packets = packets;
	v->bytes = packets * 900;
	v->peak_packets_per_s = packets / 60;
	v->peak_bits_per_s = packets / 60 * 7200;
	v->seen = 5000;
	v->sources = 3120;
	v->sources_error = 0.033f;
	v->octet_entropy = 7.7f;
	v->hop_entropy = -1;
	v->new_share = 0.63f;
}

static void add_place(struct trace_place *p, uint32_t *count, const char *name, float share)
{
	struct trace_place *place = &p[(*count)++];
	snprintf(place->name, sizeof(place->name), "%s", name);
	place->share = share;
	place->share_error = 0.01f;
	place->packets = share * 1e6;
	place->sources = 100;
}

static void make_points(struct trace *t)
{
	t->step = span_s(10);
	t->begin = wall_back(t->begin, span_s(120));
	for (uint32_t n = 0; n < 120; n++) {
		struct trace_point *p = &t->points[t->point_count++];
		bool on = n >= 12 && n < 90;
		p->usual_packets_per_s = 2000;
		p->usual_bits_per_s = 1.2e7f;
		p->packets_per_s = 2000 + (on ? 22000 + 50 * (float)(n % 13) : 0);
		p->bits_per_s = p->packets_per_s * 6000;
		p->records_per_s = p->packets_per_s / 3;
		p->sources = on ? 21000 : 400;
		p->vector_packets_per_s[0] = on ? 15000 : 0;
		p->vector_packets_per_s[1] = on && n > 40 ? 7000 : 0;
		p->vector_bits_per_s[0] = p->vector_packets_per_s[0] * 320;
		p->vector_bits_per_s[1] = p->vector_packets_per_s[1] * 8000;
	}
}

/* Ten minutes of which nothing stands out, after a pause. */
static void make_before(struct trace *t)
{
	t->before.step = span_s(10);
	t->before.begin = wall_back(t->begin, span_s(700));
	for (uint32_t n = 0; n < 70; n++) {
		struct trace_before_point *p = &t->before.points[t->before.count++];
		*p = (struct trace_before_point){-1, -1, -1, -1, -1, -1};
		if (n >= 5 && n < 10)
			continue;
		p->packets_per_s = 1900 + (float)(n % 7) * 40;
		p->bits_per_s = p->packets_per_s * 6000;
		p->records_per_s = p->packets_per_s / 3;
		p->usual_packets_per_s = 2000;
		p->usual_bits_per_s = 1.2e7f;
	}
}

static void fill_places(struct trace *t, const char *name)
{
	add_place(t->countries, &t->country_count, name != NULL ? name : "DE", 0.1f);
	add_place(t->countries, &t->country_count, "US", 0.3f);
	add_place(t->networks, &t->network_count, name != NULL ? name : "AS64500", 0.2f);
	add_place(t->prefixes, &t->prefix_count, name != NULL ? name : "192.0.2.0/24", 0.01f);
	add_place(t->sources_top, &t->source_count, name != NULL ? name : "192.0.2.7", 0.002f);
}

/* The snapshot takes a copy; t is freed. */
static void add_trace(struct snapshot *s, struct trace *t)
{
	if (s->traces == NULL)
		s->traces = calloc(4, sizeof(*s->traces));
	if (s->traces == NULL)
		abort();
	s->traces[s->trace_count] = shared_trace_new(t);
	s->trace_count += s->traces[s->trace_count] != NULL;
	free(t);
}

void fixture_traffic(struct snapshot *s, struct incident *i, const char *name)
{
	struct trace *t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	i->kinds = INCIDENT_REPORTS | INCIDENT_TRAFFIC;
	i->traffic.began_at = i->began_at;
	i->traffic.peak_at = i->peak_at;
	i->traffic.peak_packets_per_s = 24600;
	i->traffic.usual_packets_per_s = 2000;
	i->traffic.peak_bits_per_s = 1.4e8f;
	i->traffic.log10_return = 12;
	i->traffic.status = SOURCE_SPOOFED;
	i->traffic.decided_at = wall_add(i->began_at, (wd_span){WD_NS_PER_S / 2});
	i->decided_at = i->traffic.decided_at;
	i->traffic.ended_at = wall_add(i->began_at, span_s(780));
	i->traffic.vector_count = 2;
	snprintf(i->traffic.vectors[0].id, sizeof(i->traffic.vectors[0].id), "syn.spoof");
	i->traffic.vectors[0].share = 0.68f;
	snprintf(i->traffic.vectors[1].id, sizeof(i->traffic.vectors[1].id), "amp.dns");
	i->traffic.vectors[1].share = 0.32f;
	snprintf(t->incident, sizeof(t->incident), "%s", i->id);
	t->begin = i->began_at;
	t->status = SOURCE_SPOOFED;
	t->sampling = 1000;
	t->packets = 1e6;
	t->bytes = 9e8;
	t->sources = 21000;
	t->sources_error = 0.023f;
	t->targets = 3;
	t->patterns = PATTERN_MULTI;
	snprintf(t->not_mappable, sizeof(t->not_mappable), "%s",
		 name != NULL ? name : "the source addresses are forged and prove nothing");
	add_vector(t, "syn.spoof", name != NULL ? name : "SYN flood, forged sources",
		   SOURCE_SPOOFED, 0.68f, 900000);
	add_vector(t, "amp.dns", "DNS amplification", SOURCE_REFLECTOR, 0.32f, 420000);
	fill_places(t, name);
	snprintf(t->links[0].incident, sizeof(t->links[0].incident), "%s",
		 name != NULL ? name : i->id);
	t->links[0].shared = 0.63f;
	t->links[0].fingerprint = true;
	t->link_count = 1;
	make_points(t);
	make_before(t);
	snprintf(t->evidence[t->evidence_count++], TRACE_TEXT_MAX, "%s",
		 name != NULL ? name : "2025-03-10T09:45:01.250Z 192.0.2.7:53 > 198.51.100.7:4711 "
				       "udp length 1500 ttl 55");
	add_trace(s, t);
}

/* Of machines that completed handshakes; only what fixed rules say, as its service is new. */
void fixture_proved(struct snapshot *s, struct incident *i)
{
	struct trace *t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	snprintf(i->id, sizeof(i->id), "%s", FIXTURE_PROVED);
	snprintf(i->service, sizeof(i->service), "att");
	i->kinds = INCIDENT_TRAFFIC | INCIDENT_REQUESTS;
	i->peak_observed = i->peak_expected = i->waves[0].peak_observed = 0;
	i->scope_count = 0;
	i->traffic = (struct incident_traffic){
		.began_at = i->began_at, .decided_at = i->decided_at, .ended_at = i->ended_at,
		.peak_at = i->peak_at, .peak_packets_per_s = 31000, .peak_bits_per_s = 9e7f,
		.log10_return = 12, .cold = true, .status = SOURCE_PROVED, .vector_count = 1};
	snprintf(i->traffic.vectors[0].id, sizeof(i->traffic.vectors[0].id), "syn.real");
	i->traffic.vectors[0].share = 0.9f;
	i->requests = (struct incident_requests){
		.began_at = i->began_at, .decided_at = i->decided_at, .ended_at = i->ended_at,
		.peak_at = i->peak_at, .peak_requests_per_s = 2100, .usual_requests_per_s = 40,
		.log10_return = 9, .finding_count = 1};
	snprintf(i->requests.findings[0].id, sizeof(i->requests.findings[0].id), "http.cachebust");
	i->requests.findings[0].share = 0.95f;
	snprintf(i->requests.why[0], sizeof(i->requests.why[0]),
		 "2100/s (usual 40.0) of 300 clients; no two alike; 95 %% for /<b>search</b>");
	snprintf(t->incident, sizeof(t->incident), "%s", i->id);
	t->begin = i->began_at;
	t->status = SOURCE_PROVED;
	t->mappable = true;
	t->sampling = 1;
	t->packets = 2e6;
	t->sources = 512;
	t->sources_error = 0.016f;
	t->targets = 1;
	add_vector(t, "syn.real", "SYN flood of real machines", SOURCE_PROVED, 0.9f, 1.8e6);
	fill_places(t, NULL);
	make_points(t);
	for (uint32_t n = 0; n < t->point_count; n++)
		t->points[n].requests_per_s = n >= 12 && n < 90 ? 2000 : 40;
	add_trace(s, t);
}

/* A few rows, so that names and documents can be shown. */
static void add_row(struct vector_book *b, const char *id, const char *name, const char *source,
		    enum vector_family family)
{
	struct vector_row *r = &b->rows[b->count++];
	snprintf(r->id, sizeof(r->id), "%s", id);
	snprintf(r->name, sizeof(r->name), "%s", name);
	snprintf(r->source, sizeof(r->source), "%s", source);
	snprintf(r->date, sizeof(r->date), "2014-01-17");
	r->family = family;
	r->unverified = family == VECTOR_APPLICATION;
}

const struct vector_book *fixture_book(const char *name)
{
	static struct vector_book plain, hostile;
	struct vector_book *b = name != NULL ? &hostile : &plain;
	b->count = 0;
	add_row(b, "syn.spoof", name != NULL ? name : "SYN flood with forged sources",
		name != NULL ? name : "RFC 4987, TCP SYN Flooding Attacks", VECTOR_FLOOD);
	add_row(b, "syn.real", "SYN flood of real machines", "RFC 4987", VECTOR_FLOOD);
	add_row(b, "amp.dns", "DNS amplification", "US-CERT alert TA14-017A",
		VECTOR_AMPLIFICATION);
	add_row(b, "http.cachebust", name != NULL ? name : "Cache-busting HTTP flood",
		"Cloudflare's documentation", VECTOR_APPLICATION);
	return b;
}

static void make_series(struct series *series, wd_wall end, wd_span step, size_t count, float level)
{
	series->step = step;
	series->count = count;
	series->begin = wall_back(end, (wd_span){step.ns * (int64_t)count});
	series->points = calloc(count, sizeof(*series->points));
	if (series->points == NULL)
		abort();
	for (size_t n = 0; n < count; n++)
		series->points[n] = (struct point){level + (float)(n % 17), level, level - 20,
						   level + 20};
}

void fixture_watched(struct service_state *s, wd_wall now)
{
	struct traffic_state *t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	t->flows_at = t->requests_at = now;
	t->learned = span_s(86400);
	t->requests_learned = span_s(86400);
	t->packets_per_s = 24000;
	t->usual_packets_per_s = 2000;
	t->bits_per_s = 1.4e8f;
	t->usual_bits_per_s = 1.2e7f;
	t->records_per_s = 900;
	t->requests_per_s = 40;
	t->usual_requests_per_s = 38;
	snprintf(t->top.id, sizeof(t->top.id), "syn.spoof");
	t->top.share = 0.7f;
	make_series(&t->day_packets, now, span_s(300), 288, 2000);
	make_series(&t->day_bits, now, span_s(300), 288, 1.2e7f);
	make_series(&t->day_requests, now, span_s(300), 288, 40);
	make_series(&t->recent_packets, now, span_s(1), 300, 2000);
	make_series(&t->recent_bits, now, span_s(1), 300, 1.2e7f);
	make_series(&t->recent_requests, now, span_s(1), 300, 40);
	s->traffic = t;
}

void fixture_clients(struct service_state *s, wd_wall now, const char *country)
{
	const struct client_note notes[] = {
		{.kind = CLIENT_PROBE, .family = 4, .client = {203, 0, 113, 77}, .network = 64500,
		 .requests = 31, .missing = 20, .marked = 11},
		{.kind = CLIENT_LOGIN, .family = 6, .client = {0x20, 1, 0xd, 0xb8}, .requests = 40},
		{.kind = CLIENT_HAMMER, .many = true, .queries = true, .requests = 1700},
		/* A part of what many did: not told again. */
		{.kind = CLIENT_HAMMER, .family = 4, .client = {203, 0, 113, 78}, .requests = 900},
	};
	const size_t count = sizeof(notes) / sizeof(*notes);
	struct client_notes *c = malloc(sizeof(*c) + sizeof(notes));

	if (c == NULL)
		abort();
	*c = (struct client_notes){.references = 1, .more = 3, .count = count};
	memcpy(c->notes, notes, sizeof(notes));
	for (size_t i = 0; i < count; i++) {
		c->notes[i].began = wall_back(now, span_s(900 + (int64_t)i));
		c->notes[i].last = wall_back(now, span_s(60 + (int64_t)i));
	}
	memcpy(c->notes[0].country, country, 3);
	s->clients = c;
}
