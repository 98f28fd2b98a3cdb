/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_read.h"

#include "base/text.h"
#include "base/timetext.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Every value but the first stands after one of these, in or out of a string. */
static bool is_too_full(const char *text, size_t len)
{
	size_t values = 0;
	for (size_t i = 0; i < len; i++)
		values += text[i] == '{' || text[i] == '[' || text[i] == ',';
	return values > TOP_VALUES_MAX;
}

/* The object that an answer is; NULL and *ret_err if it is none. */
static json_t *parse(const char *text, size_t len, enum wd_err *ret_err, struct wd_why *why)
{
	if (len > TOP_JSON_MAX || is_too_full(text, len)) {
		*ret_err = wd_fail(why, WD_FULL, 0, "the answer is too long");
		return NULL;
	}
	json_t *root = json_loadb(text, len, 0, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		*ret_err = wd_fail(why, WD_MALFORMED, 0, "the answer is not whydown's");
		return NULL;
	}
	return root;
}

/* Not negative and not absurd; everything else is not known. */
static double number_of(const json_t *value)
{
	double x = json_number_value(value);
	return json_is_number(value) && x >= 0 && x < 1e18 ? x : -1;
}

static double number(const json_t *o, const char *name)
{
	return number_of(json_object_get(o, name));
}

static void text(const json_t *o, const char *name, char *dst, size_t size)
{
	const char *value = json_string_value(json_object_get(o, name));
	(void)text_copy(dst, size, value != NULL ? value : "");
}

/* 0 = not known. */
static wd_wall time_of(const json_t *o, const char *name)
{
	const json_t *value = json_object_get(o, name);
	wd_wall t = {0};
	if (json_is_string(value) &&
	    timetext_read(json_string_value(value), json_string_length(value), &t, NULL) != WD_OK)
		t.ns = 0;
	return t;
}

/* An id that may stand in an address; false if it may not. */
static bool id_of(const json_t *o, char *dst, size_t size)
{
	const char *value = json_string_value(json_object_get(o, "id"));
	return value != NULL && text_is_id(value, strlen(value), size - 1) &&
	       text_copy(dst, size, value);
}

static enum top_status status_of(const json_t *o)
{
	static const char *const names[] = {"unknown", "usual", "unusual", "incident"};
	const char *value = json_string_value(json_object_get(o, "status"));
	for (unsigned i = 0; value != NULL && i < TOP_STATUSES; i++) {
		if (strcmp(value, names[i]) == 0)
			return (enum top_status)i;
	}
	return TOP_UNKNOWN;
}

/* ---- services ---- */

/* What was long ago is not now. In seconds: in ns the years 1700 and 2200 are too far apart. */
static bool is_fresh(wd_wall at, wd_wall now)
{
	return at.ns != 0 && wall_to_s(now) - wall_to_s(at) < TOP_FRESH_S;
}

/* What is usual of a silent service comes near nothing, and is never quite: no times of that. */
static double times(double now, double usual)
{
	return now >= 0 && usual >= TOP_USUAL_MIN ? now / usual : -1;
}

static void read_reports(const json_t *last, struct top_service *s)
{
	double step_s = number(last, "step_s");
	s->reports = s->usual_reports = -1;
	if (step_s < 1)
		return;
	double observed = number(last, "observed"), expected = number(last, "expected");
	s->reports = observed < 0 ? -1 : observed * 60 / step_s;
	s->usual_reports = expected < 0 ? -1 : expected * 60 / step_s;
}

static void read_part(const json_t *t, struct top_service *s)
{
	const json_t *top = json_object_get(t, "top"), *finding = json_object_get(t, "finding");
	const json_t *part = json_is_object(top) ? top : finding;
	text(part, "id", s->part, sizeof(s->part));
	s->part_share = number(part, "share");
}

static void read_row(const json_t *o, wd_wall now, struct top_service *s)
{
	const json_t *t = json_object_get(o, "traffic");
	wd_wall flows_at = time_of(t, "flows_at"), requests_at = time_of(t, "requests_at");
	const json_t *flows = is_fresh(flows_at, now) ? t : NULL;
	const json_t *requests = is_fresh(requests_at, now) ? t : NULL;

	text(o, "name", s->name, sizeof(s->name));
	if (s->name[0] == '\0')
		(void)text_copy(s->name, sizeof(s->name), s->id);
	s->status = status_of(o);
	read_reports(json_object_get(o, "last"), s);
	s->watched = json_is_object(t);
	s->cold = json_is_true(json_object_get(t, "cold"));
	s->silent = (flows_at.ns != 0 && flows == NULL) ||
		    (requests_at.ns != 0 && requests == NULL);
	s->packets = number(flows, "packets_per_s");
	s->usual_packets = s->cold ? -1 : number(flows, "usual_packets_per_s");
	s->bits = number(flows, "bits_per_s");
	s->usual_bits = s->cold ? -1 : number(flows, "usual_bits_per_s");
	s->records = number(flows, "records_per_s");
	s->sources = number(flows, "sources");
	s->requests = number(requests, "requests_per_s");
	s->usual_requests = number(requests, "usual_requests_per_s");
	s->clients = number(requests, "clients");
	read_part(t, s);
	double by_packets = times(s->packets, s->usual_packets);
	double by_requests = times(s->requests, s->usual_requests);
	s->ratio = by_packets > by_requests ? by_packets : by_requests;
	if (s->ratio < 0)
		s->ratio = times(s->reports, s->usual_reports);
}

