/* SPDX-License-Identifier: Apache-2.0 */
/* Published comments: of a service's last day, and of an incident's time. They are strangers'
 * words: escaped, a paragraph each whose direction of writing reaches no further. */
#include "publish/api.h"
#include "publish/comments.h"
#include "publish/html.h"

static const wd_span DAY = {86400 * WD_NS_PER_S};
static const wd_span EARLY = {600 * WD_NS_PER_S}; /* a report's time may be as far ahead as this */

/* Of `told` it is the first if that is 0. */
struct list {
	const struct render *r;
	const struct service *service;
	const char *title;
	size_t told;
};

static void each_comment(const struct render *r, const char *service, wd_wall from, wd_wall to,
			 void (*each)(void *ctx, const struct comment *), void *ctx)
{
	const struct comment_window window = {
		.service = service, .from = from, .to = to, .limit = COMMENTS_SHOWN_MAX};
	if (r->site->comments != NULL)
		r->site->comments(r->site->ctx, &window, each, ctx);
}

static void value(const struct list *l, enum dimension d, const char *text)
{
	struct words w = html_words(l->r);
	if (text[0] == '\0')
		return;
	buf_str(l->r->out, " · ");
	words_value(&w, l->service, d, text);
}

static void item(void *ctx, const struct comment *c)
{
	struct list *l = ctx;
	struct buf *b = l->r->out;
	struct words w = html_words(l->r);

	if (l->told++ == 0) {
		buf_str(b, "<section aria-labelledby=\"said\"><h2 id=\"said\">");
		buf_str(b, l->title);
		buf_str(b,
			"</h2><p class=\"note\">Comments sent with reports: read before they are "
			"shown; what they say is not checked.</p><ul class=\"lines said\">\n");
	}
	buf_str(b, "<li><p dir=\"auto\">");
	buf_html(b, c->text);
	buf_str(b, "</p><small>");
	words_time(&w, c->at);
	value(l, DIMENSION_SURFACE, c->surface);
	value(l, DIMENSION_PROBLEM, c->problem);
	value(l, DIMENSION_COUNTRY, c->country);
	buf_str(b, "</small></li>\n");
}

static void section(const struct render *r, const char *service, const char *title, wd_wall from,
		    wd_wall to)
{
	const struct service_state *s = snapshot_service(r->snapshot, service);
	struct list l = {r, s != NULL ? s->service : NULL, title, 0};
	each_comment(r, service, from, to, item, &l);
	if (l.told > 0)
		buf_str(r->out, "</ul></section>\n");
}

void page_comments_day(const struct render *r)
{
	wd_wall now = r->snapshot->now;
	section(r, r->service->service->id, "What people say, last 24 hours", wall_back(now, DAY),
		wall_add(now, EARLY));
}

void page_comments_incident(const struct render *r)
{
	const struct incident *i = r->incident;
	wd_wall end = i->ended_at.ns != 0 ? i->ended_at : wall_add(r->snapshot->now, EARLY);
	section(r, i->service, "What people said", i->began_at, end);
}

static void object(void *ctx, const struct comment *c)
{
	comment_public_json(ctx, c);
}

void api_comments(const struct render *r)
{
	const char *id = r->service->service->id;
	wd_wall now = r->snapshot->now;

	wd_json_open(r->out, NULL, '{');
	wd_json_string(r->out, "service", id);
	wd_json_open(r->out, "comments", '[');
	each_comment(r, id, wall_back(now, DAY), wall_add(now, EARLY), object, r->out);
	wd_json_close(r->out, ']');
	wd_json_close(r->out, '}');
	buf_char(r->out, '\n');
}
