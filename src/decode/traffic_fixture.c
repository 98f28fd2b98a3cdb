/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/traffic_fixture.h"

#include "base/check.h"

#include <string.h>

void fixture_bytes(struct fixture *f, const void *bytes, size_t len)
{
	WD_CHECK(len <= sizeof(f->bytes) - f->len);
	memcpy(f->bytes + f->len, bytes, len);
	f->len += len;
}

void fixture_u8(struct fixture *f, uint32_t x)
{
	uint8_t byte = (uint8_t)x;
	fixture_bytes(f, &byte, 1);
}

void fixture_u16(struct fixture *f, uint32_t x)
{
	fixture_u8(f, x >> 8);
	fixture_u8(f, x);
}

void fixture_u32(struct fixture *f, uint32_t x)
{
	fixture_u16(f, x >> 16);
	fixture_u16(f, x);
}

static uint32_t digit(char c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, c);
	WD_CHECK(c != '\0' && at != NULL);
	return (uint32_t)(at - digits);
}

void fixture_hex(struct fixture *f, const char *hex)
{
	for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2)
		if (*hex != ' ')
			fixture_u8(f, digit(hex[0]) << 4 | digit(hex[1]));
}

void fixture_close16(struct fixture *f, size_t place, size_t at, size_t more)
{
	size_t n = f->len - at + more;
	f->bytes[place] = (uint8_t)(n >> 8);
	f->bytes[place + 1] = (uint8_t)n;
}

void fixture_close32(struct fixture *f, size_t place, size_t at, size_t more)
{
	size_t n = f->len - at + more;
	f->bytes[place] = (uint8_t)(n >> 24);
	f->bytes[place + 1] = (uint8_t)(n >> 16);
	f->bytes[place + 2] = (uint8_t)(n >> 8);
	f->bytes[place + 3] = (uint8_t)n;
}

void fixture_ethernet(struct fixture *f, uint16_t type)
{
	fixture_hex(f, "02 00 00 00 00 01 02 00 00 00 00 02");
	fixture_u16(f, type);
}

void fixture_ipv4(struct fixture *f, uint8_t protocol, size_t payload, uint8_t from)
{
	fixture_hex(f, "45 00");
	fixture_u16(f, (uint32_t)(20 + payload));
	fixture_hex(f, "00 01 00 00 40");
	fixture_u8(f, protocol);
	fixture_hex(f, "00 00 c6 33 64");
	fixture_u8(f, from);
	fixture_hex(f, "c0 00 02 01");
}

void fixture_ipv6(struct fixture *f, uint8_t next, size_t payload, uint8_t from)
{
	fixture_hex(f, "60 00 00 00");
	fixture_u16(f, (uint32_t)payload);
	fixture_u8(f, next);
	fixture_hex(f, "3f 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00");
	fixture_u8(f, from);
	fixture_hex(f, "20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01");
}

void fixture_udp(struct fixture *f, uint16_t sport, uint16_t dport, size_t payload)
{
	fixture_u16(f, sport);
	fixture_u16(f, dport);
	fixture_u16(f, (uint32_t)(8 + payload));
	fixture_u16(f, 0);
}

void fixture_tcp(struct fixture *f, uint16_t sport, uint16_t dport, uint8_t flags,
		 size_t options_len)
{
	fixture_u16(f, sport);
	fixture_u16(f, dport);
	fixture_hex(f, "01 02 03 04 00 00 00 00");
	fixture_u8(f, (uint32_t)(5 + options_len / 4) << 4);
	fixture_u8(f, flags);
	fixture_hex(f, "04 00 00 00 00 00");
	for (size_t i = 0; i < options_len; i++)
		fixture_u8(f, 1);
}

void fixture_sflow(struct fixture *f, uint32_t sequence, uint32_t samples)
{
	fixture_hex(f, "00 00 00 05 00 00 00 01 0a 00 00 01 00 00 00 07");
	fixture_u32(f, sequence);
	fixture_u32(f, 60000);
	fixture_u32(f, samples);
}

void fixture_sflow_sample(struct fixture *f, uint32_t sequence, uint32_t sampling,
			  const struct fixture *frame)
{
	fixture_u32(f, 1);
	size_t len_at = f->len;
	fixture_u32(f, 0);
	fixture_u32(f, sequence);
	fixture_u32(f, 3);
	fixture_u32(f, sampling);
	fixture_u32(f, sequence * sampling);
	fixture_hex(f, "00 00 00 00 00 00 00 03 00 00 00 04 00 00 00 01 00 00 00 01");
	fixture_u32(f, (uint32_t)(16 + ((frame->len + 3) & ~(size_t)3)));
	fixture_u32(f, 1);
	fixture_u32(f, 1518);
	fixture_u32(f, 4);
	fixture_u32(f, (uint32_t)frame->len);
	fixture_bytes(f, frame->bytes, frame->len);
	while ((f->len & 3) != 0)
		fixture_u8(f, 0);
	fixture_close32(f, len_at, len_at + 4, 0);
}
