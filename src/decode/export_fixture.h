/* SPDX-License-Identifier: Apache-2.0 */
/* export_fixture: datagrams of NetFlow v5, v9 and IPFIX for tests and benchmarks, built a set
 * at a time. What does not fit into 65,535 bytes fails a check. */
#ifndef WD_DECODE_EXPORT_FIXTURE_H
#define WD_DECODE_EXPORT_FIXTURE_H

#include "decode/export.h"

struct datagram {
	uint8_t bytes[65535];
	size_t len, set; /* where the open set begins; 0 = none */
	uint16_t version;
};

struct datagram_header {
	uint16_t version; /* 5, 9 or 10 */
	uint32_t sequence, source_id, uptime_ms;
	uint32_t at_s;
	uint16_t sampling; /* v5 */
};

/* An element and its width; of IPFIX with an enterprise number if that is not 0. */
struct datagram_field {
	uint16_t element, width;
	uint32_t enterprise;
};

void datagram_begin(struct datagram *d, const struct datagram_header *h);
/* v9 and IPFIX; the set before is ended. */
void datagram_set(struct datagram *d, uint16_t id);
/* Into a set of templates (and v9's or IPFIX's set of options' templates, scopes first). */
void datagram_template(struct datagram *d, uint16_t id, const struct datagram_field *fields,
		       size_t count);
void datagram_options(struct datagram *d, uint16_t id, const struct datagram_field *fields,
		      size_t count, size_t scopes);
void datagram_uint(struct datagram *d, uint64_t x, size_t width);
void datagram_bytes(struct datagram *d, const void *bytes, size_t len);
/* A record of v5; the header's count goes up. */
void datagram_v5(struct datagram *d, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport,
		 uint8_t protocol, uint32_t packets, uint32_t octets);
/* Ends the set and writes the lengths; may be called again after more was added. */
void datagram_end(struct datagram *d);

/* struct exports as the tests open it, and the exporter 192.0.2.1. */
struct exports *fixture_exports(void);
struct exporter_address fixture_exporter(uint32_t address);

/* Templates as routers send them: addresses, ports, protocol, counters, times, interfaces. */
extern const struct datagram_field fixture_v9_fields[18];
extern const struct datagram_field fixture_ipfix_fields[14];
extern const struct datagram_field fixture_ipfix6_fields[12];
/* Fills records of them, 10.0.0.0/8 to 192.0.2.0/24, from a running number. */
void fixture_records(struct datagram *d, const struct datagram_field *fields, size_t count,
		     size_t records, uint64_t from);

#endif
