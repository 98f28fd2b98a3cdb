/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_view.h"

#include "base/check.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns and order ---- */

/* Where there is no room for all, those of higher rank go first. */
static const struct column {
	const char *title, *name;
	unsigned width, rank;
	size_t offset; /* of a double in struct top_service */
} columns[] = {
	{"x USUAL", "ratio", 7, 1, offsetof(struct top_service, ratio)},
	{"PKT/S", "packets", 6, 1, offsetof(struct top_service, packets)},
	{"USUAL", "usual", 6, 6, offsetof(struct top_service, usual_packets)},
	{"BIT/S", "bits", 6, 2, offsetof(struct top_service, bits)},
	{"FLOW/S", "flows", 6, 5, offsetof(struct top_service, records)},
	{"SOURCES", "sources", 7, 7, offsetof(struct top_service, sources)},
	{"REQ/S", "requests", 6, 3, offsetof(struct top_service, requests)},
	{"REP/MIN", "reports", 7, 4, offsetof(struct top_service, reports)},
};
enum {
	COLUMNS = WD_COUNT(columns),
	RATIO = 0, PACKETS = 1, /* of the columns */
	BY_STATUS = 0, BY_COLUMN = 1, BY_NAME = BY_COLUMN + COLUMNS, /* what is sorted by */
	RANKS = 7,
	NAME_MIN = 12,
	NAME_MAX = 28,
	STATUS_WIDTH = 8,
	PART_MIN = 10,
	PART_ROOM = 24, /* is left for it before names get more */
};

const char *top_sort_name(unsigned sort)
{
	return sort == BY_STATUS ? "status" : sort < BY_NAME ? columns[sort - BY_COLUMN].name :
	       sort == BY_NAME   ? "name" : NULL;
}

static double value_of(const struct top_service *s, const struct column *c)
{
	double value;
	memcpy(&value, (const char *)s + c->offset, sizeof(value));
	return value;
}

struct ordering { const struct top_service *rows; unsigned sort; };

/* The larger first, what is not known last. */
static int compare_column(const struct top_service *x, const struct top_service *y, unsigned column)
{
	double of_x = value_of(x, &columns[column]), of_y = value_of(y, &columns[column]);
	return (of_x < of_y) - (of_x > of_y);
}

/* Incidents, what is unusual, the rest; of these the largest first. */
static int compare_status(const struct top_service *x, const struct top_service *y)
{
	static const int ranks[] = {0, 0, 1, 2}; /* learning and usual are one */
	int by = ranks[y->status] - ranks[x->status];
	by = by != 0 ? by : compare_column(x, y, RATIO);
	return by != 0 ? by : compare_column(x, y, PACKETS);
}

/* Equal ones by name. */
static int compare(const void *a, const void *b, void *ctx)
{
	const struct ordering *o = ctx;
	const struct top_service *x = &o->rows[*(const uint16_t *)a];
	const struct top_service *y = &o->rows[*(const uint16_t *)b];
	int by = o->sort == BY_STATUS ? compare_status(x, y) :
		 o->sort < BY_NAME    ? compare_column(x, y, o->sort - BY_COLUMN) : 0;

	by = by != 0 ? by : strcasecmp(x->name, y->name);
	return by != 0 ? by : strcmp(x->id, y->id);
}

static void put_in_order(struct top_view *v, const struct top_data *d)
{
	struct ordering o = {d->services.rows, v->sort};
	v->order_count = 0;
	for (size_t i = 0; i < d->services.count && i < TOP_SERVICES_MAX; i++) {
		const struct top_service *s = &d->services.rows[i];
		if (v->filter[0] == '\0' || strcasestr(s->name, v->filter) != NULL ||
		    strcasestr(s->id, v->filter) != NULL)
			v->order[v->order_count++] = (uint16_t)i;
	}
	qsort_r(v->order, v->order_count, sizeof(v->order[0]), compare, &o);
}

/* The marked row's place in the order; the first if it is not there. */
static size_t chosen_at(const struct top_view *v, const struct top_data *d)
{
	for (size_t i = 0; i < v->order_count; i++) {
		if (strcmp(d->services.rows[v->order[i]].id, v->chosen) == 0)
			return i;
	}
	return 0;
}

/* ---- the table ---- */

struct layout { unsigned name, rank; bool part; };

