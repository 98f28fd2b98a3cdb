/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_trace.h"

#include "base/timetext.h"
#include "command/replay_text.h"
#include "publish/words_traffic.h"

#include <math.h>

enum { PLACES_SHOWN = 5 };
static const float SHARE_SHOWN = 0.01f; /* of the packets: less is not worth a line */

/* A line of its own begins: what it is of, in a column. */
static void line(struct buf *b, const char *what)
{
	buf_fmt(b, "  %-10s ", what);
}
static void go_on(struct buf *b)
{
	buf_fmt(b, "\n  %-10s ", "");
}

static void add_rates(struct buf *b, double packets, double bits)
{
	words_rate(b, packets, "packets/s");
	buf_str(b, ", ");
	words_rate(b, bits, "bit/s");
}

/* "10:30:15.250", with its date if that is another one than `before`'s. */
static void add_moment(struct buf *b, wd_wall t, wd_wall before)
{
	struct civil c = civil_of(t), d = civil_of(before);
	if (c.year != d.year || c.month != d.month || c.day != d.day)
		buf_fmt(b, "%04d-%02d-%02d ", c.year, c.month, c.day);
	buf_fmt(b, "%02d:%02d:%02d", c.hour, c.minute, c.second);
	int64_t ms = floor_div(t.ns, 1000000) % 1000;
	if (ms != 0)
		buf_fmt(b, ".%03d", (int)ms);
}

/* When, and how sure it is: the odds of a false alarm, or that a rule decided. */
static void add_decided(struct buf *b, const struct incident *i, const wd_wall *began_decided_ended,
			float log10_return, wd_span step, bool cold)
{
	wd_wall began = began_decided_ended[0], ended = began_decided_ended[2];
	line(b, "when");
	add_moment(b, began, i->began_at);
	if (ended.ns != 0) {
		buf_str(b, " to ");
		add_moment(b, ended, i->began_at);
		buf_str(b, " UTC (");
		words_seconds(b, wall_sub(ended, began));
		buf_str(b, ")");
	} else {
		buf_str(b, " UTC to the end of the recording");
	}
	buf_fmt(b, ", decided after %.2f s",
		(double)wall_sub(began_decided_ended[1], began).ns / 1e9);
	buf_char(b, '\n');
	line(b, "confidence");
	if (cold) {
		buf_str(b, "a fixed rule: too little was seen before to know what is usual, so no "
			   "odds\n");
		return;
	}
	buf_str(b, "what is usual does this ");
	words_odds(b, (double)log10_return, step);
	buf_char(b, '\n');
}

static void add_usual(struct buf *b, bool cold, bool any)
{
	buf_str(b, !cold ? "; usual " : any ? "; seen before " : "; nothing seen before");
}

static void add_traffic(struct buf *b, const struct incident *i)
{
	const struct incident_traffic *t = &i->traffic;
	bool any = t->usual_packets_per_s > 0;
	line(b, "traffic");
	buf_str(b, "peak ");
	add_rates(b, (double)t->peak_packets_per_s, (double)t->peak_bits_per_s);
	add_usual(b, t->cold, any);
	if (!t->cold || any)
		add_rates(b, (double)t->usual_packets_per_s, (double)t->usual_bits_per_s);
	buf_char(b, '\n');
	add_decided(b, i, (const wd_wall[]){t->began_at, t->decided_at, t->ended_at},
		    t->log10_return, (wd_span){WD_NS_PER_S / 4}, t->cold);
}

/* "Cache-busting HTTP flood (http.cachebust)" */
static void add_finding(struct buf *b, const char *id, const struct vector_book *book)
{
	const struct vector_row *row = book != NULL ? vector_book_find(book, id) : NULL;

	if (row != NULL) {
		replay_text_plain(b, row->name);
		buf_str(b, " (");
	}
	replay_text_plain(b, id);
	buf_str(b, row != NULL ? ")" : "");
}

static void add_requests(struct buf *b, const struct incident *i, const struct vector_book *book)
{
	const struct incident_requests *r = &i->requests;
	bool any = r->usual_requests_per_s > 0;
	line(b, "requests");
	buf_str(b, "peak ");
	words_rate(b, (double)r->peak_requests_per_s, "requests/s");
	add_usual(b, r->cold, any);
	if (!r->cold || any)
		words_rate(b, (double)r->usual_requests_per_s, "requests/s");
	buf_char(b, '\n');
	add_decided(b, i, (const wd_wall[]){r->began_at, r->decided_at, r->ended_at},
		    r->log10_return, span_s(1), r->cold);
	for (uint32_t n = 0; n < r->finding_count; n++) {
		line(b, "finding");
		add_finding(b, r->findings[n].id, book);
		buf_fmt(b, ", %.0f %% of the requests", 100 * (double)r->findings[n].share);
		if (r->why[n][0] != '\0') {
			go_on(b);
			replay_text_plain(b, r->why[n]);
		}
		buf_char(b, '\n');
	}
}

