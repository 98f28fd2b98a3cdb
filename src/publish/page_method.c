/* SPDX-License-Identifier: Apache-2.0 */
/* Method: how it decides, and how often it is wrong. The figures come from a file that the
 * benchmark writes (struct site.measured): lines of cells with tabs between them, the first line
 * the head of the table, lines that begin with "# " notes. */
#include "publish/html.h"

#include "base/check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELL_MAX = 250 }; /* bytes shown */

/* The next cell of the row, from `*at` on; false after the last one. */
static bool cell_next(const char **at, const char *end, char text[CELL_MAX + 1])
{
	if (*at > end)
		return false;
	const char *tab = memchr(*at, '\t', (size_t)(end - *at));
	size_t len = (size_t)((tab != NULL ? tab : end) - *at);
	snprintf(text, CELL_MAX + 1, "%.*s", (int)(len < CELL_MAX ? len : CELL_MAX), *at);
	*at += len + 1;
	return true;
}

/* A figure as people write it: without decimals that say nothing; the benchmark's 999 minutes are
 * "never while it was watched". */
static void figure(struct buf *b, char text[CELL_MAX + 1], bool minutes)
{
	size_t len = strlen(text);

	if (len > 3 && strcmp(text + len - 3, ".00") == 0)
		text[len - 3] = '\0';
	buf_html(b, strcmp(text, "-") == 0		? "–"
		    : minutes && strcmp(text, "999") == 0 ? "not within two hours"
							  : text);
}

/* What the file's short heads mean; other heads stay. */
static const char *head_of(const char *text, bool unit)
{
	static const char *const heads[][2] = {
		{"what", "What was tried"}, {"beside it", "Beside it"}, {"its figure", "It has"}};
	for (size_t i = 0; unit && i < WD_COUNT(heads); i++) {
		if (strcmp(text, heads[i][0]) == 0)
			return heads[i][1];
	}
	return text;
}

/* One row. `unit`: the second cell is the unit of the others, and stands small in the first. */
static void cells(struct buf *b, const char *line, size_t len, bool head, bool unit)
{
	const char *end = line + len;
	char text[CELL_MAX + 1];
	bool minutes = false;

	(void)cell_next(&line, end, text);
	buf_str(b, head ? "<tr><th scope=\"col\">" : "<tr><th scope=\"row\">");
	buf_html(b, head ? head_of(text, unit) : text);
	if (unit && cell_next(&line, end, text) && !head) {
		minutes = strncmp(text, "minutes", 7) == 0;
		buf_str(b, " <small>");
		buf_html(b, text);
		buf_str(b, "</small>");
	}
	buf_str(b, "</th>");
	while (cell_next(&line, end, text)) {
		buf_str(b, head ? "<th scope=\"col\">" : "<td>");
		if (head)
			buf_html(b, head_of(text, unit));
		else
			figure(b, text, minutes);
		buf_str(b, head ? "</th>" : "</td>");
	}
	buf_str(b, "</tr>\n");
}

