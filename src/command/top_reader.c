/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_reader.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { PATH_MAX_BYTES = 64 + INCIDENT_ID_MAX };

static void ask(struct top_reader *r, struct top_fetch *f, enum top_part part,
		const struct top_data *d)
{
	char path[PATH_MAX_BYTES] = "";
	const struct incident *i = part == TOP_TRACE ? top_open_find(&d->open, r->service) : NULL;

	r->part = part;
	switch (part) {
	case TOP_SERVICES: snprintf(path, sizeof(path), "/api/v1/services"); break;
	case TOP_NOW: snprintf(path, sizeof(path), "/api/v1/now"); break;
	case TOP_TRAFFIC:
		snprintf(path, sizeof(path), "/api/v1/services/%s/traffic", r->service);
		break;
	case TOP_TRACE:
		if (i != NULL)
			snprintf(path, sizeof(path), "/api/v1/incidents/%s/trace", i->id);
		break;
	case TOP_NOTHING: break;
	}
	if (path[0] != '\0')
		top_fetch_ask(f, path);
	else
		r->part = TOP_NOTHING;
}

void top_reader_begin(struct top_reader *r, struct top_fetch *f, const char *service)
{
	(void)text_copy(r->service, sizeof(r->service), service);
	ask(r, f, TOP_SERVICES, NULL);
}

/* True if there is a body to read. */
static bool is_answer(const struct top_answer *a, struct top_data *d)
{
	if (a->error[0] != '\0')
		snprintf(d->trouble, sizeof(d->trouble), "%s", a->error);
	else if (a->status == 429 || a->status == 503)
		snprintf(d->trouble, sizeof(d->trouble), "it is busy (status %ld)", a->status);
	else if (a->status != 200)
		snprintf(d->trouble, sizeof(d->trouble), "that is no whydown (status %ld)",
			 a->status);
	return d->trouble[0] == '\0';
}

static enum wd_err read_services(const struct top_answer *a, struct top_data *d,
				 struct wd_why *why)
{
	struct top_services services;
	enum wd_err err = top_read_services(a->body, a->len, a->date, &services, why);
	if (err != WD_OK)
		return err;
	top_services_done(&d->services);
	d->services = services;
	return WD_OK;
}

/* What is gone in the meantime has no details: no trouble. */
static bool is_gone(const struct top_reader *r, const struct top_answer *a)
{
	return r->part >= TOP_TRAFFIC && a->error[0] == '\0' && a->status == 404;
}

static enum wd_err read_part(const struct top_reader *r, const struct top_answer *a,
			     struct top_data *d, struct wd_why *why)
{
	switch (r->part) {
	case TOP_SERVICES: return read_services(a, d, why);
	case TOP_NOW: return top_read_open(a->body, a->len, &d->open, why);
	case TOP_TRAFFIC: return top_read_traffic(a->body, a->len, &d->detail, why);
	case TOP_TRACE: return top_read_trace(a->body, a->len, &d->detail, why);
	case TOP_NOTHING: break;
	}
	return WD_OK;
}

/* Of another service than before: what was known of that one goes. */
static void begin_detail(const struct top_reader *r, struct top_detail *d)
{
	if (strcmp(d->service, r->service) == 0)
		return;
	d->has_trace = false;
	d->packets.count = d->requests.count = 0;
	memcpy(d->service, r->service, sizeof(d->service));
}

bool top_reader_take(struct top_reader *r, struct top_fetch *f, const struct top_answer *a,
		     struct top_data *d)
{
	struct wd_why why;

	d->trouble[0] = '\0';
	if (r->part == TOP_TRAFFIC)
		begin_detail(r, &d->detail);
	if (r->part == TOP_TRACE && is_gone(r, a))
		d->detail.has_trace = false;
	if (!is_gone(r, a) && is_answer(a, d) && read_part(r, a, d, &why) != WD_OK)
		snprintf(d->trouble, sizeof(d->trouble), "%s", why.what);
	if (d->trouble[0] != '\0')
		r->part = TOP_NOTHING;
	else if (r->part == TOP_NOW && (r->service[0] == '\0' ||
					top_services_find(&d->services, r->service) == NULL))
		r->part = TOP_NOTHING;
	else
		ask(r, f, r->part == TOP_TRACE ? TOP_NOTHING : r->part + 1, d);
	return r->part == TOP_NOTHING;
}