static unsigned width_up_to(unsigned rank)
{
	unsigned width = STATUS_WIDTH + 1;
	for (size_t i = 0; i < COLUMNS; i++)
		width += columns[i].rank <= rank ? columns[i].width + 1 : 0;
	return width;
}

static struct layout lay_out(unsigned width)
{
	struct layout l = {.name = NAME_MIN, .rank = RANKS};
	while (l.rank > 0 && NAME_MIN + width_up_to(l.rank) + 1 + PART_MIN > width)
		l.rank--;
	unsigned used = width_up_to(l.rank);
	l.part = NAME_MIN + used + 1 + PART_MIN <= width;
	used += l.part ? 1 + PART_ROOM : 0;
	unsigned left = width > used + NAME_MIN ? width - used - NAME_MIN : 0;
	l.name += left < NAME_MAX - NAME_MIN ? left : NAME_MAX - NAME_MIN;
	return l;
}

static void draw_titles(const struct layout *layout, struct top_page *p)
{
	struct top_line *l = top_page_line(p);
	top_line_field(l, TOP_BAR, "SERVICE", layout->name, false);
	top_line_add(l, TOP_BAR, " ");
	top_line_field(l, TOP_BAR, "STATUS", STATUS_WIDTH, false);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (columns[i].rank > layout->rank)
			continue;
		top_line_add(l, TOP_BAR, " ");
		top_line_field(l, TOP_BAR, columns[i].title, columns[i].width, true);
	}
	if (layout->part)
		top_line_add(l, TOP_BAR, " WHAT");
	top_line_fill(l, TOP_BAR, p->columns);
}

static enum top_style style_of(const struct top_service *s)
{
	static const enum top_style styles[] = {TOP_DIM, TOP_PLAIN, TOP_WARN, TOP_BAD};
	/* What is still learned is as good as any, if it says something. */
	return s->status == TOP_UNKNOWN && s->packets >= 0 ? TOP_PLAIN : styles[s->status];
}

static void draw_part(const struct top_service *s, struct top_line *l)
{
	char share[TOP_NUMBER_MAX];

	if (s->silent) {
		top_line_add(l, TOP_WARN, "nothing comes in");
	} else if (s->part[0] != '\0') {
		top_percent(share, s->part_share);
		top_line_fmt(l, style_of(s), "%s %s", s->part, share);
	} else if (s->watched && s->cold) {
		top_line_add(l, TOP_DIM, "usual not known yet");
	}
}

static void draw_row(const struct top_service *s, const struct layout *layout, struct top_line *l)
{
	char text[TOP_NUMBER_MAX];
	enum top_style style = style_of(s);

	top_line_field(l, style, s->name, layout->name, false);
	top_line_add(l, style, " ");
	top_line_field(l, style, top_status_word(s->status), STATUS_WIDTH, false);
	for (size_t i = 0; i < COLUMNS; i++) {
		if (columns[i].rank > layout->rank)
			continue;
		top_number(text, value_of(s, &columns[i]));
		top_line_add(l, style, " ");
		top_line_field(l, style, text, columns[i].width, true);
	}
	if (layout->part) {
		top_line_add(l, style, " ");
		draw_part(s, l);
	}
}

/* ---- open incidents ---- */

/* A blank line, the titles, and a line each; fewer where the table needs the room. */
static unsigned open_rows(const struct top_data *d, unsigned room, size_t services)
{
	unsigned wanted = d->open.count > 0 ? 2 + (unsigned)d->open.count : 0;
	unsigned spare = room > services + 1 ? room - (unsigned)services - 1 : 0;
	unsigned most = spare > room / 3 ? spare : room / 3;
	return wanted <= most ? wanted : most > 2 ? most : 0;
}

/* True if there is any. */
static bool draw_part_list(const struct part *parts, uint32_t count, bool go_on,
			   struct top_line *l)
{
	char share[TOP_NUMBER_MAX];
	for (uint32_t n = 0; n < count; n++) {
		const char *comma = n > 0 || go_on ? ", " : "";
		top_percent(share, (double)parts[n].share);
		top_line_fmt(l, TOP_PLAIN, "%s%s %s", comma, parts[n].id, share);
	}
	return count > 0 || go_on;
}

