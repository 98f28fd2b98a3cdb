/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/api.h"

#include "publish/problem.h"

#include <string.h>

void api_refuse(const struct render *r, const char *field, const char *detail)
{
	r->page->status = 400;
	r->page->content_type = PROBLEM_TYPE;
	r->page->cache_control = "no-store";
	buf_reset(r->out);
	problem_json(r->out, &(struct problem_document){
				     .status = 400,
				     .title = "Bad request",
				     .detail = detail,
				     .field = field,
			     });
}

enum { SENTENCE_MAX = 4096 };

/* Sentences are written into a buf of their own first, as they must be escaped as a whole. */
static struct words sentence_words(const struct render *r, struct buf *text)
{
	buf_init(text, SENTENCE_MAX);
	return (struct words){.out = text, .now = r->snapshot->now, .dated = true};
}

static void sentence_end(const struct render *r, const char *name, struct buf *text)
{
	bool written = !text->bad && text->len > 0;
	wd_json_string(r->out, name, written ? text->data : NULL);
	buf_done(text);
}

void api_service_sentence(const struct render *r, const char *name, sentence_of_service *sentence,
			  const struct service_state *s)
{
	struct buf text;
	struct words w = sentence_words(r, &text);
	sentence(&w, r->snapshot, s);
	sentence_end(r, name, &text);
}

void api_incident_sentence(const struct render *r, const char *name, sentence_of_incident *sentence,
			   const struct incident *i)
{
	struct buf text;
	struct words w = sentence_words(r, &text);
	sentence(&w, r->snapshot, i);
	sentence_end(r, name, &text);
}

void api_service_members(const struct render *r, const struct service_state *s)
{
	struct buf *b = r->out;
	struct now now = service_now(s);
	bool open = s->incident < r->snapshot->incident_count;

	wd_json_string(b, "id", s->service->id);
	wd_json_string(b, "name", s->service->name);
	wd_json_string(b, "category", s->service->category);
	wd_json_string(b, "status", status_name(s->status));
	wd_json_truth(b, "reconstruction", s->reconstruction);
	api_service_sentence(r, "sentence", words_status, s);
	wd_json_open(b, "last", '{');
	wd_json_number(b, "step_s", (double)now.step.ns / 1e9);
	if (now.seen)
		wd_json_number(b, "observed", now.observed);
	else
		wd_json_null(b, "observed");
	wd_json_number(b, "expected", now.expected);
	wd_json_number(b, "low", now.low);
	wd_json_number(b, "high", now.high);
	wd_json_close(b, '}');
	wd_json_string(b, "incident", open ? r->snapshot->incidents[s->incident].id : NULL);
	api_traffic_member(b, s->traffic);
	wd_json_url(b, "url", r->site->base_url, "/s/", s->service->id);
}

void api_incident_object(const struct render *r, const struct incident *i)
{
	struct buf *b = r->out;
	struct rank rank = snapshot_rank(r->snapshot, i);

	wd_json_name(b, NULL);
	incident_to_json(b, i);
	/* Goes on within its braces: what follows is not the incident's own but what is known
	 * of it here and now. */
	if (b->bad || b->data[b->len - 1] != '}')
		return;
	b->len--;
	api_incident_sentence(r, "headline", words_headline, i);
	api_incident_sentence(r, "summary", words_incident, i);
	wd_json_number(b, "duration_s", (double)span_to_s(incident_duration(i, r->snapshot->now)));
	wd_json_open(b, "rank", '{');
	wd_json_count(b, "by_duration", rank.by_duration);
	wd_json_count(b, "by_severity", rank.by_severity);
	wd_json_count(b, "of", rank.of);
	wd_json_time(b, "since", r->snapshot->since);
	wd_json_close(b, '}');
	wd_json_url(b, "url", r->site->base_url, "/i/", i->id);
	wd_json_close(b, '}');
}

void api_series_members(struct buf *b, const struct series *series, bool unfinished)
{
	wd_json_number(b, "step_s", (double)series->step.ns / 1e9);
	wd_json_truth(b, "unfinished", unfinished);
	wd_json_open(b, "points", '[');
	for (size_t i = 0; i < series->count; i++) {
		const struct point *p = &series->points[i];
		wd_json_open(b, NULL, '{');
		wd_json_time(b, "at",
			     wall_add(series->begin, (wd_span){series->step.ns * (int64_t)i}));
		if (point_is_seen(p))
			wd_json_number(b, "observed", p->observed);
		else
			wd_json_null(b, "observed");
		wd_json_number(b, "expected", p->expected);
		wd_json_number(b, "low", p->low);
		wd_json_number(b, "high", p->high);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
}

void api_missing(const struct render *r)
{
	r->page->status = 404;
	problem_json(r->out, &(struct problem_document){
				     .status = 404,
				     .title = "Not found",
				     .detail = "There is no such path, service or incident; "
					       "/api/v1/openapi.json lists what there is.",
			     });
}

void api_bad_request(const struct render *r)
{
	api_refuse(r, r->wrong_field, r->wrong);
}

void api_health(const struct render *r)
{
	enum { SNAPSHOT_STALE_S = 30 };
	const struct site_health *health = r->request->health;
	struct buf *b = r->out;
	bool fresh = health != NULL && span_to_s(health->snapshot_age) < SNAPSHOT_STALE_S;
	bool well = fresh && health->journal_writes;

	r->page->status = well ? 200 : 503;
	wd_json_open(b, NULL, '{');
	wd_json_string(b, "status", well ? "ok" : "failing");
	wd_json_truth(b, "journal_writes", health != NULL && health->journal_writes);
	wd_json_string(b, "journal_error",
		       health != NULL && !health->journal_writes ? health->journal_error : NULL);
	wd_json_truth(b, "snapshot_fresh", fresh);
	wd_json_number(b, "snapshot_age_s",
		       health != NULL ? (double)health->snapshot_age.ns / 1e9 : -1);
	wd_json_number(b, "uptime_s", health != NULL ? (double)health->uptime.ns / 1e9 : -1);
	wd_json_time(b, "now", r->snapshot->now);
	wd_json_close(b, '}');
	buf_char(b, '\n');
}
