/* SPDX-License-Identifier: Apache-2.0 */
/* History: all tracked incidents, the longest, the most severe or the latest first. */
#include "publish/html.h"
#include "publish/words_traffic.h"

#include "base/timetext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_PAGE = 50, PAGES_MAX = 1000 };

struct filter {
	const struct service_state *service; /* NULL = any */
	int year;                            /* 0 = any */
	const char *kind;                    /* a kind of signal that carries it; "" = any */
	const char *vector;                  /* among its heaviest; "" = any */
	const char *order;
	size_t page; /* from 1 */
};

/* True if an incident has it: what the query says is then an id, and no longer a stranger's. */
static bool is_told(const struct snapshot *s, const char *vector)
{
	for (size_t i = 0; vector[0] != '\0' && i < s->incident_count; i++) {
		if (incident_has_vector(&s->incidents[i], vector))
			return true;
	}
	return false;
}

/* A small whole number; 0 if it is none. */
static unsigned long small_number(const char *text)
{
	char *end;

	if (text[0] < '0' || text[0] > '9' || strlen(text) > 4)
		return 0;
	unsigned long n = strtoul(text, &end, 10);
	return *end == '\0' ? n : 0;
}

static struct filter read_filter(const struct render *r)
{
	static const char *const orders[] = {"latest", "longest", "severe"};
	struct filter f = {
		.service = snapshot_service(r->snapshot, query_value(r, "service")),
		.year = (int)small_number(query_value(r, "year")),
		.kind = query_value(r, "kind"),
		.vector = query_value(r, "vector"),
		.order = orders[0],
		.page = small_number(query_value(r, "page")),
	};
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (strcmp(orders[i], query_value(r, "order")) == 0)
			f.order = orders[i];
	}
	if (incident_kind_of(f.kind) == 0)
		f.kind = "";
	if (!is_told(r->snapshot, f.vector))
		f.vector = "";
	if (f.page < 1 || f.page > PAGES_MAX)
		f.page = 1;
	return f;
}

static bool passes(const struct filter *f, const struct incident *i)
{
	return (f->service == NULL || strcmp(f->service->service->id, i->service) == 0) &&
	       (f->year == 0 || civil_of(i->began_at).year == f->year) &&
	       (f->kind[0] == '\0' || (incident_kinds(i) & incident_kind_of(f->kind)) != 0) &&
	       (f->vector[0] == '\0' || incident_has_vector(i, f->vector));
}

/* A row: the incident beside what it is sorted by, so that sorting needs no context. */
struct row {
	const struct incident *incident;
	double key;
};

static int falling(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return strcmp(x->incident->id, y->incident->id);
}

static double key_of(const struct render *r, const struct filter *f, const struct incident *i)
{
	if (strcmp(f->order, "longest") == 0)
		return (double)incident_duration(i, r->snapshot->now).ns;
	if (strcmp(f->order, "severe") == 0)
		return i->severity;
	return (double)i->began_at.ns;
}

static void option(struct buf *b, const char *value, const char *name, bool chosen)
{
	buf_str(b, "<option value=\"");
	buf_html(b, value);
	buf_str(b, chosen ? "\" selected=\"selected\">" : "\">");
	buf_html(b, name);
	buf_str(b, "</option>");
}

/* For each service of the snapshot, whether it has an incident. Caller frees; NULL = no memory. */
static bool *with_incidents(const struct snapshot *s)
{
	bool *with = calloc(s->service_count + 1, sizeof(*with));

	for (size_t i = 0; with != NULL && i < s->incident_count; i++) {
		size_t index = catalogue_index(s->catalogue, s->incidents[i].service);
		if (index < s->service_count)
			with[index] = true;
	}
	return with;
}

enum { VECTORS_MAX = 64 };

/* Adds those that are not there yet. */
static void add_parts(const char *ids[VECTORS_MAX], size_t *count, const struct part *parts,
		      uint32_t part_count)
{
	for (uint32_t n = 0; n < part_count; n++) {
		size_t at = 0;
		while (at < *count && strcmp(ids[at], parts[n].id) != 0)
			at++;
		if (at == *count && at < VECTORS_MAX)
			ids[(*count)++] = parts[n].id;
	}
}

