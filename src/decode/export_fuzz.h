/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets that read exports have in common: tables small enough to fill up, and what
 * holds for every flow. */
#ifndef WD_DECODE_EXPORT_FUZZ_H
#define WD_DECODE_EXPORT_FUZZ_H

#include "base/check.h"
#include "decode/export.h"

static const struct exports_limits export_fuzz_limits = {
	.exporters = 8,
	.templates = 24,
	.templates_per_exporter = 12,
	.samplers = 16,
	.samplers_per_exporter = 6,
	.held_bytes = 8192,
	.held_life = {60 * WD_NS_PER_S},
	.template_life = {3600 * WD_NS_PER_S},
};

/* Reads each byte of its payload; their sum. */
static inline uint64_t export_fuzz_flow(const struct flow *f)
{
	uint64_t sum = 0;
	WD_CHECK(f->family == 4 || f->family == 6);
	WD_CHECK(f->sampling >= 1);
	WD_CHECK(f->first_ms <= f->last_ms);
	for (size_t k = 0; k < f->payload_len; k++)
		sum += f->payload[k];
	return sum;
}

#endif