/* What it is made of: vectors, findings of requests, or reports. */
static void draw_parts(const struct incident *i, struct top_line *l)
{
	uint32_t kinds = incident_kinds(i);
	bool any = false;

	if ((kinds & INCIDENT_TRAFFIC) != 0)
		any = draw_part_list(i->traffic.vectors, i->traffic.vector_count, any, l);
	if ((kinds & INCIDENT_REQUESTS) != 0)
		any = draw_part_list(i->requests.findings, i->requests.finding_count, any, l);
	if ((kinds & INCIDENT_REPORTS) != 0)
		top_line_add(l, TOP_PLAIN, any ? ", reports" : "reports");
}

static void draw_open_line(const struct incident *i, const struct top_data *d, unsigned name,
			   struct top_line *l)
{
	const struct top_service *s = top_services_find(&d->services, i->service);
	uint32_t kinds = incident_kinds(i);
	bool traffic = (kinds & INCIDENT_TRAFFIC) != 0, requests = (kinds & INCIDENT_REQUESTS) != 0;
	char began[TIMETEXT_LEN_MAX], peak[TOP_NUMBER_MAX];

	top_line_field(l, TOP_BAD, s != NULL ? s->name : i->service, name, false);
	top_time(began, i->began_at, d->services.now);
	top_line_add(l, TOP_PLAIN, " ");
	top_line_field(l, TOP_PLAIN, incident_state_name(i->state), 10, false);
	top_line_add(l, TOP_PLAIN, " ");
	top_line_field(l, TOP_PLAIN, began, 8, false);
	top_number(peak, traffic ? (double)i->traffic.peak_packets_per_s
			 : requests ? (double)i->requests.peak_requests_per_s : -1);
	top_line_add(l, TOP_PLAIN, " ");
	top_line_field(l, TOP_PLAIN, peak, 6, true);
	top_line_add(l, TOP_PLAIN, traffic ? " pkt/s  " : requests ? " req/s  " : "        ");
	top_line_field(l, TOP_PLAIN, traffic ? top_source_word(i->traffic.status) : "-", 10, false);
	top_line_add(l, TOP_PLAIN, "  ");
	draw_parts(i, l);
}

static void draw_open(const struct top_data *d, unsigned rows, unsigned name, struct top_page *p)
{
	if (rows < 3)
		return;
	size_t shown = rows - 2 < d->open.count ? rows - 2 : d->open.count;
	size_t hidden = d->open.count + d->open.left_out - shown;

	(void)top_page_line(p);
	struct top_line *l = top_page_line(p);
	top_line_field(l, TOP_BAR, "INCIDENT OF", name, false);
	top_line_add(l, TOP_BAR, " STATE      BEGAN      PEAK         SOURCES     WHAT");
	if (hidden > 0)
		top_line_fmt(l, TOP_BAR, "  (%zu more)", hidden);
	top_line_fill(l, TOP_BAR, p->columns);
	for (size_t i = 0; i < shown; i++)
		draw_open_line(&d->open.rows[i], d, name, top_page_line(p));
}

static void draw_table(struct top_view *v, const struct top_data *d, struct top_page *p)
{
	struct layout layout = lay_out(p->columns);
	size_t chosen = chosen_at(v, d);
	unsigned room = p->rows > p->count ? p->rows - p->count : 0;
	unsigned below = open_rows(d, room, v->order_count);

	draw_titles(&layout, p);
	v->body = room > below + 1 ? room - below - 1 : 0;
	if (chosen < v->first)
		v->first = (unsigned)chosen;
	if (v->body > 0 && chosen >= v->first + v->body)
		v->first = (unsigned)chosen - v->body + 1;
	if (v->first + v->body > v->order_count)
		v->first = v->order_count > v->body ? (unsigned)v->order_count - v->body : 0;
	for (size_t i = v->first; i < v->order_count && i < v->first + v->body; i++) {
		struct top_line *l = top_page_line(p);
		draw_row(&d->services.rows[v->order[i]], &layout, l);
		l->chosen = i == chosen;
	}
	if (v->order_count == 0 && d->age_s >= 0)
		top_line_add(top_page_line(p), TOP_DIM,
			     v->filter[0] != '\0' ? "No service fits the filter."
						  : "The server has no services.");
	draw_open(d, below, layout.name, p);
}

/* ---- around it ---- */

