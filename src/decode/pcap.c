/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/pcap.h"

#include "base/wire.h"

#include <string.h>

#define MAGIC_US UINT32_C(0xa1b2c3d4)
#define MAGIC_NS UINT32_C(0xa1b23c4d)
#define MAGIC_MODIFIED UINT32_C(0xa1b2cd34) /* Kuznetzov: eight more bytes a record */
#define MAGIC_BLOCKS UINT32_C(0x0a0d0d0a)   /* a section header block, in either order */
#define MAGIC_ORDER UINT32_C(0x1a2b3c4d)

enum {
	FILE_HEADER = 24,
	RECORD_HEADER = 16,
	RECORD_HEADER_MODIFIED = 24,

	BLOCK_INTERFACE = 1,
	BLOCK_PACKET_OLD = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_PACKET = 6,
	BLOCK_MIN = 12,

	OPTION_END = 0,
	OPTION_RESOLUTION = 9,
	OPTION_OFFSET = 14,
};

/* A block's body. */
struct block {
	uint32_t type, len;
	const uint8_t *body;
};

static inline uint32_t load32(const struct pcap *p, const uint8_t *at)
{
	uint32_t x = wire_u32(at);
	return p->swapped ? __builtin_bswap32(x) : x;
}

static inline uint16_t load16(const struct pcap *p, const uint8_t *at)
{
	uint16_t x = wire_u16(at);
	return p->swapped ? __builtin_bswap16(x) : x;
}

static enum wd_err fail_here(const struct pcap *p, enum wd_err err, const char *what,
			     struct wd_why *why)
{
	uint64_t at = p->offset < UINT32_MAX ? p->offset : UINT32_MAX;
	return wd_fail(why, err, (uint32_t)at, what);
}

/* Before 1970 and after 2199 no time is told: whoever reckons with it must not overflow. */
static wd_wall wall_of(uint64_t s, uint32_t ns, int64_t offset_s)
{
	const int64_t s_max = INT64_C(7258118400); /* 2200-01-01 */
	if (s > 2 * (uint64_t)s_max || offset_s <= -s_max || offset_s >= s_max)
		return (wd_wall){0};
	int64_t whole = (int64_t)s + offset_s;
	return whole < 0 || whole >= s_max ? (wd_wall){0} : (wd_wall){whole * WD_NS_PER_S + ns};
}

static wd_wall ticks_to_wall(const struct pcap_interface *i, uint64_t ticks)
{
	if (i->ticks_per_s == 0) {
		uint64_t s = i->shift < 64 ? ticks >> i->shift : 0;
		uint64_t rest = i->shift < 64 ? ticks & ((UINT64_C(1) << i->shift) - 1) : ticks;
		/* 2^-30 s is nearly a nanosecond: the bits below it are cut. */
		uint32_t cut = i->shift > 30 ? i->shift - 30u : 0;
		rest = cut < 64 ? rest >> cut : 0;
		uint64_t ns = rest * (uint64_t)WD_NS_PER_S >> (i->shift - cut);
		return wall_of(s, (uint32_t)ns, i->offset_s);
	}
	uint64_t s = ticks / i->ticks_per_s, rest = ticks % i->ticks_per_s;
	uint64_t per = i->ticks_per_s;
	uint64_t ns = per <= (uint64_t)WD_NS_PER_S ? rest * ((uint64_t)WD_NS_PER_S / per)
						   : rest / (per / (uint64_t)WD_NS_PER_S);
	return wall_of(s, (uint32_t)ns, i->offset_s);
}

bool pcap_is(const uint8_t *bytes, size_t len)
{
	if (len < 4)
		return false;
	switch (wire_u32(bytes)) {
	case MAGIC_US:
	case MAGIC_NS:
	case MAGIC_MODIFIED:
	case MAGIC_BLOCKS:
	case __builtin_bswap32(MAGIC_US):
	case __builtin_bswap32(MAGIC_NS):
	case __builtin_bswap32(MAGIC_MODIFIED):
		return true;
	default:
		return false;
	}
}

