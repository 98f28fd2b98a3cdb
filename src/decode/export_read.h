/* SPDX-License-Identifier: Apache-2.0 */
/* export_read: one datagram on its way through: what export.c, export_template.c and
 * export_option.c hand to each other. Internal to the decoders of exports. */
#ifndef WD_DECODE_EXPORT_READ_H
#define WD_DECODE_EXPORT_READ_H

#include "decode/export_store.h"

struct export_read {
	struct exports *e;
	uint32_t exporter;
	uint16_t version;
	wd_wall now;
	struct plan_context context;
	struct flow *out;
	size_t cap, flows, records;
	bool uncounted; /* records of unknown templates were in it */
	bool useful, malformed;
	bool none_left[2]; /* of templates, and of those of options: all were withdrawn */
};

static inline struct exporter *read_exporter(const struct export_read *r)
{
	return &r->e->exporters[r->exporter];
}

/* The body of a set of templates, or of templates of options. */
void read_templates(struct export_read *r, const uint8_t *bytes, size_t len, bool options);

/* Which fields of options are read. */
void option_compile(const struct plan_field *fields, size_t count, size_t scopes, uint16_t version,
		    struct option_plan *ret_options);
/* The body of a set of options' data. */
void read_options(struct export_read *r, const struct template *t, const uint8_t *bytes,
		  size_t len);

/* NetFlow v5, whole. Returns whether the header says what is there. */
enum wd_err read_v5(struct export_read *r, const uint8_t *bytes, size_t len, struct wd_why *why)
	WD_MUST_CHECK;

/* What the sequence number says; `step` is by how much this datagram moves it on. */
void read_sequence(struct export_read *r, uint32_t sequence, uint32_t step);
void read_uptime(struct export_read *r, uint32_t uptime_ms);

#endif
