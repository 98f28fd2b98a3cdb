/* SPDX-License-Identifier: Apache-2.0 */
/* The moments of an incident in their order, of reports, traffic and requests together. */
#include "publish/page_traffic.h"

#include "publish/html.h"
#include "publish/words_traffic.h"

#include <stdlib.h>

enum { VECTORS_TOLD = 6 };

enum moment_kind {
	BEGAN,           /* what made it: reports, traffic or requests */
	VECTOR,
	DECIDED,
	JOINED,          /* a further kind carries it */
	WAVE,
	PEAK,
	TRAFFIC_PEAK,
	REQUESTS_PEAK,
	VECTOR_OVER,
	WAVE_OVER,
	KIND_OVER,
	OVER,
};

struct moment {
	wd_wall at;
	enum moment_kind kind;
	uint32_t n; /* of wave or vector; or enum incident_kind */
};

enum { MOMENTS_MAX = 12 + 3 * INCIDENT_WAVES_MAX + 2 * VECTORS_TOLD };

struct list { size_t count; struct moment moments[MOMENTS_MAX]; };

static void add(struct list *l, wd_wall at, enum moment_kind kind, uint32_t n)
{
	if (at.ns != 0 && l->count < MOMENTS_MAX)
		l->moments[l->count++] = (struct moment){at, kind, n};
}

static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;
	if (x->at.ns != y->at.ns)
		return x->at.ns < y->at.ns ? -1 : 1;
	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	return x->n < y->n ? -1 : x->n > y->n;
}

static bool same_second(wd_wall a, wd_wall b)
{
	return wall_to_s(a) == wall_to_s(b);
}

static void list_waves(const struct incident *i, struct list *l)
{
	bool reports = (incident_kinds(i) & INCIDENT_REPORTS) != 0;

	for (uint32_t n = 0; n < i->wave_count; n++) {
		const struct wave *wave = &i->waves[n];
		if (n > 0)
			add(l, wave->began_at, WAVE, n);
		if (wave->peak_observed > 0 || (reports && i->wave_count == 1) || i->wave_count > 1)
			add(l, wave->peak_at, PEAK, n);
		if (n + 1 < i->wave_count)
			add(l, wave->ended_at, WAVE_OVER, n);
	}
}

static void list_vectors(const struct incident *i, const struct trace *t, struct list *l)
{
	for (uint32_t n = 0; t != NULL && n < t->vector_count && n < VECTORS_TOLD; n++) {
		const struct trace_vector *v = &t->vectors[n];
		add(l, v->first_at, VECTOR, n);
		if (t->vector_count > 1 && (i->traffic.ended_at.ns != 0 ||
		     wall_sub(t->changed_at, v->last_at).ns > 10 * WD_NS_PER_S))
			add(l, v->last_at, VECTOR_OVER, n);
	}
}

static void list_moments(const struct incident *i, const struct trace *t, struct list *l)
{
	uint32_t kinds = incident_kinds(i);
	const struct incident_traffic *x = &i->traffic;
	const struct incident_requests *q = &i->requests;
	bool traffic = (kinds & INCIDENT_TRAFFIC) != 0, requests = (kinds & INCIDENT_REQUESTS) != 0;

	/* The earliest of them is the incident's begin. */
	if (traffic)
		add(l, x->began_at, BEGAN, INCIDENT_TRAFFIC);
	if (requests)
		add(l, q->began_at, BEGAN, INCIDENT_REQUESTS);
	if (kinds & INCIDENT_REPORTS && (!traffic || !same_second(x->began_at, i->began_at)) &&
	    (!requests || !same_second(q->began_at, i->began_at)))
		add(l, i->began_at, BEGAN, INCIDENT_REPORTS);
	add(l, i->decided_at, DECIDED, 0);
	if (traffic && !same_second(x->decided_at, i->decided_at))
		add(l, x->decided_at, JOINED, INCIDENT_TRAFFIC);
	if (requests && !same_second(q->decided_at, i->decided_at))
		add(l, q->decided_at, JOINED, INCIDENT_REQUESTS);
	list_vectors(i, t, l);
	list_waves(i, l);
	if (traffic)
		add(l, x->peak_at, TRAFFIC_PEAK, 0);
	if (requests)
		add(l, q->peak_at, REQUESTS_PEAK, 0);
	if (traffic && !same_second(x->ended_at, i->ended_at))
		add(l, x->ended_at, KIND_OVER, INCIDENT_TRAFFIC);
	if (requests && !same_second(q->ended_at, i->ended_at))
		add(l, q->ended_at, KIND_OVER, INCIDENT_REQUESTS);
	add(l, i->ended_at, OVER, 0);
	qsort(l->moments, l->count, sizeof(*l->moments), by_time);
}

static const char *kind_word(uint32_t kind)
{
	return kind == INCIDENT_TRAFFIC ? "Traffic" : kind == INCIDENT_REQUESTS ? "Requests"
										: "Reports";
}

