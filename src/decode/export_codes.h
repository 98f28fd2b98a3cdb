/* SPDX-License-Identifier: Apache-2.0 */
/* export_codes: what one step of a plan does, in the order in which steps run: a later one may
 * read what an earlier one wrote. Between export_plan.c, which makes plans, and export_run.c. */
#ifndef WD_DECODE_EXPORT_CODES_H
#define WD_DECODE_EXPORT_CODES_H

enum plan_code {
	PLAN_ADDRESS4,
	PLAN_ADDRESS6,
	PLAN_ADDRESS6_ELSE, /* beside IPv4's in one template: only if it is not all zeros */
	PLAN_ADDRESS4_ELSE, /* of what is inside a tunnel of IPv6: likewise */
	PLAN_8,             /* width of the field, and of its place if that differs */
	PLAN_16,
	PLAN_32,
	PLAN_64,
	PLAN_16_32,
	PLAN_32_64,
	PLAN_UINT,      /* any narrower width */
	PLAN_UINT_ELSE, /* only if what is there is 0 */
	PLAN_START_MS,
	PLAN_TIME_UPTIME, /* ms since the exporter's start */
	PLAN_TIME_S,
	PLAN_TIME_MS,
	PLAN_TIME_NTP, /* RFC 7011, 6.1.9 and 6.1.10; to_width: 1 = element in us, 2 = in ns */
	PLAN_TIME_BEFORE_US, /* before the export */
	PLAN_DURATION,       /* to: 0 = ms, 1 = us */
	PLAN_TIMES_UPTIME, /* both, and what PLAN_END_TIMES does */
	PLAN_TIMES_MS,
	PLAN_TTL,
	PLAN_DIRECTION,
	PLAN_FORWARDING,
	PLAN_EVENT,
	PLAN_TCP_HEADER,
	PLAN_INTERFACE,
	PLAN_SAMPLER,
	PLAN_RATE,
	PLAN_ICMP,
	PLAN_ICMP_TYPE,
	PLAN_ICMP_CODE,
	PLAN_FRAGMENT_OFFSET,
	PLAN_FRAGMENT_FLAGS,
	PLAN_FRAME_SIZE,
	PLAN_FRAME, /* a packet's first bytes; to = enum packet_link */
	/* Without a field: */
	PLAN_END_TIMES,
	PLAN_END_PORTS,
	PLAN_END_COUNTS, /* bytes without packets: at least one */
	PLAN_END_PACKET, /* to: 1 = what FLOW_PACKET promises of TCP is there */
};

#endif
