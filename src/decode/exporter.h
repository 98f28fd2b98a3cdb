/* SPDX-License-Identifier: Apache-2.0 */
/* exporter: who sent a datagram of telemetry, by its address. Plain values. */
#ifndef WD_DECODE_EXPORTER_H
#define WD_DECODE_EXPORTER_H

#include <stdint.h>

/* Network order, IPv4 in the first four bytes, then zeros (as in struct flow). */
struct exporter_address {
	uint8_t bytes[16];
	uint8_t family; /* 4 or 6 */
};

#endif
