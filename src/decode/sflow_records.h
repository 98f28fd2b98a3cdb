/* SPDX-License-Identifier: Apache-2.0 */
/* sflow_records: what the records of one sample of sFlow say of its packet. Internal to
 * decode/sflow. */
#ifndef WD_DECODE_SFLOW_RECORDS_H
#define WD_DECODE_SFLOW_RECORDS_H

#include "base/bytes.h"
#include "base/wire.h"
#include "decode/packet_plain.h"

enum {
	RECORD_HEADER = 1,
	RECORD_IPV4 = 3,
	RECORD_IPV6 = 4,
	RECORD_GATEWAY = 1003,
	HEADER_ETHERNET = 1, /* of a sampled header: its protocol */

	ADDRESS_UNKNOWN = 0,
	ADDRESS_IPV4 = 1,
	ADDRESS_IPV6 = 2,
};

struct sflow_reading {
	wd_wall now;
	struct plain_time at; /* the same, as flows have it */
	const struct packet_options *packet;
};

/* What the records of one sample gave. */
struct sflow_found {
	bool header, flow, as;
	enum wd_err err; /* of the header */
	uint32_t src_as, dst_as;
};

/* The next record or sample of a list: a format, a length, and what is in it. */
static inline bool sflow_item(struct cur *c, uint32_t *ret_format, struct cur *ret_body)
{
	const uint8_t *head = cur_bytes(c, 8);
	if (head == NULL)
		return false;
	uint32_t len = wire_u32(head + 4);
	const uint8_t *body = cur_bytes(c, len);
	if (body == NULL)
		return false;
	uint32_t padding = -len & 3u;
	cur_bytes(c, padding <= cur_left(c) ? padding : 0);
	*ret_format = wire_u32(head);
	*ret_body = cur_over(body, len);
	return true;
}

/* Goes through `count` records; *ret is written where found->flow is set. False: what follows in
 * the sample cannot be read; what came before counts. */
bool sflow_records(const struct sflow_reading *reading, struct cur *c, uint32_t count,
		   struct flow *ret, struct sflow_found *found);

#endif