/* By the kind that decided, after the begin of that. */
static void decided(const struct render *r)
{
	const struct incident *i = r->incident;
	struct buf *b = r->out;
	bool traffic = i->kinds & INCIDENT_TRAFFIC &&
		       same_second(i->traffic.decided_at, i->decided_at);
	bool requests = i->kinds & INCIDENT_REQUESTS &&
			same_second(i->requests.decided_at, i->decided_at);
	wd_wall began = traffic	   ? i->traffic.began_at
			: requests ? i->requests.began_at
				   : i->began_at;

	buf_fmt(b, "Called an incident%s, ", traffic	? " by its traffic"
					     : requests ? " by its requests" : "");
	if (traffic || requests)
		words_seconds(b, wall_sub(i->decided_at, began));
	else
		words_span(b, wall_sub(i->decided_at, began));
	buf_str(b, traffic    ? " after it began"
		   : requests ? " after they began"
			      : " after its begin");
	if (!traffic && !requests && i->log10_return_decided > 0) {
		buf_str(b, i->metric
				   ? ": what is normal does this "
				   : ": normal reports do this ");
		words_odds(b, i->log10_return_decided, i->step);
	}
}

static void wave_peak(const struct render *r, const struct moment *m)
{
	const struct incident *i = r->incident;
	const struct wave *wave = &i->waves[m->n];
	struct buf *b = r->out;

	if (i->wave_count > 1)
		buf_fmt(b, i->metric ? "Wave %u is farthest from usual: " : "Wave %u peaks: ",
			m->n + 1);
	else
		buf_str(b, i->metric ? "Farthest from usual: " : "Peak of reports: ");
	if (i->metric && wave->peak_packets_per_s <= 0 && wave->peak_requests_per_s <= 0) {
		words_number(b, wave->peak_observed);
		buf_str(b, " where ");
		words_number(b, wave->peak_expected);
		buf_str(b, " is usual");
	} else if (wave->peak_observed > 0) {
		words_count(b, wave->peak_observed);
		buf_str(b, " in ");
		words_span(b, i->step);
		buf_str(b, ", ");
		words_times(b, wave->peak_observed, wave->peak_expected);
	} else if (wave->peak_packets_per_s > 0) {
		words_rate(b, (double)wave->peak_packets_per_s, "packets/s");
	} else {
		words_rate(b, (double)wave->peak_requests_per_s, "requests/s");
	}
}

static void moment_words(const struct render *r, const struct trace *t, const struct moment *m)
{
	struct words w = html_words(r);
	struct buf *b = r->out;

	switch (m->kind) {
	case BEGAN:
		if (m->n == INCIDENT_REPORTS &&
		    r->incident->metric)
			buf_str(b, "Values begin to differ");
		else
			buf_fmt(b, "%s begin%s to rise", kind_word(m->n),
				m->n == INCIDENT_TRAFFIC ? "s" : "");
		buf_str(b, " <small>(estimated afterwards)</small>");
		return;
	case VECTOR:
	case VECTOR_OVER:
		buf_html(b, t->vectors[m->n].name);
		buf_str(b, m->kind == VECTOR ? " begins" : " is over");
		return;
	case DECIDED: decided(r); return;
	case JOINED:
		buf_fmt(b, "%s would be enough for an incident by %s, too", kind_word(m->n),
			m->n == INCIDENT_TRAFFIC ? "itself" : "themselves");
		return;
	case WAVE: buf_fmt(b, "Wave %u begins", m->n + 1); return;
	case PEAK: wave_peak(r, m); return;
	case TRAFFIC_PEAK:
		buf_str(b, "Peak of traffic: ");
		words_traffic_peak(&w, &r->incident->traffic);
		return;
	case REQUESTS_PEAK:
		buf_str(b, "Peak of requests: ");
		words_requests_peak(&w, &r->incident->requests);
		return;
	case WAVE_OVER: buf_fmt(b, "Wave %u is over", m->n + 1); return;
	case KIND_OVER: buf_fmt(b, "%s back to usual", kind_word(m->n)); return;
	case OVER: buf_str(b, "Back to usual <small>(estimated afterwards)</small>"); return;
	}
}

void page_incident_timeline(const struct render *r, const struct trace *t)
{
	struct list l = {0};
	struct words w = html_words(r);
	bool seconds = (incident_kinds(r->incident) & ~(uint32_t)INCIDENT_REPORTS) != 0;
	bool reports = (incident_kinds(r->incident) & INCIDENT_REPORTS) != 0;

	list_moments(r->incident, t, &l);
	buf_str(r->out, "<section aria-labelledby=\"time\"><h2 id=\"time\">Timeline</h2><ol "
			"class=\"timeline\">\n");
	for (size_t n = 0; n < l.count; n++) {
		enum moment_kind kind = l.moments[n].kind;
		bool calm = kind == OVER || kind == WAVE_OVER || kind == KIND_OVER;
		bool hot = kind == DECIDED || kind == WAVE;
		buf_fmt(r->out, "<li%s>", calm ? " class=\"calm\"" : hot ? " class=\"hot\"" : "");
		bool whole = kind == WAVE || kind == PEAK || kind == WAVE_OVER ||
			     (kind == BEGAN && l.moments[n].n == INCIDENT_REPORTS);
		if (seconds && !(reports && whole)) /* reports are told by the minute */
			words_second(&w, l.moments[n].at);
		else
			words_time(&w, l.moments[n].at);
		buf_char(r->out, ' ');
		moment_words(r, t, &l.moments[n]);
		buf_str(r->out, "</li>\n");
	}
	if (r->incident->waves_dropped > 0)
		buf_fmt(r->out, "<li>and %u more waves</li>\n", r->incident->waves_dropped);
	buf_str(r->out, "</ol></section>\n");
}
