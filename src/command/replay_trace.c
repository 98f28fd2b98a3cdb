/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_trace.h"

enum { PLACES_SHOWN = 5 };

/* Names come from files and from the network: nothing of them may move the terminal. */
static void add_plain(struct buf *b, const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		buf_char(b, (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p);
}

/* "12.3 M" */
static void add_scaled(struct buf *b, double x)
{
	static const char *const units[] = {"", " k", " M", " G", " T"};
	size_t unit = 0;
	while (x >= 9999.5 && unit < 4) {
		x /= 1000;
		unit++;
	}
	buf_fmt(b, x < 99.95 && unit > 0 ? "%.1f%s" : "%.0f%s", x, units[unit]);
}

static void add_rates(struct buf *b, double packets, double bits)
{
	add_scaled(b, packets);
	buf_str(b, " packets/s, ");
	add_scaled(b, bits);
	buf_str(b, "bit/s");
}

static void add_took(struct buf *b, wd_wall began, wd_wall decided)
{
	buf_fmt(b, "decided after %.2f s\n", (double)wall_sub(decided, began).ns / 1e9);
}

static void add_traffic(struct buf *b, const struct incident_traffic *t)
{
	buf_str(b, "  traffic: peak ");
	add_rates(b, (double)t->peak_packets_per_s, (double)t->peak_bits_per_s);
	buf_str(b, ", usual ");
	add_rates(b, (double)t->usual_packets_per_s, (double)t->usual_bits_per_s);
	buf_str(b, "; ");
	add_took(b, t->began_at, t->decided_at);
}

static void add_requests(struct buf *b, const struct incident_requests *r)
{
	buf_str(b, "  requests: peak ");
	add_scaled(b, (double)r->peak_requests_per_s);
	buf_str(b, "/s, usual ");
	add_scaled(b, (double)r->usual_requests_per_s);
	buf_str(b, "/s; ");
	add_took(b, r->began_at, r->decided_at);
	for (uint32_t n = 0; n < r->finding_count; n++) {
		buf_str(b, "    ");
		add_plain(b, r->findings[n].id);
		buf_fmt(b, " %.0f %%\n", 100 * (double)r->findings[n].share);
	}
}

static void add_vector(struct buf *b, const struct trace_vector *v)
{
	buf_str(b, "    ");
	add_plain(b, v->id);
	buf_fmt(b, " (");
	add_plain(b, v->name);
	buf_fmt(b, ") %.0f %% of the packets, ", 100 * (double)v->share);
	add_rates(b, v->peak_packets_per_s, v->peak_bits_per_s);
	if (v->sources >= 0) {
		buf_str(b, ", ");
		add_scaled(b, v->sources);
		buf_fmt(b, " sources (± %.1f %%)", 100 * (double)v->sources_error);
	}
	buf_fmt(b, "\n      sources %s: ", source_status_name(v->status));
	add_plain(b, v->why);
	if (v->rule[0] != '\0') {
		buf_str(b, "\n      rule: ");
		add_plain(b, v->rule);
	}
	buf_char(b, '\n');
}

static void add_places(struct buf *b, const char *what, const struct trace_place *places,
		       uint32_t count)
{
	if (count == 0)
		return;
	buf_fmt(b, "    %s:", what);
	for (uint32_t n = 0; n < count && n < PLACES_SHOWN; n++) {
		buf_str(b, n == 0 ? " " : ", ");
		add_plain(b, places[n].name);
		buf_fmt(b, " %.0f %%", 100 * (double)places[n].share);
	}
	buf_char(b, '\n');
}

static void add_patterns(struct buf *b, uint32_t patterns)
{
	if ((patterns & PATTERN_CARPET) != 0)
		buf_str(b, "    carpet: spread over a prefix\n");
	if ((patterns & PATTERN_PULSE) != 0)
		buf_str(b, "    pulse: on and off\n");
	if ((patterns & PATTERN_MULTI) != 0)
		buf_str(b, "    multi: several vectors at one time\n");
}

static void add_trace(struct buf *b, const struct trace *t)
{
	buf_str(b, "    ");
	add_scaled(b, t->packets);
	buf_str(b, " packets, ");
	add_scaled(b, t->bytes);
	buf_fmt(b, "B to %u address%s", t->targets, t->targets == 1 ? "" : "es");
	if (t->sampling > 1)
		buf_fmt(b, ", sampled 1:%u", t->sampling);
	buf_char(b, '\n');
	for (uint32_t n = 0; n < t->vector_count; n++)
		add_vector(b, &t->vectors[n]);
	add_patterns(b, t->patterns);
	if (!t->mappable && t->not_mappable[0] != '\0') {
		buf_str(b, "    not on a map: ");
		add_plain(b, t->not_mappable);
		buf_char(b, '\n');
	}
	add_places(b, "countries", t->countries, t->country_count);
	add_places(b, "networks", t->networks, t->network_count);
	add_places(b, "prefixes", t->prefixes, t->prefix_count);
	add_places(b, "sources", t->sources_top, t->source_count);
}

void replay_text_trace(struct buf *b, const struct incident *i, const struct trace *trace)
{
	if ((i->kinds & INCIDENT_TRAFFIC) != 0)
		add_traffic(b, &i->traffic);
	if (trace != NULL)
		add_trace(b, trace);
	if ((i->kinds & INCIDENT_REQUESTS) != 0)
		add_requests(b, &i->requests);
}

void replay_json_incident(struct buf *b, const struct incident *i, const struct trace *trace)
{
	incident_to_json(b, i);
	if (trace != NULL && !b->bad && b->len > 0) {
		b->len--; /* the object's own brace */
		buf_str(b, ",\"trace\":");
		trace_to_json(b, trace);
		buf_char(b, '}');
	}
	buf_char(b, '\n');
}

void replay_text_input(FILE *out, const char *path, const struct traffic_input *in)
{
	struct traffic_input_counts c = traffic_input_count(in);
	bool log = traffic_input_is_log(in);

	fprintf(out, "  %s: %s, ", path, traffic_input_kind(in));
	if (c.packets > 0)
		fprintf(out, "%llu packets, ", (unsigned long long)c.packets);
	fprintf(out, "%llu %s", (unsigned long long)c.records, log ? "requests" : "flows");
	if (c.outside > 0)
		fprintf(out, ", %llu outside of the time asked for", (unsigned long long)c.outside);
	if (c.elsewhere > 0)
		fprintf(out, ", %llu %s", (unsigned long long)c.elsewhere,
			log ? "lines of other kinds" : "packets beside them");
	if (c.bad > 0)
		fprintf(out, ", %llu that cannot be read", (unsigned long long)c.bad);
	fputc('\n', out);
}