static int by_id(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static void vectors(const struct render *r, const struct filter *f)
{
	const struct snapshot *s = r->snapshot;
	const char *ids[VECTORS_MAX];
	size_t count = 0;

	for (size_t i = 0; i < s->incident_count; i++) {
		const struct incident *incident = &s->incidents[i];
		if (incident_kinds(incident) & INCIDENT_TRAFFIC)
			add_parts(ids, &count, incident->traffic.vectors,
				  incident->traffic.vector_count);
		if (incident_kinds(incident) & INCIDENT_REQUESTS)
			add_parts(ids, &count, incident->requests.findings,
				  incident->requests.finding_count);
	}
	if (count == 0)
		return;
	qsort(ids, count, sizeof(*ids), by_id);
	buf_str(r->out, "</select></div><div><label for=\"vector\">Vector</label><select "
			"id=\"vector\" name=\"vector\">");
	option(r->out, "", "All", f->vector[0] == '\0');
	for (size_t n = 0; n < count; n++) {
		const struct vector_row *row = vector_row_of(s, ids[n]);
		option(r->out, ids[n], row != NULL ? row->name : ids[n],
		       strcmp(f->vector, ids[n]) == 0);
	}
}

/* Within the list before: it is still open, and the last one stays so. */
static void kinds_and_vectors(const struct render *r, const struct filter *f)
{
	struct buf *b = r->out;
	buf_str(b, "</select></div><div><label for=\"kind\">Carried by</label><select "
		   "id=\"kind\" name=\"kind\">");
	option(b, "", "All", f->kind[0] == '\0');
	option(b, "reports", "Reports", strcmp(f->kind, "reports") == 0);
	option(b, "traffic", "Traffic", strcmp(f->kind, "traffic") == 0);
	option(b, "requests", "Requests", strcmp(f->kind, "requests") == 0);
	vectors(r, f);
}

static void form(const struct render *r, const struct filter *f)
{
	enum { SERVICES_OFFERED_MAX = 300 };
	const struct snapshot *s = r->snapshot;
	struct buf *b = r->out;
	size_t offered = 0;
	bool *with = with_incidents(s);

	if (with == NULL) {
		b->bad = true;
		return;
	}
	buf_str(b, "<form class=\"filter\" action=\"/history\"><div><label "
		   "for=\"service\">Service</label>"
		   "<select id=\"service\" name=\"service\">");
	option(b, "", "All", f->service == NULL);
	for (size_t i = 0; i < s->service_count && offered < SERVICES_OFFERED_MAX; i++) {
		const struct service *service = s->services[i]->service;
		if (s->services[i] != f->service && !with[i])
			continue;
		option(b, service->id, service->name, s->services[i] == f->service);
		offered++;
	}
	free(with);
	buf_str(b, "</select></div><div><label for=\"year\">Year</label><select id=\"year\" "
		   "name=\"year\">");
	option(b, "", "All", f->year == 0);
	int since = civil_of(s->since).year;
	for (int year = civil_of(s->now).year; year >= since && s->since.ns != 0; year--) {
		char text[16];
		snprintf(text, sizeof(text), "%d", year);
		option(b, text, text, f->year == year);
	}
	kinds_and_vectors(r, f);
	buf_str(b, "</select></div><div><label for=\"order\">Order</label><select id=\"order\" "
		   "name=\"order\">");
	option(b, "latest", "Latest first", strcmp(f->order, "latest") == 0);
	option(b, "longest", "Longest first", strcmp(f->order, "longest") == 0);
	option(b, "severe", "Most severe first", strcmp(f->order, "severe") == 0);
	buf_str(b, "</select></div><button>Show</button></form>\n");
}

static void page_link(const struct render *r, const struct filter *f, size_t page, const char *text)
{
	buf_fmt(r->out,
		" <a href=\"/history?service=%s&amp;year=%.0d&amp;kind=%s&amp;vector=%s&amp;"
		"order=%s&amp;page=%zu\">%s</a>",
		f->service != NULL ? f->service->service->id : "", f->year, f->kind, f->vector,
		f->order, page, text);
}

static void table(const struct render *r, const struct filter *f, const struct row *rows,
		  size_t count)
{
	size_t first = (f->page - 1) * ROWS_A_PAGE, last = first + ROWS_A_PAGE;

	if (count == 0 || first >= count) {
		buf_str(r->out, "<p class=\"empty\">No incident.</p>\n");
		return;
	}
	last = last < count ? last : count;
	buf_str(r->out, "<div class=\"scroll\" tabindex=\"0\" role=\"group\" "
			"aria-label=\"Incidents\"><table class=\"list\"><thead><tr><th "
			"scope=\"col\">Service</th>"
			"<th scope=\"col\">Began</th><th scope=\"col\">Lasted</th><th "
			"scope=\"col\">Peak</th><th scope=\"col\">Carried by</th>"
			"<th scope=\"col\">Severity</th><th scope=\"col\">Longest of the "
			"service</th></tr></thead><tbody>\n");
	for (size_t i = first; i < last; i++)
		html_incident_row(r, rows[i].incident, true);
	buf_fmt(r->out, "</tbody></table></div><p class=\"note\">%zu to %zu of %zu.", first + 1,
		last, count);
	if (f->page > 1)
		page_link(r, f, f->page - 1, "Before");
	if (last < count)
		page_link(r, f, f->page + 1, "More");
	buf_str(r->out, "</p>\n");
}

void page_history(const struct render *r)
{
	const struct snapshot *s = r->snapshot;
	struct filter f = read_filter(r);
	struct words w = html_words(r);
	struct row *rows = malloc((s->incident_count + 1) * sizeof(*rows));
	size_t count = 0;

	if (rows == NULL) {
		r->out->bad = true;
		return;
	}
	for (size_t i = 0; i < s->incident_count; i++) {
		const struct incident *incident = &s->incidents[i];
		if (passes(&f, incident))
			rows[count++] = (struct row){incident, key_of(r, &f, incident)};
	}
	qsort(rows, count, sizeof(*rows), falling);
	html_begin(r,
		   &(struct html_page){
			   .title = "History of incidents",
			   .description = "All incidents that were tracked: the longest, the most "
					  "severe, by service and year.",
			   .path = "/history",
		   });
	buf_str(r->out, "<h1>History</h1><p class=\"lead\">");
	words_count(r->out, (double)s->incident_count);
	buf_str(r->out, s->incident_count == 1 ? " incident" : " incidents");
	if (s->since.ns != 0) {
		buf_str(r->out, " tracked since ");
		words_date(&w, s->since);
	}
	buf_str(r->out, ".</p>\n");
	form(r, &f);
	table(r, &f, rows, count);
	html_end(r);
	free(rows);
}
