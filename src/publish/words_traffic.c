/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/words_traffic.h"

#include <math.h>
#include <string.h>

#define TICK_NS (WD_NS_PER_S / 4) /* of traffic: tally/traffic.h */
/* Seconds after which a rate is not "now" any more. */
enum { STALE_S = 60 };

/* ---- names ---- */

/* A class has the name of its plain row: the first without signs of its own. */
const struct vector_row *vector_row_of(const struct snapshot *snapshot, const char *id)
{
	const struct vector_book *book = snapshot->book;
	const struct vector_row *any = NULL;

	if (book == NULL || id[0] == '\0')
		return NULL;
	const struct vector_row *row = vector_book_find(book, id);
	for (uint32_t n = 0; row == NULL && n < book->count; n++) {
		const struct vector_row *r = &book->rows[n];
		if (strcmp(r->class, id) != 0)
			continue;
		any = any != NULL ? any : r;
		if (r->signs == 0 && r->payload_len == 0)
			row = r;
	}
	return row != NULL ? row : any;
}

void words_vector(const struct words *w, const struct snapshot *snapshot, const char *id)
{
	const struct vector_row *row = vector_row_of(snapshot, id);
	words_text(w, row != NULL ? row->name : id);
}

void words_parts(const struct words *w, const struct snapshot *snapshot, const struct part *parts,
		 uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		words_text(w, n == 0 ? "" : n + 1 == count ? " and " : ", ");
		words_vector(w, snapshot, parts[n].id);
		buf_fmt(w->out, " (%.0f %%)", (double)parts[n].share * 100);
	}
}

void words_main_vector(const struct words *w, const struct snapshot *snapshot,
		       const struct incident *i)
{
	uint32_t kinds = incident_kinds(i);
	if (kinds & INCIDENT_TRAFFIC && i->traffic.vector_count > 0)
		words_vector(w, snapshot, i->traffic.vectors[0].id);
	else if (kinds & INCIDENT_REQUESTS && i->requests.finding_count > 0)
		words_vector(w, snapshot, i->requests.findings[0].id);
}

const char *source_word(enum source_status s)
{
	switch (s) {
	case SOURCE_REFLECTOR: return "reflectors";
	case SOURCE_SPOOFED: return "forged";
	case SOURCE_PROVED: return "proved";
	default: return "unknown";
	}
}

const char *source_clause(enum source_status s)
{
	switch (s) {
	case SOURCE_REFLECTOR:
		return "are those of abused third parties: whoever attacks is elsewhere";
	case SOURCE_SPOOFED: return "are forged: they prove nothing";
	case SOURCE_PROVED:
		return "are proved by handshake: these machines took part, which is no person and "
		       "no country";
	default: return "may be real or forged: not enough was seen to tell";
	}
}

void words_attack(const struct words *w, const struct snapshot *snapshot,
		  const struct incident *i)
{
	const struct incident_traffic *t = &i->traffic;
	const struct incident_requests *q = &i->requests;
	bool traffic = incident_kinds(i) & INCIDENT_TRAFFIC && t->vector_count > 0;

	if (traffic) {
		words_text(w, "Traffic: ");
		words_parts(w, snapshot, t->vectors, t->vector_count);
		words_text(w, t->vector_count > 1 ? "; the source addresses of the first "
						  : "; its source addresses ");
		words_text(w, source_clause(t->status));
		words_text(w, ".");
	}
	if (incident_kinds(i) & INCIDENT_REQUESTS && q->finding_count > 0) {
		words_text(w, traffic ? " Requests: " : "Requests: ");
		words_parts(w, snapshot, q->findings, q->finding_count);
		words_text(w, ".");
	}
}

void words_missing(const struct words *w, wd_wall since, bool partly)
{
	words_text(w, partly ? "A part of its telemetry is missing since "
			     : "No telemetry of its traffic since ");
	words_second(w, since);
}

void words_silence(const struct words *w, const struct incident *i)
{
	const struct incident_traffic *t = &i->traffic;
	const struct incident_requests *q = &i->requests;
	bool traffic = incident_kinds(i) & INCIDENT_TRAFFIC && t->silent_since.ns != 0;

	if (traffic) {
		words_missing(w, t->silent_since, t->silent_partly);
		words_text(w, t->silent_partly	    ? ": there may be more than was seen."
			      : t->ended_at.ns == 0 ? ": whether it goes on is not known."
						    : ": when it ended is not known.");
	}
	if (incident_kinds(i) & INCIDENT_REQUESTS && q->silent_since.ns != 0) {
		words_text(w, traffic ? " No line of its access log since "
				      : "No line of its access log since ");
		words_second(w, q->silent_since);
		words_text(w, q->ended_at.ns == 0 ? ": whether requests go on is not known."
						  : ": when requests ended is not known.");
	}
}

