/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/datagrams.h"

#include "base/wire.h"
#include "decode/export.h"

enum {
	V5_HEADER = 24,
	V5_RECORD = 48,
	V5_RECORDS_MAX = 30,
	V9_HEADER = 20,
	IPFIX_HEADER = 16,
	SET_HEADER = 4,
	SET_DATA_MIN = 256, /* below: templates, options, and what nobody uses */
	DATAGRAM_MAX = 65535,
};

/* Templates, templates of options (v9: 0 and 1, IPFIX: 2 and 3), data. */
static bool set_is(const uint8_t *set, uint16_t templates, size_t left)
{
	if (left < SET_HEADER)
		return false;
	uint16_t id = wire_u16(set), len = wire_u16(set + 2);
	return (id == templates || id == templates + 1 || id >= SET_DATA_MIN) &&
	       len >= SET_HEADER && len <= left;
}

/* Bytes ahead of sFlow's samples; 0 = not sFlow, or less than that. */
static size_t sflow_header(const uint8_t *bytes, size_t len)
{
	static const uint8_t headers[] = {24, 28, 40}; /* by the kind of the agent's address */
	uint32_t kind = len < 8 ? 3 : wire_u32(bytes + 4);
	if (kind > 2 || len < headers[kind])
		return 0;
	return headers[kind];
}

bool datagram_is_export(const uint8_t *bytes, size_t len)
{
	if (bytes == NULL)
		return false;
	switch (export_version(bytes, len)) {
	case 5: {
		uint32_t count = len < V5_HEADER ? 0 : wire_u16(bytes + 2);
		return count >= 1 && count <= V5_RECORDS_MAX &&
		       len >= V5_HEADER + (size_t)count * V5_RECORD;
	}
	case 9:
		return len > V9_HEADER && set_is(bytes + V9_HEADER, 0, len - V9_HEADER);
	case 10:
		return len > IPFIX_HEADER && wire_u16(bytes + 2) <= len &&
		       set_is(bytes + IPFIX_HEADER, 2, len - IPFIX_HEADER);
	case EXPORT_SFLOW5: {
		size_t at = sflow_header(bytes, len);
		return at > 0 && (wire_u32(bytes + at - 4) == 0 ||
				  (len - at >= 8 && wire_u32(bytes + at + 4) <= len - at - 8));
	}
	default:
		return false;
	}
}

static size_t length_v9(const uint8_t *bytes, size_t left)
{
	size_t at = V9_HEADER;
	/* No set begins as a datagram does: id 5, 9 or 10, or templates of 5 bytes. */
	while (at < left && export_version(bytes + at, left - at) == 0 &&
	       set_is(bytes + at, 0, left - at))
		at += wire_u16(bytes + at + 2);
	return at < left && export_version(bytes + at, left - at) != 0 ? at : left;
}

static size_t length_sflow(const uint8_t *bytes, size_t left)
{
	size_t at = sflow_header(bytes, left);
	uint32_t samples = at == 0 ? 0 : wire_u32(bytes + at - 4);
	if (at == 0)
		return left;
	for (uint32_t i = 0; i < samples; i++) {
		if (left - at < 8 || wire_u32(bytes + at + 4) > left - at - 8)
			return left;
		at += 8 + wire_u32(bytes + at + 4);
	}
	return at;
}

size_t datagram_length(const uint8_t *bytes, size_t left)
{
	/* No further: a file of one set behind the other would be gone through for each. */
	left = left < DATAGRAM_MAX ? left : DATAGRAM_MAX;
	size_t len = left;
	switch (export_version(bytes, left)) {
	case 5:
		if (left >= V5_HEADER)
			len = V5_HEADER + (size_t)wire_u16(bytes + 2) * V5_RECORD;
		break;
	case 9:
		len = left > V9_HEADER ? length_v9(bytes, left) : left;
		break;
	case 10:
		if (left >= IPFIX_HEADER && wire_u16(bytes + 2) >= IPFIX_HEADER)
			len = wire_u16(bytes + 2);
		break;
	case EXPORT_SFLOW5:
		len = length_sflow(bytes, left);
		break;
	default:
		break;
	}
	return len < left ? len : left;
}

bool datagram_time(const uint8_t *bytes, size_t len, wd_wall *ret_at)
{
	uint32_t version = export_version(bytes, len);
	size_t at = version == 10 ? 4 : version == 5 || version == 9 ? 8 : len;
	if (len < 4 || at > len - 4)
		return false;
	*ret_at = wall_s(wire_u32(bytes + at));
	return true;
}

bool datagram_uptime(const uint8_t *bytes, size_t len, uint32_t *ret_ms)
{
	size_t header = export_version(bytes, len) == EXPORT_SFLOW5 ? sflow_header(bytes, len) : 0;
	if (header == 0)
		return false;
	*ret_ms = wire_u32(bytes + header - 8);
	return true;
}