enum wd_err pcap_begin(struct pcap *p, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	struct pcap c = {.bytes = bytes, .len = len};
	if (!pcap_is(bytes, len))
		return wd_fail(why, len < 4 ? WD_SHORT : WD_UNKNOWN, 0,
			       "not a capture file: it begins with none of pcap's marks");
	uint32_t magic = wire_u32(bytes);
	if (magic == MAGIC_BLOCKS) {
		c.blocks = true;
		memcpy(p, &c, sizeof(c));
		return WD_OK;
	}
	if (len < FILE_HEADER)
		return wd_fail(why, WD_SHORT, 0, "the file ends within its header");
	c.swapped = magic != MAGIC_US && magic != MAGIC_NS && magic != MAGIC_MODIFIED;
	magic = load32(&c, bytes);
	if (load16(&c, bytes + 4) != 2)
		return wd_fail(why, WD_UNKNOWN, 4, "a version of pcap that is not 2");
	c.header_len = magic == MAGIC_MODIFIED ? RECORD_HEADER_MODIFIED : RECORD_HEADER;
	c.interfaces[0] = (struct pcap_interface){
		.linktype = load32(&c, bytes + 20) & 0xffff, /* above: length of a checksum */
		.snap_length = load32(&c, bytes + 16),
		.ticks_per_s = magic == MAGIC_NS ? (uint64_t)WD_NS_PER_S : 1000000,
	};
	c.interface_count = 1;
	c.offset = FILE_HEADER;
	memcpy(p, &c, sizeof(c));
	return WD_OK;
}

static enum wd_err next_record(struct pcap *p, struct packet *ret, bool *ret_end,
			       struct wd_why *why)
{
	const uint8_t *r = p->bytes + p->offset;
	size_t left = p->len - p->offset;
	if (left == 0) {
		*ret_end = true;
		return WD_OK;
	}
	if (left < p->header_len)
		return fail_here(p, WD_SHORT, "the file ends within a packet's header", why);
	uint32_t s = load32(p, r), fraction = load32(p, r + 4);
	uint32_t captured = load32(p, r + 8), whole = load32(p, r + 12);
	if (captured > whole) {
		/* Files of before 1998 have the two the other way round; others lie. */
		uint32_t other = whole;
		if (load16(p, p->bytes + 6) < 4) {
			whole = captured;
			captured = other;
		} else {
			whole = captured;
		}
	}
	if (captured > PCAP_PACKET_MAX)
		return fail_here(p, WD_MALFORMED, "a packet of more than 1 MiB", why);
	if (captured > left - p->header_len)
		return fail_here(p, WD_SHORT, "the file ends within a packet", why);
	uint32_t unit = p->interfaces[0].ticks_per_s == 1000000 ? 1000 : 1;
	*ret = (struct packet){
		.bytes = r + p->header_len,
		.captured = captured,
		.wire_length = whole,
		.linktype = p->interfaces[0].linktype,
		.at = {(int64_t)s * WD_NS_PER_S + (int64_t)fraction * unit},
	};
	*ret_end = false;
	p->offset += p->header_len + captured;
	p->packets++;
	return WD_OK;
}

/* Sets the byte order of the section that begins here. */
static enum wd_err section(struct pcap *p, size_t left, struct wd_why *why)
{
	const uint8_t *at = p->bytes + p->offset;
	if (left < 28)
		return fail_here(p, WD_SHORT, "the file ends within a section's header", why);
	bool swapped = wire_u32(at + 8) != MAGIC_ORDER;
	if (swapped && __builtin_bswap32(wire_u32(at + 8)) != MAGIC_ORDER)
		return fail_here(p, WD_MALFORMED, "a section without its byte-order mark", why);
	p->swapped = swapped;
	if (load16(p, at + 12) != 1)
		return fail_here(p, WD_UNKNOWN, "a version of pcapng that is not 1", why);
	p->interface_count = 0;
	return WD_OK;
}

static enum wd_err block_at(struct pcap *p, struct block *ret, struct wd_why *why)
{
	const uint8_t *at = p->bytes + p->offset;
	size_t left = p->len - p->offset;
	if (left < BLOCK_MIN)
		return fail_here(p, WD_SHORT, "the file ends within a block's header", why);
	if (wire_u32(at) == MAGIC_BLOCKS) {
		enum wd_err err = section(p, left, why);
		if (err != WD_OK)
			return err;
	}
	uint32_t len = load32(p, at + 4);
	if (len < BLOCK_MIN || len % 4 != 0)
		return fail_here(p, WD_MALFORMED, "a block's length is not a multiple of 4", why);
	if (len > left)
		return fail_here(p, WD_SHORT, "the file ends within a block", why);
	if (load32(p, at + len - 4) != len)
		return fail_here(p, WD_MALFORMED, "a block's two lengths differ", why);
	*ret = (struct block){load32(p, at), len - BLOCK_MIN, at + 8};
	return WD_OK;
}

static bool resolution(struct pcap_interface *i, uint8_t value)
{
	i->shift = value & 0x7f;
	i->ticks_per_s = 0;
	if (value & 0x80)
		return true;
	if (i->shift > 18)
		return false;
	i->ticks_per_s = 1;
	for (uint8_t k = 0; k < i->shift; k++)
		i->ticks_per_s *= 10;
	return true;
}