/* ---- numbers ---- */

void words_seconds(struct buf *b, wd_span d)
{
	int64_t seconds = (d.ns + WD_NS_PER_S / 2) / WD_NS_PER_S;
	if (seconds < 1)
		buf_str(b, "under a second");
	else if (seconds < 120)
		buf_fmt(b, "%lld s", (long long)seconds);
	else
		words_span(b, d);
}

/* What is usual is only said of what was watched for long enough. */
static void where_usual(const struct words *w, double usual, bool cold)
{
	if (cold && usual <= 0) {
		words_text(w, ", the first that was seen of it");
		return;
	}
	words_text(w, " where ");
	words_count(w->out, usual);
	words_text(w, cold ? " was seen before" : " is usual");
}

void words_traffic_peak(const struct words *w, const struct incident_traffic *t)
{
	words_rate(w->out, (double)t->peak_packets_per_s, "packets/s");
	words_text(w, " (");
	words_rate(w->out, (double)t->peak_bits_per_s, "bit/s");
	words_text(w, ")");
	where_usual(w, (double)t->usual_packets_per_s, t->cold);
}

void words_requests_peak(const struct words *w, const struct incident_requests *q)
{
	words_rate(w->out, (double)q->peak_requests_per_s, "requests/s");
	where_usual(w, (double)q->usual_requests_per_s, q->cold);
}

/* ---- odds ---- */

/* "; normal traffic does this once in 3 years" */
static void odds_of(const struct words *w, const char *before, const char *what,
		    float log10_return, wd_span step)
{
	words_text(w, before);
	words_text(w, what);
	words_odds(w->out, (double)log10_return, step);
}

static void by_rule(const struct words *w, const char *what)
{
	words_text(w, "No odds can be stated for its ");
	words_text(w, what);
	words_text(w, ": it had not been watched for long enough to know what is usual, so a "
		      "fixed rule decided.");
}

void words_incident_odds(const struct words *w, const struct incident *i)
{
	uint32_t kinds = incident_kinds(i);
	bool traffic = kinds & INCIDENT_TRAFFIC && i->traffic.log10_return > 0;
	bool requests = kinds & INCIDENT_REQUESTS && i->requests.log10_return > 0;
	bool reports = kinds & INCIDENT_REPORTS && i->reports_log10_return > 0;
	bool stated = reports || (traffic && !i->traffic.cold) ||
		      (requests && !i->requests.cold);

	const char *before = "Odds of a false alarm: ";
	if (reports) {
		bool values = i->metric;
		odds_of(w, before, values ? "what is normal does this " : "normal reports do this ",
			i->reports_log10_return, i->step);
		before = "; ";
	}
	if (traffic && !i->traffic.cold) {
		odds_of(w, before, "normal traffic does this ", i->traffic.log10_return,
			(wd_span){TICK_NS});
		before = "; ";
	}
	if (requests && !i->requests.cold)
		odds_of(w, before, "normal requests do this ", i->requests.log10_return,
			span_s(1));
	words_text(w, stated ? "." : "");
	if (traffic && i->traffic.cold) {
		words_text(w, stated ? " " : "");
		by_rule(w, "traffic");
	}
	if (requests && i->requests.cold) {
		words_text(w, stated || (traffic && i->traffic.cold) ? " " : "");
		by_rule(w, "requests");
	}
}

/* ---- the service ---- */

static void rate_now(const struct words *w, double now, double usual, bool cold, const char *unit)
{
	words_rate(w->out, now, unit);
	words_text(w, " now");
	if (!cold && usual > 0) {
		words_text(w, ", ");
		words_count(w->out, usual);
		words_text(w, " is usual");
	}
	words_text(w, ".");
}

static void rates_now(const struct words *w, const struct snapshot *snapshot,
		      const struct traffic_state *t, bool requests)
{
	wd_wall at = requests ? t->requests_at : t->flows_at;
	if (at.ns == 0) {
		words_text(w, "nothing has come in yet.");
	} else if (wall_sub(snapshot->now, at).ns > STALE_S * WD_NS_PER_S) {
		words_text(w, "nothing came in since ");
		words_time(w, at);
		words_text(w, ".");
	} else if (requests) {
		rate_now(w, (double)t->requests_per_s, (double)t->usual_requests_per_s,
			 t->requests_cold, "requests/s");
	} else {
		rate_now(w, (double)t->packets_per_s, (double)t->usual_packets_per_s, t->cold,
			 "packets/s");
	}
}

