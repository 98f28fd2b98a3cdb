/* SPDX-License-Identifier: Apache-2.0 */
/* Method: how it decides, and how often it is wrong. The figures come from a file that the
 * benchmark writes (struct site.measured): lines of cells with tabs between them, the first line
 * the head of the table, lines that begin with "# " notes. */
#include "publish/html.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void cells(struct buf *b, const char *line, size_t len, bool head)
{
	bool first = true;

	buf_str(b, "<tr>");
	for (const char *end = line + len; line <= end; first = false) {
		const char *tab = memchr(line, '\t', (size_t)(end - line));
		size_t cell = (size_t)((tab != NULL ? tab : end) - line);
		char text[256];
		snprintf(text, sizeof(text), "%.*s", (int)(cell < 250 ? cell : 250), line);
		buf_str(b, head ? "<th scope=\"col\">" : first ? "<th scope=\"row\">" : "<td>");
		buf_html(b, text);
		buf_str(b, head || first ? "</th>" : "</td>");
		line += cell + 1;
	}
	buf_str(b, "</tr>\n");
}

static void measured(const struct render *r)
{
	struct buf *b = r->out;
	bool open = false;

	if (r->site->measured == NULL || r->site->measured[0] == '\0') {
		buf_str(b, "<p class=\"empty\">This program came without the file of its measured "
			   "figures "
			   "(<code>data/measured.tsv</code>, written by <code>make "
			   "bench</code>).</p>\n");
		return;
	}
	for (const char *line = r->site->measured; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		if (len > 1 && line[0] == '#') {
			char note[512];
			snprintf(note, sizeof(note), "%.*s", (int)(len < 500 ? len : 500),
				 line + 1);
			buf_str(b, open ? "</tbody></table></div><p class=\"note\">"
					: "<p class=\"note\">");
			buf_html(b, note);
			buf_str(b, "</p>\n");
			open = false;
		} else if (len > 0) {
			if (!open)
				buf_str(b, "<div class=\"scroll\"><table><thead>");
			cells(b, line, len, !open);
			if (!open)
				buf_str(b, "</thead><tbody>");
			open = true;
		}
		line += len + (line[len] == '\n');
	}
	if (open)
		buf_str(b, "</tbody></table></div>\n");
}

static void budget(const struct render *r)
{
	const struct budget_stated *stated = &r->snapshot->budget;
	struct buf *b = r->out;

	if (stated->series == 0)
		return;
	buf_str(b, "<p>Now ");
	words_count(b, (double)stated->series);
	buf_str(b, stated->series == 1 ? " service is judged" : " services are judged");
	buf_str(b, ", and ");
	words_count(b, stated->false_a_month);
	buf_str(b, " false incidents a month are accepted among all of them together. So an "
		   "incident is opened "
		   "only when normal reports would do the same ");
	words_odds(b, stated->open_at, span_s(60));
	buf_str(b, ".</p>\n");
}

void page_method(const struct render *r)
{
	struct buf *b = r->out;

	html_begin(r,
		   &(struct html_page){
			   .title = "Method",
			   .description =
				   "How this site decides that a service has an incident, and how "
				   "often it is wrong.",
			   .path = "/method",
		   });
	buf_str(b, "<div class=\"prose\"><h1>How it decides</h1>\n"
		   "<p class=\"lead\">A service has an incident when significantly more people "
		   "report a problem "
		   "than usual at that time of day and week. Nobody decides by hand.</p>\n"
		   "<h2>What is counted</h2>\n"
		   "<p>A report says which service, and if the person knows it, which surface and "
		   "which problem. "
		   "A person counts once for a service in a quarter of an hour. The address "
		   "becomes a country, a "
		   "city, a network and a code that changes every day, and is then forgotten.</p>\n"
		   "<h2>What is usual</h2>\n"
		   "<p>For every service, and within it for every surface, problem, country, city "
		   "and network, a "
		   "baseline is learned: the level, the shape of the day for working days and "
		   "weekends, and the "
		   "spread. While an incident lasts, the baseline learns hardly anything, so that "
		   "an outage never "
		   "becomes usual. The charts draw it as a band.</p>\n"
		   "<h2>When an incident opens</h2>\n"
		   "<p>Every minute adds evidence for or against “more than usual”. Evidence is "
		   "kept as a running "
		   "likelihood ratio whose false alarms are bounded by a theorem while people "
		   "report independently of each other, and which is held back by how the "
		   "service's own reports clump where they do not (measured below): the odds "
		   "stated with each incident say how rarely normal reports would do the same. No "
		   "single minute "
		   "can open an incident, and what few persons or a single network report opens "
		   "none: it is shown "
		   "as unusual, with the reason.</p>\n");
	budget(r);
	buf_str(b, "<h2>Begin, waves and end</h2>\n"
		   "<p>The begin is the time that explains the evidence best, so it lies before "
		   "the alarm. A "
		   "wave ends when reports fall below a third of its peak. An incident ends when "
		   "they are back to usual, and is closed after half an hour of that; if they "
		   "rise again within four hours, it is the same incident with one more "
		   "wave.</p>\n"
		   "<h2>Severity and rank</h2>\n"
		   "<p>Severity is how far reports rose, times how long: log2(1 + peak ratio) × "
		   "hours. An "
		   "incident is ranked among all incidents of its service that were tracked.</p>\n"
		   "<h2>What it does not say</h2>\n"
		   "<p>Reports say that people have a problem, not why. Where people report from "
		   "is not where a "
		   "cause lies. A neighbour's outage makes people report the wrong service: a "
		   "small rise just "
		   "after a large one elsewhere is marked as likely spillover.</p>\n"
		   "<p>A <strong>reconstruction</strong> is an incident made from figures that "
		   "others published. "
		   "It is marked as such on every page, in the API and in the feeds.</p>\n"
		   "<h2 id=\"measured\">How often it is wrong</h2>\n");
	measured(r);
	buf_str(b, "</div>\n");
	html_end(r);
}