enum wd_err top_read_services(const char *bytes, size_t len, wd_wall now, struct top_services *ret,
			      struct wd_why *why)
{
	enum wd_err err = WD_OK;
	json_t *root = parse(bytes, len, &err, why);
	if (root == NULL)
		return err;
	const json_t *list = json_object_get(root, "services");
	struct top_services s = {.now = now.ns != 0 ? now : time_of(root, "now")};
	size_t all = json_array_size(list), room = all < TOP_SERVICES_MAX ? all : TOP_SERVICES_MAX;

	if (!json_is_array(list))
		err = wd_fail(why, WD_MALFORMED, 0, "the answer lists no services");
	else if ((s.rows = calloc(room + 1, sizeof(*s.rows))) == NULL)
		err = wd_fail(why, WD_NOMEM, 0, "read services");
	for (size_t i = 0; err == WD_OK && i < all; i++) {
		const json_t *o = json_array_get(list, i);
		struct top_service *row = &s.rows[s.count]; /* there is one more than `room` */
		if (s.count == room || !id_of(o, row->id, sizeof(row->id))) {
			s.left_out++;
			continue;
		}
		read_row(o, s.now, row);
		s.count++;
	}
	json_decref(root);
	if (err == WD_OK)
		*ret = s;
	return err;
}

void top_services_done(struct top_services *s)
{
	free(s->rows);
	*s = (struct top_services){0};
}

const struct top_service *top_services_find(const struct top_services *s, const char *id)
{
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->rows[i].id, id) == 0)
			return &s->rows[i];
	}
	return NULL;
}

/* ---- open incidents ---- */

/* In the form that the store reads, with that reader's checks; its id is asked for. */
static bool read_incident(const json_t *o, struct incident *i)
{
	char *inner = json_dumps(o, JSON_COMPACT);
	bool read = inner != NULL && incident_from_json(inner, strlen(inner), i, NULL) == WD_OK &&
		    text_is_id(i->id, strlen(i->id), INCIDENT_ID_MAX);
	free(inner);
	return read;
}

enum wd_err top_read_open(const char *bytes, size_t len, struct top_open *ret, struct wd_why *why)
{
	enum wd_err err = WD_OK;
	json_t *root = parse(bytes, len, &err, why);
	if (root == NULL)
		return err;
	const json_t *list = json_object_get(root, "incidents");
	if (!json_is_array(list)) {
		json_decref(root);
		return wd_fail(why, WD_MALFORMED, 0, "the answer lists no incidents");
	}
	ret->count = ret->left_out = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (ret->count < TOP_OPEN_MAX &&
		    read_incident(json_array_get(list, i), &ret->rows[ret->count]))
			ret->count++;
		else
			ret->left_out++;
	}
	json_decref(root);
	return WD_OK;
}

const struct incident *top_open_find(const struct top_open *o, const char *service)
{
	for (size_t i = 0; i < o->count; i++) {
		if (strcmp(o->rows[i].service, service) == 0)
			return &o->rows[i];
	}
	return NULL;
}

/* ---- one service ---- */

/* The latest points, if there are too many. */
static void read_series(const json_t *o, struct top_series *s)
{
	const json_t *list = json_object_get(o, "observed");
	size_t all = json_array_size(list), skip = all > TOP_POINTS_MAX ? all - TOP_POINTS_MAX : 0;

	*s = (struct top_series){.step_s = number(o, "step_s")};
	if (!(s->step_s > 0 && s->step_s <= 86400))
		return;
	for (size_t i = skip; i < all; i++)
		s->observed[s->count++] = (float)number_of(json_array_get(list, i));
}

enum wd_err top_read_traffic(const char *bytes, size_t len, struct top_detail *d,
			     struct wd_why *why)
{
	enum wd_err err = WD_OK;
	json_t *root = parse(bytes, len, &err, why);
	if (root == NULL)
		return err;
	read_series(json_object_get(root, "packets_per_s"), &d->packets);
	read_series(json_object_get(root, "requests_per_s"), &d->requests);
	json_decref(root);
	return WD_OK;
}

enum wd_err top_read_trace(const char *bytes, size_t len, struct top_detail *d,
			   struct wd_why *why)
{
	if (len > TRACE_JSON_MAX || is_too_full(bytes, len))
		return wd_fail(why, WD_FULL, 0, "the trace is too long");
	enum wd_err err = trace_from_json(bytes, len, &d->trace, why);
	if (err == WD_OK)
		d->has_trace = d->trace.vector_count > 0;
	return err;
}