static void incident_status(const struct words *w, const struct snapshot *snapshot,
			    const struct service_state *s, const struct incident *i)
{
	bool requests = !(i->kinds & INCIDENT_TRAFFIC);
	bool recovering = i->state == INCIDENT_RECOVERING;

	words_text(w, requests ? "Requests to " : "Traffic to ");
	words_name(w, s->service->name);
	words_text(w, requests ? " are " : " is ");
	bool cold = requests ? i->requests.cold : i->traffic.cold;
	words_text(w, recovering ? requests ? "no longer far from usual after what began at "
					    : "no longer above usual after what began at "
		      : cold	 ? "far above what was seen before, since "
		      : requests ? "far from usual since "
				 : "far above usual since ");
	words_time(w, i->began_at);
	words_text(w, ": ");
	if (!recovering) {
		size_t before = w->out->len;
		words_main_vector(w, snapshot, i);
		words_text(w, w->out->len > before ? ", " : "");
	}
	if (s->traffic != NULL)
		rates_now(w, snapshot, s->traffic, requests);
	else
		words_text(w, "it is not watched any more.");
}

/* What reports do in minutes traffic does in ticks: how much stronger the latter is. */
static bool traffic_is_unusual(const struct service_state *s)
{
	const struct traffic_state *t = s->traffic;
	float ticks = log10f((float)(60 * WD_NS_PER_S / TICK_NS));
	return t->log10_return - ticks > s->log10_return ||
	       t->requests_log10_return - log10f(60) > s->log10_return;
}

static bool requests_are_more(const struct traffic_state *t)
{
	return t->flows_at.ns == 0 || t->requests_log10_return > t->log10_return;
}

static void unusual(const struct words *w, const struct snapshot *snapshot,
		    const struct service_state *s)
{
	const struct traffic_state *t = s->traffic;
	bool requests = requests_are_more(t);
	words_text(w, requests ? "Unusual requests to " : "Unusual traffic to ");
	words_name(w, s->service->name);
	words_text(w, ", not enough to call it an incident: ");
	rates_now(w, snapshot, t, requests);
}

static void learning(const struct words *w, const struct service_state *s)
{
	const struct traffic_state *t = s->traffic;
	bool requests = t->flows_at.ns == 0;
	words_text(w, requests ? "What is usual of the requests to "
			       : "What is usual of the traffic to ");
	words_name(w, s->service->name);
	words_text(w, " is being learned: ");
	words_seconds(w->out, requests ? t->requests_learned : t->learned);
	words_text(w, " so far.");
}

bool words_traffic_status(const struct words *w, const struct snapshot *snapshot,
			  const struct service_state *s)
{
	const struct incident *i = s->incident < snapshot->incident_count
					   ? &snapshot->incidents[s->incident] : NULL;
	const struct traffic_state *t = s->traffic;

	if (s->status == STATUS_INCIDENT) {
		if (i == NULL || incident_kinds(i) & INCIDENT_REPORTS)
			return false;
		incident_status(w, snapshot, s, i);
		return true;
	}
	if (t == NULL || (t->flows_at.ns == 0 && t->requests_at.ns == 0))
		return false;
	if (s->status == STATUS_UNUSUAL && traffic_is_unusual(s)) {
		unusual(w, snapshot, s);
		return true;
	}
	if (s->first_seen_at.ns != 0) /* reports tell more of what people have */
		return false;
	if (t->flows_at.ns != 0 ? t->cold : t->requests_cold) {
		learning(w, s);
		return true;
	}
	words_text(w, "Nothing unusual in the ");
	words_text(w, t->flows_at.ns != 0 ? "traffic to " : "requests to ");
	words_name(w, s->service->name);
	words_text(w, ": ");
	rates_now(w, snapshot, t, t->flows_at.ns == 0);
	return true;
}

bool words_traffic_odds(const struct words *w, const struct service_state *s)
{
	const struct traffic_state *t = s->traffic;

	if (s->status != STATUS_UNUSUAL || t == NULL || !traffic_is_unusual(s))
		return false;
	bool requests = requests_are_more(t);
	if (requests ? t->requests_cold : t->cold) {
		words_text(w, "It has not been watched for long enough to state odds.");
		return true;
	}
	odds_of(w, "", requests ? "Normal requests do this " : "Normal traffic does this ",
		requests ? t->requests_log10_return : t->log10_return,
		requests ? span_s(1) : (wd_span){TICK_NS});
	words_text(w, ".");
	return true;
}