static void draw_head(const struct top_view *v, const struct top_data *d, struct top_page *p)
{
	struct top_line *l = top_page_line(p);
	size_t of[TOP_STATUSES] = {0};
	char at[TIMETEXT_LEN_MAX];

	top_line_add(l, TOP_BOLD, "whydown");
	if (d->age_s >= 0) {
		for (size_t i = 0; i < d->services.count; i++)
			of[d->services.rows[i].status]++;
		top_time(at, d->services.now, d->services.now);
		top_line_fmt(l, TOP_PLAIN, "  %s UTC  ", at);
		top_line_fmt(l, of[TOP_INCIDENT] > 0 ? TOP_BAD : TOP_PLAIN, "%zu incident%s",
			     of[TOP_INCIDENT], of[TOP_INCIDENT] == 1 ? "" : "s");
		top_line_fmt(l, of[TOP_UNUSUAL] > 0 ? TOP_WARN : TOP_PLAIN, ", %zu unusual",
			     of[TOP_UNUSUAL]);
		top_line_fmt(l, TOP_PLAIN, " of %zu", d->services.count + d->services.left_out);
		if (d->services.left_out > 0)
			top_line_fmt(l, TOP_WARN, ", %zu not shown", d->services.left_out);
	}
	top_line_fmt(l, TOP_DIM, "  by %s  %s", top_sort_name(v->sort), d->server);
}

static void draw_second(const struct top_view *v, const struct top_data *d, struct top_page *p)
{
	struct top_line *l = top_page_line(p);

	if (v->typing)
		top_line_fmt(l, TOP_BOLD, "/%s_", v->filter);
	else if (d->trouble[0] != '\0' && d->age_s >= 0)
		top_line_fmt(l, TOP_BAD, "%.0f s old, trying again: %s", d->age_s, d->trouble);
	else if (d->trouble[0] != '\0')
		top_line_fmt(l, TOP_BAD, "Trying again: %s", d->trouble);
	else if (v->paused)
		top_line_fmt(l, TOP_WARN, "Paused, %.0f s old; p goes on.", d->age_s);
	else if (d->waiting_s >= 2)
		top_line_fmt(l, TOP_WARN, "The server has not answered for %.0f s.", d->waiting_s);
	else if (v->filter[0] != '\0')
		top_line_fmt(l, TOP_PLAIN, "filter: %s", v->filter);
	else if (d->age_s < 0)
		top_line_add(l, TOP_DIM, "Asking the server.");
	else
		top_line_add(l, TOP_DIM, v->help || v->service[0] != '\0'
				 ? "Escape: back  q: quit"
				 : "Enter: more of a service  s: sort  /: filter  p: pause  "
				   "?: help  q: quit");
}

static void draw_help(struct top_page *p)
{
	static const char *const lines[] = {
		"up, down  move (also j k, page up and down, home, end)",
		"Enter     the service's traffic and its open incident",
		"Escape    back, or end the filter",
		"s  S      sort by the next column, by the one before",
		"/         show only services whose name or id has this in it",
		"p         pause: the screen stays as it is",
		"? h       this help",
		"q         quit",
		"",
		"x USUAL   how many times as much as usual: the larger of packets and",
		"          requests; of reports where no traffic is known",
		"USUAL     packets/s that are usual now; - while too little is known",
		"SOURCES   source addresses in the last quarter of a second",
		"REP/MIN   users' reports a minute, in the last whole bucket (1 or 5 minutes)",
		"WHAT      what most of the packets or requests above usual are",
		"-         not known, or nothing came for half a minute",
	};
	for (size_t i = 0; i < WD_COUNT(lines); i++)
		top_line_add(top_page_line(p), TOP_PLAIN, lines[i]);
}

unsigned top_view_rows(const struct top_data *d)
{
	return (unsigned)(d->services.count + d->open.count) + 6;
}

void top_view_draw(struct top_view *v, const struct top_data *d, struct top_page *p)
{
	p->count = p->skip = 0;
	p->more = false;
	put_in_order(v, d);
	draw_head(v, d, p);
	draw_second(v, d, p);
	v->body = p->rows > p->count ? p->rows - p->count : 0;
	if (v->help || v->service[0] != '\0')
		p->skip = v->scroll;
	if (v->help)
		draw_help(p);
	else if (v->service[0] != '\0')
		top_detail_draw(v, d, p);
	else
		draw_table(v, d, p);
	v->more = p->more;
}