static void add_vector(struct buf *b, const struct trace_vector *v)
{
	line(b, "vector");
	replay_text_plain(b, v->name);
	buf_str(b, " (");
	replay_text_plain(b, v->id);
	buf_fmt(b, "), %.0f %% of the packets, peak ", 100 * (double)v->share);
	add_rates(b, v->peak_packets_per_s, v->peak_bits_per_s);
	go_on(b);
	if (v->sources >= 0) {
		buf_str(b, "from ");
		words_count(b, round(v->sources));
		bool one = v->sources < 1.5; /* so few are counted without an error */
		buf_str(b, one ? " address" : " addresses");
		if (v->sources >= 100)
			buf_fmt(b, " (± %.0f %%)", 196 * (double)v->sources_error);
		buf_str(b, ", which ");
		buf_str(b, one && v->status == SOURCE_UNKNOWN ? "may be real or forged"
							      : source_clause(v->status));
		go_on(b);
	}
	replay_text_plain(b, v->why);
	if (v->rule[0] != '\0') {
		go_on(b);
		buf_str(b, "looks like: ");
		replay_text_plain(b, v->rule);
	}
	buf_char(b, '\n');
}

/* Those that are worth a line: where no place has a share of its own, none does. */
static void add_places(struct buf *b, const char *what, const struct trace_place *places,
		       uint32_t count)
{
	uint32_t shown = 0;
	for (uint32_t n = 0; n < count && shown < PLACES_SHOWN; n++) {
		if (places[n].share < SHARE_SHOWN)
			continue;
		if (shown++ == 0)
			line(b, what);
		else
			buf_str(b, ", ");
		replay_text_plain(b, places[n].name);
		buf_fmt(b, " %.0f %%", 100 * (double)places[n].share);
	}
	if (shown > 0)
		buf_char(b, '\n');
}

static void add_patterns(struct buf *b, uint32_t patterns)
{
	static const struct { uint32_t bit; const char *text; } all[] = {
		{PATTERN_CARPET, "spread over many addresses of the service (carpet bombing)"},
		{PATTERN_PULSE, "on and off (pulse waves)"},
		{PATTERN_MULTI, "several vectors at one time"},
	};
	for (size_t n = 0; n < sizeof(all) / sizeof(all[0]); n++) {
		if ((patterns & all[n].bit) == 0)
			continue;
		line(b, "pattern");
		buf_fmt(b, "%s\n", all[n].text);
	}
}

static void add_trace(struct buf *b, const struct trace *t)
{
	if (t->packets > 0) {
		line(b, "received");
		words_count(b, round(t->packets));
		buf_str(b, " packets, ");
		words_rate(b, t->bytes * 8, "bit");
		buf_str(b, " in ");
		words_seconds(b, (wd_span){t->step.ns * t->point_count});
		buf_fmt(b, " to %u address%s", t->targets, t->targets == 1 ? "" : "es");
		if (t->sampling > 1)
			buf_fmt(b, "; one packet in %u was looked at", t->sampling);
		buf_char(b, '\n');
	}
	for (uint32_t n = 0; n < t->vector_count; n++)
		add_vector(b, &t->vectors[n]);
	add_patterns(b, t->patterns);
	if (t->vector_count > 0 && !t->mappable && t->not_mappable[0] != '\0') {
		line(b, "places");
		buf_str(b, "say nothing of who attacks: ");
		replay_text_plain(b, t->not_mappable);
		buf_char(b, '\n');
	}
	if (t->status == SOURCE_SPOOFED)
		return; /* a list of forged addresses is a list of nobody */
	add_places(b, "countries", t->countries, t->country_count);
	add_places(b, "networks", t->networks, t->network_count);
	add_places(b, "prefixes", t->prefixes, t->prefix_count);
	add_places(b, "addresses", t->sources_top, t->source_count);
}

void replay_text_trace(struct buf *b, const struct incident *i, const struct trace *trace,
		       const struct vector_book *book)
{
	if ((i->kinds & INCIDENT_TRAFFIC) != 0)
		add_traffic(b, i);
	if ((i->kinds & INCIDENT_REQUESTS) != 0)
		add_requests(b, i, book);
	if (trace != NULL)
		add_trace(b, trace);
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
	if (c.mended > 0)
		fprintf(out, ", %llu times out of order", (unsigned long long)c.mended);
	if (c.bad > 0)
		fprintf(out, ", %llu that cannot be read", (unsigned long long)c.bad);
	fputc('\n', out);
}
