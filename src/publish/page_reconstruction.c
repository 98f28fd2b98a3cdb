/* SPDX-License-Identifier: Apache-2.0 */
/* What a reconstruction was made from: its sources with links, and what of it is assumed. All of it
 * comes from the scenario files on the server; of what was played only the scenario's name is used,
 * to find them. */
#include "publish/api.h"
#include "publish/html.h"

#include <string.h>

static const struct reconstruction *made_from(const struct render *r)
{
	return r->incident->reconstruction
		       ? reconstruction_find(r->site->reconstructions, r->incident->scenario)
		       : NULL;
}

/* More than a day beside what happened: it is played at another time. */
static bool is_moved(const struct incident *i, const struct reconstruction *m)
{
	wd_span day = span_s(86400);
	return m->began_at.ns != 0 && (wall_before(i->began_at, wall_back(m->began_at, day)) ||
				       wall_before(wall_add(m->ended_at, day), i->began_at));
}

/* The reader of scenarios lets no other through; what becomes a link is looked at again. */
static const char *link_of(const struct reconstruction_source *x)
{
	return reconstruction_url_is_sound(x->url, strlen(x->url)) ? x->url : NULL;
}

static void put_host(struct buf *b, const char *url)
{
	char host[RECONSTRUCTION_URL_MAX + 1];
	const char *at = strstr(url, "//");

	at = at != NULL ? at + 2 : url;
	at = strncmp(at, "www.", 4) == 0 ? at + 4 : at;
	size_t len = strcspn(at, "/?#");
	memcpy(host, at, len);
	host[len] = '\0';
	buf_html(b, host);
}

static void put_source(struct buf *b, const struct reconstruction_source *x)
{
	buf_str(b, "<li>");
	if (link_of(x) != NULL) {
		buf_str(b, "<a rel=\"noopener nofollow\" href=\"");
		buf_html(b, x->url);
		buf_str(b, "\">");
		put_host(b, x->url);
		buf_str(b, "</a>");
	}
	buf_str(b, "<p>");
	buf_html(b, x->taken);
	buf_str(b, "</p></li>\n");
}

static void put_title(const struct render *r, const struct reconstruction *m)
{
	struct words w = html_words(r);
	struct buf *b = r->out;

	w.dated = true;
	buf_str(b, "<p>Scenario <code>");
	buf_html(b, m->scenario);
	buf_str(b, "</code>: ");
	buf_html(b, m->title);
	if (m->source_count > 0)
		buf_str(b, ". The figures below were published; single reports were made up at "
			   "random so "
			   "that they add up to them.");
	else
		buf_str(b, ". It names no sources.");
	if (is_moved(r->incident, m)) {
		buf_str(b, " It is played as if it happened now: by the sources it began at ");
		words_time(&w, m->began_at);
		buf_char(b, '.');
	}
	buf_str(b, "</p>\n");
}

void page_incident_made_from(const struct render *r)
{
	const struct incident *i = r->incident;
	const struct reconstruction *m = made_from(r);
	struct buf *b = r->out;

	if (!i->reconstruction)
		return;
	buf_str(b, "<section aria-labelledby=\"made-from\"><h2 id=\"made-from\">"
		   "What this is made from</h2>\n");
	if (m == NULL) {
		buf_str(b, "<p class=\"empty\">Played from ");
		if (i->scenario[0] != '\0') {
			buf_str(b, "the scenario <code>");
			buf_html(b, i->scenario);
			buf_str(b, "</code>, of which this site has no sources.</p></section>\n");
		} else {
			buf_str(b, "a scenario that was not named: its sources are not known."
				   "</p></section>\n");
		}
		return;
	}
	put_title(r, m);
	if (m->source_count > 0)
		buf_str(b, "<ul class=\"lines\">\n");
	for (size_t n = 0; n < m->source_count; n++)
		put_source(b, &m->sources[n]);
	if (m->source_count > 0)
		buf_str(b, "</ul>\n");
	if (m->assumed_count > 0)
		buf_str(b,
			"<div class=\"proof\"><h3>Assumed, because no source tells it</h3><ul>\n");
	for (size_t n = 0; n < m->assumed_count; n++) {
		buf_str(b, "<li>");
		buf_html(b, m->assumed[n]);
		buf_str(b, "</li>\n");
	}
	if (m->assumed_count > 0)
		buf_str(b, "</ul></div>");
	buf_str(b, "</section>\n");
}

void api_made_from(const struct render *r)
{
	const struct reconstruction *m = made_from(r);
	struct buf *b = r->out;

	if (m == NULL) {
		wd_json_null(b, "made_from");
		return;
	}
	wd_json_open(b, "made_from", '{');
	wd_json_string(b, "scenario", m->scenario);
	wd_json_string(b, "title", m->title);
	wd_json_time(b, "began_at", m->began_at);
	wd_json_time(b, "ended_at", m->ended_at);
	wd_json_open(b, "sources", '[');
	for (size_t n = 0; n < m->source_count; n++) {
		wd_json_open(b, NULL, '{');
		wd_json_string(b, "name", m->sources[n].name);
		wd_json_string(b, "url", link_of(&m->sources[n]));
		wd_json_string(b, "taken", m->sources[n].taken);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
	wd_json_open(b, "assumed", '[');
	for (size_t n = 0; n < m->assumed_count; n++)
		wd_json_string(b, NULL, m->assumed[n]);
	wd_json_close(b, ']');
	wd_json_close(b, '}');
}
