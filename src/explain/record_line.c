/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/record_line.h"

#include "base/timetext.h"
#include "explain/line.h"
#include "explain/place.h"

#include <math.h>

enum { PAYLOAD_SAID = 8 };

static void put_protocol(struct line *l, const struct traffic_record *r)
{
	static const char *const flag_names[] = {"F", "S", "R", "P", "A", "U", "E", "C"};

	line_text(l, r->protocol == 17 ? " udp" : r->protocol == 6 ? " tcp " :
		  r->protocol == 1 ? " icmp" : " ip ");
	if (r->protocol != 17 && r->protocol != 6 && r->protocol != 1)
		line_number(l, r->protocol);
	for (size_t i = 0; r->protocol == 6 && i < 8; i++) {
		if ((r->tcp_flags >> i & 1) != 0)
			line_text(l, flag_names[i]);
	}
}

static void put_end(struct line *l, const uint8_t *address, uint8_t family, uint16_t port)
{
	char text[ADDRESS_TEXT_MAX];
	address_text(text, address, family);
	line_text(l, text);
	line_text(l, ":");
	line_number(l, port);
}

void record_line(const struct tracer_record *e, const struct vector_row *row,
		 char dst[TRACE_TEXT_MAX + 1])
{
	const struct traffic_record *r = &e->record;
	struct line l = line_at(dst, TRACE_TEXT_MAX + 1);
	char at[TIMETEXT_LEN_MAX];

	timetext_write(at, (wd_wall){e->at_ns});
	line_text(&l, at);
	line_text(&l, " ");
	put_end(&l, r->src, r->family, r->sport);
	line_text(&l, " > ");
	put_end(&l, r->dst, r->family, r->dport);
	put_protocol(&l, r);
	line_text(&l, " length ");
	line_number(&l, r->length);
	if ((r->known & FLOW_TTL) != 0) {
		line_text(&l, " ttl ");
		line_number(&l, r->ttl);
	}
	if (r->packets > 1) {
		line_text(&l, " packets ");
		line_number(&l, (uint64_t)lrint(fmin((double)r->packets, 1e18)));
	}
	/* No more of the payload than names the vector, and no half bytes. */
	size_t shown = row != NULL && row->payload_len > 0
			       ? (size_t)row->payload_at + row->payload_len
			       : PAYLOAD_SAID;
	for (size_t i = 0; i < shown && i < r->payload_len && l.used + 3 < l.size; i++) {
		line_text(&l, i == 0 ? " payload " : "");
		line_hex(&l, r->payload[i], 2);
	}
}
