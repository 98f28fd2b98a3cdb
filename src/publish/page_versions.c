/* SPDX-License-Identifier: Apache-2.0 */
/* What was said of an incident, and when: every version that the store keeps, as it stood. Nobody
 * has to take our word for what we said this morning. A version never changes and keeps its number,
 * so that it can be cited; its times and lengths are of its own moment. */
#include "publish/api.h"
#include "publish/html.h"
#include "publish/words_traffic.h"

#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSIONS_SHOWN = 100, SAID_MAX = 4096 };

struct list {
	const struct render *r;
	void (*tell)(const struct list *l, const struct store_version *v);
	uint32_t shown, last; /* how many; the number of the last */
	bool more;
	struct incident incident; /* as that version had it */
};

/* What its page said, without what is known of other incidents. */
static void said(const struct words *w, const struct snapshot *snapshot, const struct incident *i)
{
	words_peak(w, i);
	words_text(w, " ");
	size_t before = w->out->len;
	words_attack(w, snapshot, i);
	words_text(w, w->out->len > before ? " " : "");
	before = w->out->len;
	words_silence(w, i);
	words_text(w, w->out->len > before ? " " : "");
	words_incident_odds(w, i);
}

static void each(void *ctx, const struct store_version *v)
{
	struct list *l = ctx;

	if (l->shown == VERSIONS_SHOWN) {
		l->more = true;
		return;
	}
	l->shown++;
	l->last = v->number;
	/* A newer program's, or damaged: the numbers of the others stay. */
	if (incident_from_json(v->json, strlen(v->json), &l->incident, NULL) == WD_OK)
		l->tell(l, v);
}

/* `after` is the number of the last one that the reader has. */
static void each_version(struct list *l, uint32_t after)
{
	const struct site *site = l->r->site;
	struct store_versions which = {l->r->incident->id, after, VERSIONS_SHOWN + 1};

	if (site->incident_versions != NULL)
		site->incident_versions(site->ctx, &which, each, l);
}

/* False if it is no number. "" is 0. */
static bool read_after(const struct render *r, uint32_t *ret_after)
{
	const char *text = query_value(r, "after");
	size_t len = strlen(text);

	*ret_after = len <= 9 ? (uint32_t)strtoul(text, NULL, 10) : 0;
	return len <= 9 && strspn(text, "0123456789") == len;
}

/* ---- for people ---- */

static void item(const struct list *l, const struct store_version *v)
{
	struct words w = html_words(l->r);
	struct buf *b = l->r->out;
	const char *severity = severity_name(incident_severity_word(&l->incident));

	w.now = v->at;
	w.dated = true;
	buf_fmt(b, "<li id=\"v%u\"><a href=\"#v%u\">Version %u</a> ", v->number, v->number,
		v->number);
	words_second(&w, v->at);
	buf_fmt(b, ": %s, <span class=\"sev %s\">%s</span><p>",
		incident_state_name(l->incident.state), severity, severity);
	said(&w, l->r->snapshot, &l->incident);
	buf_str(b, "</p></li>\n");
}

static void begin_page(const struct render *r)
{
	const struct incident *i = r->incident;
	struct buf title;
	char path[INCIDENT_ID_MAX + 16];

	snprintf(path, sizeof(path), "/i/%s/versions", i->id);
	buf_init(&title, 1024);
	struct words w = {.out = &title, .now = r->snapshot->now};
	words_headline(&w, r->snapshot, i);
	buf_str(&title, ": what was said, and when");
	html_begin(r, &(struct html_page){.title = title.bad ? i->id : title.data, .path = path});
	buf_done(&title);
	buf_str(r->out, "<p class=\"crumb\"><a href=\"/i/");
	buf_html(r->out, i->id);
	buf_str(r->out, "\">");
	w = html_words(r);
	words_headline(&w, r->snapshot, i);
	buf_str(r->out, "</a></p><h1>What was said, and when</h1>\n");
	if (i->reconstruction)
		html_reconstruction(r, NULL);
	buf_str(r->out,
		"<p class=\"note\">Each time what is known of this incident changed, what was said "
		"then was kept, and is never changed: numbers grow and sources become known while "
		"an "
		"incident lasts. Cite a version by the link on its number.</p>\n");
}

void page_versions(const struct render *r)
{
	struct list l = {.r = r, .tell = item};
	uint32_t after;

	if (!read_after(r, &after))
		after = 0;
	begin_page(r);
	buf_str(r->out, "<ul class=\"lines\">\n");
	each_version(&l, after);
	buf_str(r->out, "</ul>\n");
	if (l.shown == 0)
		buf_str(r->out, after > 0 ? "<p class=\"empty\">There is no later version.</p>\n"
					  : "<p class=\"empty\">No version is kept yet.</p>\n");
	buf_str(r->out, "<p class=\"more\">");
	if (l.more) {
		buf_str(r->out, "<a href=\"/i/");
		buf_html(r->out, r->incident->id);
		buf_fmt(r->out, "/versions?after=%u\">Later versions</a> · ", l.last);
	}
	buf_str(r->out, "<a href=\"/api/v1/incidents/");
	buf_html(r->out, r->incident->id);
	buf_str(r->out, "/versions\">The same as JSON</a></p>\n");
	html_end(r);
}

/* ---- for programs ---- */

static void object(const struct list *l, const struct store_version *v)
{
	struct buf *b = l->r->out, text;

	buf_init(&text, SAID_MAX);
	struct words w = {.out = &text, .now = v->at, .dated = true};
	said(&w, l->r->snapshot, &l->incident);
	wd_json_open(b, NULL, '{');
	wd_json_count(b, "number", v->number);
	wd_json_time(b, "at", v->at);
	wd_json_string(b, "change", v->change);
	wd_json_string(b, "said", text.bad ? NULL : text.data);
	wd_json_name(b, "incident");
	incident_to_json(b, &l->incident);
	wd_json_close(b, '}');
	buf_done(&text);
}

void api_versions(const struct render *r)
{
	struct list l = {.r = r, .tell = object};
	uint32_t after;

	if (!read_after(r, &after)) {
		api_refuse(r, "after", "after is the number of a version");
		return;
	}
	wd_json_open(r->out, NULL, '{');
	wd_json_string(r->out, "incident", r->incident->id);
	wd_json_open(r->out, "versions", '[');
	each_version(&l, after);
	wd_json_close(r->out, ']');
	if (l.more)
		wd_json_count(r->out, "next", l.last);
	else
		wd_json_null(r->out, "next");
	wd_json_close(r->out, '}');
	buf_char(r->out, '\n');
}
