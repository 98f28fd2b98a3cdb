/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a packet: the first two choose the link type, the next the length on the wire,
 * the fourth the options. No crash, no read past the end, a flow that keeps what
 * model/flow.h promises, and the same as the long way round gives. */
#include "decode/packet_inner.h"

#include "base/check.h"

#include <stddef.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool watched(const void *context, const struct flow *flow)
{
	(void)context;
	return flow->dst[3] & 1;
}

static void flow_is_sound(const struct flow *f, const struct packet *p)
{
	WD_CHECK(f->family == 4 || f->family == 6);
	WD_CHECK(f->packets == 1 && f->sampling == 1 && f->class == 0);
	WD_CHECK(f->bytes >= 20 && f->bytes <= PACKET_WIRE_MAX);
	WD_CHECK(f->fragment <= FLOW_FRAGMENT_LATER);
	WD_CHECK((f->payload == NULL) == (f->payload_len == 0));
	WD_CHECK(f->payload == NULL || (f->payload >= p->bytes && f->payload + f->payload_len <=
								   p->bytes + p->captured));
	WD_CHECK(f->fragment != FLOW_FRAGMENT_LATER || (f->sport | f->dport) == 0);
	WD_CHECK(f->known & FLOW_FLAGS || f->tcp_flags == 0);
	WD_CHECK(!(f->known & FLOW_PACKET) == (f->length == 0));
	for (size_t i = 4; f->family == 4 && i < 16; i++)
		WD_CHECK(f->src[i] == 0 && f->dst[i] == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4 || size > 1 << 16)
		return 0;
	struct packet p = {
		.bytes = data + 4,
		.captured = (uint32_t)size - 4,
		.wire_length = data[2] * 16u,
		.linktype = (uint32_t)data[0] << 8 | data[1],
	};
	struct packet_options o = {data[3] & 1, data[3] & 2 ? watched : NULL, NULL};
	struct flow flow = {.class = 0}, walked = {.class = 0};
	const struct packet_options *options = data[3] & 4 ? NULL : &o;
	enum wd_err err = packet_parse(&p, options, &flow);
	WD_CHECK(packet_walk(&p, options, &walked) == err);
	WD_CHECK(memcmp(&flow, &walked, offsetof(struct flow, class) + 1) == 0);
	if (err == WD_OK)
		flow_is_sound(&flow, &p);
	return 0;
}
