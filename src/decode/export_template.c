/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of templates: RFC 3954, 5.2 and 6.1 (v9), RFC 7011, 3.4 and 8.1 (IPFIX). */
#include "decode/export_read.h"
#include "decode/export_wire.h"

enum { ID_MIN = 256, ENTERPRISE = 0x8000, V9 = 9 };

struct definition {
	uint16_t id;
	size_t count, scopes; /* of fields; the scopes come first */
	bool options;
	uint64_t fingerprint;
};

static void install(struct export_read *r, const struct definition *d)
{
	struct exports *e = r->e;
	struct exporter *x = read_exporter(r);
	struct template *t = store_template(e, r->exporter, d->id, r->now);
	struct plan plan;
	if (t != NULL && t->fingerprint == d->fingerprint) {
		t->announced = r->now;
		r->useful = true;
		return;
	}
	if (d->count > EXPORT_FIELDS_MAX ||
	    plan_compile(e->fields, d->count, &plan, NULL) != WD_OK) {
		x->counts.templates_refused++;
		if (t != NULL) /* its records no longer look like this */
			store_template_forget(e, t);
		return;
	}
	if (t != NULL)
		x->counts.templates_changed++;
	else if ((t = store_template_new(e, r->exporter, d->id)) != NULL)
		x->counts.templates_new++;
	else {
		x->counts.templates_refused++;
		return;
	}
	t->fingerprint = d->fingerprint;
	t->announced = r->now;
	t->plan = plan;
	t->options = (struct option_plan){0};
	if (d->options)
		option_compile(e->fields, d->count, d->scopes, r->version, &t->options);
	r->none_left[d->options] = false;
	store_held_ready(e, r->exporter);
	r->useful = true;
}

/* Withdrawn: that template, or all of the set's kind if it names the set (RFC 7011, 8.1). */
static void withdraw(struct export_read *r, uint16_t id, bool options)
{
	struct exporter *x = read_exporter(r);
	struct template *t;
	if (id >= ID_MIN) {
		t = store_template(r->e, r->exporter, id, r->now);
		if (t != NULL) {
			store_template_forget(r->e, t);
			x->counts.templates_withdrawn++;
		}
		return;
	}
	uint32_t next = r->none_left[options] ? NONE : x->templates.first;
	r->none_left[options] = true; /* so that a thousand such in one set cost what one does */
	while (next != NONE) {
		t = &r->e->templates[next];
		next = t->in_exporter.next;
		if (t->options.is_options != options)
			continue;
		store_template_forget(r->e, t);
		x->counts.templates_withdrawn++;
	}
}

/* Fields into e->fields; 0 if the set ends before they do. What exceeds EXPORT_FIELDS_MAX is
 * read past. */
static size_t read_fields(struct export_read *r, const uint8_t *bytes, size_t len, size_t count)
{
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		struct plan_field f = {0};
		if (len - at < 4)
			return 0;
		f.element = wire_u16(bytes + at);
		f.width = wire_u16(bytes + at + 2);
		at += 4;
		if (r->version != V9 && (f.element & ENTERPRISE)) {
			if (len - at < 4)
				return 0;
			f.element &= ~ENTERPRISE & UINT16_MAX;
			f.enterprise = wire_u32(bytes + at);
			at += 4;
		}
		if (i < EXPORT_FIELDS_MAX)
			r->e->fields[i] = f;
	}
	return at;
}

/* The header of one definition; 0 if there is none. */
static size_t read_header(const struct export_read *r, const uint8_t *bytes, size_t len,
			  bool options, struct definition *d)
{
	*d = (struct definition){
		.id = wire_u16(bytes), .options = options, .count = wire_u16(bytes + 2)};
	if (!options || (r->version != V9 && d->count == 0))
		return 4;
	if (len < 6)
		return 0;
	d->scopes = wire_u16(bytes + 4);
	if (r->version == V9) { /* both are bytes there, and the scopes' come first */
		size_t scope_bytes = d->count;
		d->count = (scope_bytes + d->scopes) / 4;
		d->scopes = scope_bytes / 4;
	}
	return 6;
}

void read_templates(struct export_read *r, const uint8_t *bytes, size_t len, bool options)
{
	struct exporter *x = read_exporter(r);
	size_t at = 0;
	while (len - at >= 4) {
		struct definition d;
		size_t header = read_header(r, bytes + at, len - at, options, &d);
		if (d.id < ID_MIN && d.count == 0 && d.id == (options ? 3 : 2) &&
		    r->version != V9) {
			withdraw(r, d.id, options);
			at += header;
			continue;
		}
		if (d.id == 0 && d.count == 0)
			return; /* padding */
		if (header == 0 || d.id < ID_MIN) {
			r->malformed = true;
			return;
		}
		if (d.count == 0 && r->version != V9) {
			withdraw(r, d.id, options);
			at += header;
			continue;
		}
		size_t fields = read_fields(r, bytes + at + header, len - at - header, d.count);
		if (fields == 0 || d.scopes > d.count) {
			r->malformed = true;
			x->counts.templates_refused++;
			return;
		}
		d.fingerprint = hash_bytes(&r->e->key, bytes + at, header + fields) ^ options;
		at += header + fields;
		install(r, &d);
	}
}
