/* SPDX-License-Identifier: Apache-2.0 */
/* traffic_fixture: makes frames, capture files and sFlow datagrams, for tests, fuzz targets and
 * benchmarks. Each function appends to what is there; lengths that stand ahead of what they
 * count are filled in by fixture_close. */
#ifndef WD_DECODE_TRAFFIC_FIXTURE_H
#define WD_DECODE_TRAFFIC_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

enum { FIXTURE_MAX = 1 << 16 };

struct fixture {
	size_t len;
	uint8_t bytes[FIXTURE_MAX];
};

void fixture_bytes(struct fixture *f, const void *bytes, size_t len);
void fixture_u8(struct fixture *f, uint32_t x);
void fixture_u16(struct fixture *f, uint32_t x); /* network order */
void fixture_u32(struct fixture *f, uint32_t x);
/* "08 00 45": two digits a byte, spaces as you like. */
void fixture_hex(struct fixture *f, const char *hex);
/* The number of bytes since `at`, plus `more`, as two or four bytes in network order at `place`. */
void fixture_close16(struct fixture *f, size_t place, size_t at, size_t more);
void fixture_close32(struct fixture *f, size_t place, size_t at, size_t more);

void fixture_ethernet(struct fixture *f, uint16_t type);
/* The header of a packet that carries `payload` more bytes; from 198.51.100.x to 192.0.2.1. */
void fixture_ipv4(struct fixture *f, uint8_t protocol, size_t payload, uint8_t from);
/* From 2001:db8::x to 2001:db8::1. */
void fixture_ipv6(struct fixture *f, uint8_t next, size_t payload, uint8_t from);
void fixture_udp(struct fixture *f, uint16_t sport, uint16_t dport, size_t payload);
/* sequence 0x01020304, window 1024; options_len a multiple of 4. */
void fixture_tcp(struct fixture *f, uint16_t sport, uint16_t dport, uint8_t flags,
		 size_t options_len);

/* One datagram: sFlow's header, then `samples` samples that the caller appends. */
void fixture_sflow(struct fixture *f, uint32_t sequence, uint32_t samples);
/* A flow sample of interface 3 with one raw header of Ethernet, of a frame of 1518 bytes. */
void fixture_sflow_sample(struct fixture *f, uint32_t sequence, uint32_t sampling,
			  const struct fixture *frame);

#endif
