/* SPDX-License-Identifier: Apache-2.0 */
/* tap: packets of one network interface, counted as they pass. A memory-mapped ring of
 * the kernel's (AF_PACKET, TPACKET_V3) a thread, packets spread over the threads by the
 * kernel's hash of their flow, so that those of one flow stay together; each thread has its
 * own lane (intake/lane.h). Of a packet its first TAP_SNAP bytes are taken.
 *
 * With `xdp` frames come by AF_XDP from the driver's queues, whole, before the system sees them,
 * and it does not see them any more: for a mirror port. Needs CAP_NET_ADMIN and CAP_BPF.
 *
 * What the network card or the kernel has put together before (GRO) counts as one packet with
 * all its bytes. Without CAP_NET_RAW it cannot be opened. */
#ifndef WD_INTAKE_TAP_H
#define WD_INTAKE_TAP_H

#include "base/err.h"
#include "intake/lane.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAP_SNAP = 256, TAP_THREADS_MAX = 64 };

struct tap_options {
	const char *interface;
	size_t threads;
	uint32_t ring_bytes; /* a thread's */
	bool promiscuous;
	bool xdp; /* AF_XDP; then `threads` is how many receive queues there are */
	struct lane_options lane;
};

/* All threads together. Only grows. */
struct tap_counts {
	uint64_t packets, bytes; /* of the wire */
	uint64_t dropped;        /* by the kernel, because the ring was full */
	uint64_t flows;          /* packets of IP, which were tallied */
	uint64_t other;          /* not IP: ARP and such */
	uint64_t broken;         /* an IP header that cannot be, or cut short */
	uint64_t down;           /* times the interface was found to be down */
};

struct tap;

/* WD_OS: EPERM = the privilege is missing, ENODEV = no such interface. WD_UNKNOWN: an
 * interface that is neither Ethernet nor bare IP. */
enum wd_err tap_open(const struct tap_options *options, struct tap **ret_tap,
			 struct wd_why *why) WD_MUST_CHECK;
enum wd_err tap_start(struct tap *c, struct wd_why *why) WD_MUST_CHECK;
void tap_stop(struct tap *c);
void tap_close(struct tap *c); /* stops if need be; NULL is fine */

size_t tap_threads(const struct tap *c);
struct lane *tap_lane(struct tap *c, size_t thread);
/* Adds what there is as of each thread's last second. Any thread. */
void tap_count(struct tap *c, struct tap_counts *sum);

#endif
