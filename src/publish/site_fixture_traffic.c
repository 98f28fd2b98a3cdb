/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/site_fixture_traffic.h"

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
	snprintf(v->rule, sizeof(v->rule), "udp from 53, ttl 52-58");
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
	snprintf(t->not_mappable, sizeof(t->not_mappable),
		 "The source addresses are forged: they say nothing of where this came from.");
	add_vector(t, "syn.spoof", name != NULL ? name : "SYN flood, forged sources",
		   SOURCE_SPOOFED, 0.68f, 900000);
	add_vector(t, "amp.dns", "DNS amplification", SOURCE_REFLECTOR, 0.32f, 420000);
	add_place(t->countries, &t->country_count, "DE", 0.1f);
	add_place(t->countries, &t->country_count, "US", 0.3f);
	add_place(t->networks, &t->network_count, "AS64500", 0.2f);
	add_place(t->prefixes, &t->prefix_count, "192.0.2.0/24", 0.01f);
	add_place(t->sources_top, &t->source_count, "192.0.2.7", 0.002f);
	snprintf(t->links[0].incident, sizeof(t->links[0].incident), "%s", i->id);
	t->links[0].shared = 0.63f;
	t->link_count = 1;
	make_points(t);
	snprintf(t->evidence[t->evidence_count++], TRACE_TEXT_MAX,
		 "09:45:01.250 udp 192.0.2.7:53 > 198.51.100.7:4711, 1500 bytes, ttl 55");
	s->traces = calloc(1, sizeof(*s->traces));
	if (s->traces == NULL)
		abort();
	s->traces[0] = shared_trace_new(t);
	s->trace_count = s->traces[0] != NULL;
	free(t);
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
