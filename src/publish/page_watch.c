/* SPDX-License-Identifier: Apache-2.0 */
/* What a service receives now, where its traffic is watched: numbers and two charts. */
#include "publish/page_traffic.h"

#include "publish/chart.h"
#include "publish/html.h"

#include <stdio.h>
#include <string.h>

static void number(const struct render *r, const char *name, double now, double usual,
		   const char *unit)
{
	buf_fmt(r->out, "<div><dt>%s</dt><dd>", name);
	words_rate(r->out, now, unit);
	if (usual > 0) {
		buf_str(r->out, " <small>usual ");
		words_rate(r->out, usual, unit);
		buf_str(r->out, "</small>");
	}
	buf_str(r->out, "</dd></div>");
}

static void chart(const struct render *r, const struct series *s, const char *id,
		  const char *title, const char *unit)
{
	bool any = false;
	for (size_t n = 0; n < s->count; n++)
		any = any || s->points[n].observed > 0;
	if (!any)
		return;
	struct chart c = {.series = s, .id = id, .title = title, .unit = unit, .height = 150,
			  .description = "What was received, against what is usual."};
	chart_shade_incidents(&c, r->snapshot, r->service->service->id);
	buf_fmt(r->out,
		"<figure><figcaption><h3>%s <small class=\"zone\">UTC</small></h3></figcaption>",
		title);
	chart_svg(r->out, &c);
	buf_str(r->out, "</figure>\n");
}

void page_traffic_now(const struct render *r)
{
	const struct traffic_state *t = r->service->traffic;
	if (t == NULL)
		return;
	buf_str(r->out, "<section aria-labelledby=\"traffic\"><h2 id=\"traffic\">Traffic</h2><dl "
			"class=\"facts\">");
	if (t->flows_at.ns != 0) {
		number(r, "Packets", t->packets_per_s, t->cold ? 0 : t->usual_packets_per_s,
		       "packets/s");
		number(r, "Bits", t->bits_per_s, t->cold ? 0 : t->usual_bits_per_s, "bit/s");
		number(r, "Flow records", t->records_per_s, 0, "records/s");
		if (t->top.id[0] != '\0') {
			buf_str(r->out, "<div><dt>Flooded by</dt><dd><code>");
			buf_html(r->out, t->top.id);
			buf_fmt(r->out, "</code> %.0f %%</dd></div>", (double)t->top.share * 100);
		}
	}
	if (t->requests_at.ns != 0) {
		number(r, "Requests", t->requests_per_s, t->usual_requests_per_s, "requests/s");
		if (t->finding.id[0] != '\0') {
			buf_str(r->out, "<div><dt>Requests look like</dt><dd><code>");
			buf_html(r->out, t->finding.id);
			buf_str(r->out, "</code></dd></div>");
		}
	}
	buf_str(r->out, "</dl>");
	if (t->cold)
		buf_str(r->out,
			"<p class=\"note\">Not watched for long enough to say what is usual: "
			"until then only what is plainly a flood is called one.</p>");
	buf_str(r->out, "<div class=\"two\">\n");
	chart(r, &t->recent_packets, "watch-p", "Packets, last minutes", "packets/s");
	chart(r, &t->day_packets, "watch-d", "Packets, last 24 hours", "packets/s");
	chart(r, &t->recent_requests, "watch-r", "Requests, last minutes", "requests/s");
	chart(r, &t->day_requests, "watch-e", "Requests, last 24 hours", "requests/s");
	buf_str(r->out, "</div></section>\n");
}
