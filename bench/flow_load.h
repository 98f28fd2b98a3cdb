/* SPDX-License-Identifier: Apache-2.0 */
/* flow_load: the flow records that measurements send or read, as an exporter's datagrams in
 * memory: 200,000 sources with a Zipf law to 256 addresses of 198.51.100.0/24 and, in the
 * second half, a forged SYN flood (a new source each record), DNS amplification and UDP to all
 * of them: with 10 million records about 1.5 million different sources. Spoofed: nothing but
 * the SYN flood. Always the same ones. */
#ifndef WD_BENCH_FLOW_LOAD_H
#define WD_BENCH_FLOW_LOAD_H

#include "base/prng.h"
#include "base/units.h"
#include "intake/export_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOW_LOAD_RECORDS_MAX = 50000000 };

/* One datagram after the other. */
struct flow_load {
	uint8_t *bytes;
	size_t len, cap;
	uint32_t *lens;
	size_t count, lens_cap;
};

/* The next record: of the flood alone, of usual traffic and attacks, or of usual traffic. */
struct flow flow_load_flow(struct prng *r, bool spoofed, bool attacked);

/* `at` is the exporter's time. Ends the program where memory does not suffice. */
struct flow_load flow_load_make(enum export_format format, uint64_t records, bool spoofed,
				wd_wall at);
void flow_load_free(struct flow_load *l);

#endif