static enum wd_err interface(struct pcap *p, const struct block *b, struct wd_why *why)
{
	struct cur c = cur_over(b->body, b->len);
	const uint8_t *head = cur_bytes(&c, 8);
	if (head == NULL)
		return fail_here(p, WD_MALFORMED, "an interface block is too short", why);
	struct pcap_interface i = {
		.linktype = load16(p, head),
		.snap_length = load32(p, head + 4),
		.ticks_per_s = 1000000,
	};
	while (cur_left(&c) >= 4) {
		const uint8_t *option = cur_bytes(&c, 4);
		uint32_t code = load16(p, option), len = load16(p, option + 2);
		const uint8_t *value = cur_bytes(&c, (len + 3) & ~3u);
		if (code == OPTION_END)
			break;
		if (value == NULL)
			return fail_here(p, WD_MALFORMED, "an interface's option is cut", why);
		if (code == OPTION_RESOLUTION && len == 1 && !resolution(&i, value[0]))
			return fail_here(p, WD_UNKNOWN, "ticks finer than 10^-18 s", why);
		if (code == OPTION_OFFSET && len == 8) {
			uint64_t x = wire_u64(value);
			i.offset_s = (int64_t)(p->swapped ? __builtin_bswap64(x) : x);
		}
	}
	if (p->interface_count < PCAP_INTERFACES_MAX)
		p->interfaces[p->interface_count] = i;
	if (p->interface_count < UINT32_MAX)
		p->interface_count++;
	return WD_OK;
}

/* What the two kinds of packet block with a time share. */
static enum wd_err packet_block(struct pcap *p, const struct block *b, struct packet *ret,
				bool *ret_is, struct wd_why *why)
{
	const uint8_t *h = b->body;
	if (b->len < 20)
		return fail_here(p, WD_MALFORMED, "a packet block is too short", why);
	uint32_t n = b->type == BLOCK_PACKET ? load32(p, h) : load16(p, h);
	uint64_t ticks = (uint64_t)load32(p, h + 4) << 32 | load32(p, h + 8);
	uint32_t captured = load32(p, h + 12), whole = load32(p, h + 16);
	if (captured > b->len - 20 || captured > PCAP_PACKET_MAX)
		return fail_here(p, WD_MALFORMED, "a packet is longer than its block", why);
	if (n >= p->interface_count)
		return fail_here(p, WD_MALFORMED, "a packet of no known interface", why);
	if (n >= PCAP_INTERFACES_MAX) {
		p->skipped++;
		return WD_OK;
	}
	*ret = (struct packet){
		.bytes = h + 20,
		.captured = captured,
		.wire_length = whole < captured ? captured : whole,
		.linktype = p->interfaces[n].linktype,
		.at = ticks_to_wall(&p->interfaces[n], ticks),
	};
	*ret_is = true;
	return WD_OK;
}

/* Has no time. */
static enum wd_err simple_block(struct pcap *p, const struct block *b, struct packet *ret,
				bool *ret_is, struct wd_why *why)
{
	if (b->len < 4)
		return fail_here(p, WD_MALFORMED, "a packet block is too short", why);
	if (p->interface_count == 0)
		return fail_here(p, WD_MALFORMED, "a packet of no known interface", why);
	uint32_t whole = load32(p, b->body), captured = whole;
	uint32_t snap = p->interfaces[0].snap_length;
	if (snap != 0 && captured > snap)
		captured = snap;
	if (captured > b->len - 4)
		captured = b->len - 4;
	if (captured > PCAP_PACKET_MAX)
		return fail_here(p, WD_MALFORMED, "a packet of more than 1 MiB", why);
	*ret = (struct packet){
		.bytes = b->body + 4,
		.captured = captured,
		.wire_length = whole,
		.linktype = p->interfaces[0].linktype,
	};
	*ret_is = true;
	return WD_OK;
}

static enum wd_err next_block(struct pcap *p, struct packet *ret, bool *ret_end,
			      struct wd_why *why)
{
	while (p->offset < p->len) {
		struct block b = {0};
		bool is_packet = false;
		enum wd_err err = block_at(p, &b, why);
		if (err != WD_OK)
			return err;
		if (b.type == BLOCK_INTERFACE)
			err = interface(p, &b, why);
		else if (b.type == BLOCK_PACKET || b.type == BLOCK_PACKET_OLD)
			err = packet_block(p, &b, ret, &is_packet, why);
		else if (b.type == BLOCK_SIMPLE)
			err = simple_block(p, &b, ret, &is_packet, why);
		if (err != WD_OK)
			return err;
		p->offset += b.len + BLOCK_MIN;
		if (is_packet) {
			p->packets++;
			*ret_end = false;
			return WD_OK;
		}
	}
	*ret_end = true;
	return WD_OK;
}

enum wd_err pcap_next(struct pcap *p, struct packet *ret, bool *ret_end, struct wd_why *why)
{
	return p->blocks ? next_block(p, ret, ret_end, why) : next_record(p, ret, ret_end, why);
}