static void measured(const struct render *r, const char *text)
{
	struct buf *b = r->out;
	bool open = false, unit = false;

	if (text == NULL || text[0] == '\0') {
		buf_str(b, "<p class=\"empty\">This program came without the file of its measured "
			   "figures "
			   "(<code>data/measured*.tsv</code>).</p>\n");
		return;
	}
	for (const char *line = text; *line != '\0';) {
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
			if (!open) {
				buf_str(b, "<div class=\"scroll\" tabindex=\"0\" "
					   "role=\"group\" aria-labelledby=\"measured\">"
					   "<table><thead>");
				unit = strncmp(line, "what\tunit\t", 10) == 0;
			}
			cells(b, line, len, !open, unit);
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

static void traffic(struct buf *b)
{
	buf_str(b, "<h2 id=\"traffic\">Traffic and requests</h2>\n<p>Where a service's "
		   "addresses are watched, flow exports and packets are counted every "
		   "quarter of a second, and access logs every second: packets, bits and "
		   "flow records by class of vector, different addresses, and a sample of "
		   "the records. What is usual is learned for the whole and for each class: "
		   "a level of half a minute, one of six hours, and the highest half minute "
		   "of two weeks. What stays below that has been usual before. While a "
		   "flood lasts nothing is learned.</p>\n<p>Evidence is how far a tick and "
		   "its running means lie above that, measured against the spread that the "
		   "service's own traffic has. An incident opens when usual traffic would "
		   "do the same less often than the stated budget allows. Less than 1,000 "
		   "packets/s and 10 Mbit/s above usual (unless this site is set otherwise) "
		   "is never a flood, nor is what one address explains as a "
		   "transfer.</p>\n<p>In a service's first ten minutes nobody knows what is "
		   "usual. Until then fixed rules decide: answers that nobody asked for, "
		   "connections that are opened and left, datagrams of one size. "
		   "<strong>They are rules, not statistics</strong>: such an incident says "
		   "so and states no odds. The same holds for the first two minutes of "
		   "access logs.</p>\n");
	buf_str(b, "<h3>How exact the numbers are</h3><div class=\"scroll wrap\" "
		   "tabindex=\"0\" role=\"group\" aria-label=\"Stated errors\"><table><caption "
		   "class=\"vh\">Stated errors of what is "
		   "counted</caption><thead><tr><th scope=\"col\">Number</th><th "
		   "scope=\"col\">How</th><th "
		   "scope=\"col\">Error</th></tr></thead><tbody>\n<tr><th "
		   "scope=\"row\">Packets, bits, flow records</th><td>sums</td><td>none but "
		   "that of the exporter's sampling: 196/√n % where n packets were looked "
		   "at; below 30 they are “seen”, not measured</td></tr>\n<tr><th "
		   "scope=\"row\">Different source "
		   "addresses</th><td>HyperLogLog</td><td>1.6 % (one standard error); of one "
		   "vector up to 3.3 %</td></tr>\n<tr><th scope=\"row\">Addresses "
		   "hit</th><td>HyperLogLog</td><td>6.5 %</td></tr>\n<tr><th "
		   "scope=\"row\">Shares of countries, networks, prefixes</th><td>priority "
		   "sample of the records</td><td>stands beside each, at 95 "
		   "%</td></tr>\n</tbody></table></div>\n");
	buf_str(b, "<h3>What addresses prove</h3><div class=\"scroll wrap\" "
		   "tabindex=\"0\" role=\"group\" aria-label=\"What they prove\"><table><caption "
		   "class=\"vh\">What source addresses prove</caption><thead><tr><th "
		   "scope=\"col\">Addresses</th><th scope=\"col\">When</th><th "
		   "scope=\"col\">What that proves</th></tr></thead><tbody>\n<tr><th "
		   "scope=\"row\">reflectors</th><td>answers that the service never asked "
		   "for</td><td>third parties are abused; the attacker is "
		   "elsewhere</td></tr>\n<tr><th scope=\"row\">forged</th><td>about one "
		   "packet an address, all over the address space, also where nobody is, "
		   "from one distance, or a tool's marks: several of these at "
		   "once</td><td>nothing of where it came "
		   "from: maps are grey</td></tr>\n<tr><th "
		   "scope=\"row\">proved</th><td>completed handshakes</td><td>these "
		   "machines took part: bots, proxies, VPN exits; no persons, no "
		   "states</td></tr>\n<tr><th scope=\"row\">unknown</th><td>too little was "
		   "seen</td><td>nothing yet; the page says what would "
		   "tell</td></tr>\n</tbody></table></div>\n<p>Who attacks is never said: "
		   "no address tells it. <a href=\"/method/vectors\">The vectors that are "
		   "known by name</a>, with their documents.</p>\n<p>Not seen are: a flood "
		   "below the service's own highest half minute of two weeks; a slight one "
		   "in its main kind of traffic where that wanders; floods of whole "
		   "requests that are answered in proportion, unless access logs are "
		   "watched too.</p>\n");
}

/* How to read the table of measured figures. */
static void reading(struct buf *b)
{
	buf_str(b,
		"<p>Each figure was measured with this program. <strong>Downdetector</strong>: "
		"63 real outages, in counts of a quarter of an hour, that were in view while "
		"this program was built; “in time” is by one count after Downdetector's own "
		"word, and the quiet counts are those long before. "
		"<strong>Mentions</strong>: ten public series of how often companies were "
		"written about. <strong>First days</strong> and <strong>worlds</strong>: made-up "
		"reports, calm ones by chance alone, bursty ones from people who follow each "
		"other; “stated” is how many false incidents were accepted, and the figure how "
		"many there were. Beside it stand simpler rules: “naive” compares a count with "
		"the last hours alone, and calls what chance makes so seldom.</p>\n");
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
		   "than usual at that time of day and week, or when its traffic or its "
		   "requests do what usual ones do not. Nobody decides by hand.</p>\n"
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
		   "spread. While an incident lasts, the baseline learns hardly anything; what "
		   "has lasted for 24 hours is taken as usual from then on, and the incident "
		   "ends. The charts draw it as a band.</p>\n"
		   "<p>A metric (a latency, a share) is judged to both sides: how far a value is "
		   "from the last ones, from the last 31 and from this half hour of the week, "
		   "against how far its values mostly are. Of its incident the value farthest "
		   "from usual is told.</p>\n"
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
		   "does not tell where a "
		   "cause lies. A neighbour's outage makes people report the wrong service: a "
		   "small rise just "
		   "after a large one elsewhere is marked as likely spillover.</p>\n"
		   "<p>A <strong>reconstruction</strong> is not observed but "
		   "played from a scenario: from figures that others published, or made-up ones. "
		   "It is marked as such on every page, in the API and in the feeds; its "
		   "incident's page has the sources, and what is assumed.</p>\n");
	traffic(b);
	buf_str(b, "<h2 id=\"measured\">How often it is wrong</h2>\n");
	if (r->site->measured != NULL && r->site->measured[0] != '\0')
		reading(b);
	measured(r, r->site->measured);
	measured(r, r->site->measured_traffic);
	buf_str(b, "</div>\n");
	html_end(r);
}
