/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/export_fixture.h"

#include "base/check.h"

#include <string.h>

const struct datagram_field fixture_v9_fields[18] = {
	{21, 4}, {22, 4}, {1, 4},  {2, 4},  {10, 2}, {14, 2}, {8, 4}, {12, 4}, {4, 1},
	{5, 1},  {7, 2},  {11, 2}, {15, 4}, {9, 1},  {13, 1}, {6, 1}, {16, 2}, {17, 2},
};
const struct datagram_field fixture_ipfix_fields[14] = {
	{8, 4},  {12, 4}, {5, 1}, {4, 1}, {7, 2},   {11, 2},  {10, 4},
	{14, 4}, {6, 2},  {2, 8}, {1, 8}, {152, 8}, {153, 8}, {136, 1},
};
const struct datagram_field fixture_ipfix6_fields[12] = {
	{27, 16}, {28, 16}, {5, 1}, {4, 1}, {7, 2},   {11, 2},
	{10, 4},  {6, 2},   {2, 8}, {1, 8}, {152, 8}, {153, 8},
};

void datagram_bytes(struct datagram *d, const void *bytes, size_t len)
{
	WD_CHECK(len <= sizeof(d->bytes) - d->len);
	if (len > 0)
		memcpy(d->bytes + d->len, bytes, len);
	d->len += len;
}

static void put(uint8_t *to, uint64_t x, size_t width)
{
	for (size_t i = width; i-- > 0; x = i < 8 ? x >> 8 : x)
		to[i] = (uint8_t)x;
}

void datagram_uint(struct datagram *d, uint64_t x, size_t width)
{
	WD_CHECK(width <= sizeof(d->bytes) - d->len);
	for (size_t i = width; i-- > 0; x >>= 8)
		d->bytes[d->len + i] = (uint8_t)x;
	d->len += width;
}

void datagram_begin(struct datagram *d, const struct datagram_header *h)
{
	d->len = d->set = 0;
	d->version = h->version;
	datagram_uint(d, h->version, 2);
	datagram_uint(d, 0, 2); /* count, or length */
	if (h->version != 10)
		datagram_uint(d, h->uptime_ms, 4);
	datagram_uint(d, h->at_s, 4);
	if (h->version == 5)
		datagram_uint(d, 0, 4);
	datagram_uint(d, h->sequence, 4);
	datagram_uint(d, h->source_id, h->version == 5 ? 2 : 4);
	if (h->version == 5)
		datagram_uint(d, h->sampling, 2);
}

void datagram_end(struct datagram *d)
{
	if (d->set != 0)
		put(d->bytes + d->set + 2, d->len - d->set, 2);
	if (d->version == 10)
		put(d->bytes + 2, d->len, 2);
}

void datagram_set(struct datagram *d, uint16_t id)
{
	datagram_end(d);
	d->set = d->len;
	datagram_uint(d, id, 2);
	datagram_uint(d, 0, 2);
}

static void fields_put(struct datagram *d, const struct datagram_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		datagram_uint(d, fields[i].element | (fields[i].enterprise != 0) << 15, 2);
		datagram_uint(d, fields[i].width, 2);
		if (fields[i].enterprise != 0)
			datagram_uint(d, fields[i].enterprise, 4);
	}
}

void datagram_template(struct datagram *d, uint16_t id, const struct datagram_field *fields,
		       size_t count)
{
	datagram_uint(d, id, 2);
	datagram_uint(d, count, 2);
	fields_put(d, fields, count);
}

void datagram_options(struct datagram *d, uint16_t id, const struct datagram_field *fields,
		      size_t count, size_t scopes)
{
	datagram_uint(d, id, 2);
	datagram_uint(d, d->version == 9 ? scopes * 4 : count, 2);
	datagram_uint(d, d->version == 9 ? (count - scopes) * 4 : scopes, 2);
	fields_put(d, fields, count);
}

void datagram_v5(struct datagram *d, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport,
		 uint8_t protocol, uint32_t packets, uint32_t octets)
{
	uint16_t count = (uint16_t)(d->bytes[2] << 8 | d->bytes[3]);
	put(d->bytes + 2, count + 1u, 2);
	datagram_uint(d, src, 4);
	datagram_uint(d, dst, 4);
	datagram_uint(d, 0, 8); /* next hop, interfaces */
	datagram_uint(d, packets, 4);
	datagram_uint(d, octets, 4);
	datagram_uint(d, 900, 4); /* first, last: uptimes */
	datagram_uint(d, 950, 4);
	datagram_uint(d, sport, 2);
	datagram_uint(d, dport, 2);
	datagram_uint(d, 0x12, 2); /* padding, flags: SYN, ACK */
	datagram_uint(d, protocol, 1);
	datagram_uint(d, 0, 1);
	datagram_uint(d, 64500, 2);
	datagram_uint(d, 64501, 2);
	datagram_uint(d, 0, 4);
}

struct exports *fixture_exports(void)
{
	static const struct hash_key key = {{1, 2, 3}};
	struct exports_limits limits = exports_limits_default();
	struct exports *e;
	WD_CHECK(exports_open(&limits, &key, &e) == WD_OK);
	return e;
}

struct exporter_address fixture_exporter(uint32_t address)
{
	struct exporter_address a = {.family = 4};
	put(a.bytes, address, 4);
	return a;
}

static uint64_t value(uint16_t element, uint64_t n)
{
	switch (element) {
	case 1: return 100 + n % 1400;
	case 2: return 1 + n % 3;
	case 4: return n % 5 == 0 ? 6 : 17;
	case 6: return 0x10;
	case 7: return 1024 + n % 60000;
	case 8: return UINT32_C(10) << 24 | (hash_mix(n) & 0xffffff);
	case 11: return n % 2 ? 443 : 53;
	case 12: return UINT32_C(192) << 24 | 2 << 8 | (n & 255);
	case 16: return 64500;
	case 17: return 64501;
	case 21: return 59000;
	case 22: return 58000;
	case 152: return UINT64_C(1700000000000) + n % 1000;
	case 153: return UINT64_C(1700000001000) + n % 1000;
	default: return n & 0xff;
	}
}

void fixture_records(struct datagram *d, const struct datagram_field *fields, size_t count,
		     size_t records, uint64_t from)
{
	for (size_t i = 0; i < records; i++)
		for (size_t k = 0; k < count; k++)
			datagram_uint(d, value(fields[k].element, from + i), fields[k].width);
}
