/* SPDX-License-Identifier: Apache-2.0 */
/* sflow: one datagram of sFlow version 5 in, flows out: of flow samples (also expanded ones)
 * and of notices of dropped packets, through their sampled header (decode/packet) or, without
 * one, their IPv4 or IPv6 record. A notice from an interface whose packets are sampled gives no
 * flow: each sample stands for all packets that came in, dropped ones among them. Counter
 * samples are counted; of interfaces their discards are kept. What is unknown is passed over by
 * its length.
 * Sources: sflow.org "sFlow Version 5" (sflow_version_5.txt) and "sFlow Dropped Packet
 * Notification Structures" (sflow_drops.txt).
 *
 * Decoding needs no memory of earlier datagrams. What is remembered is for the accounts: what
 * was lost on the way, by the sequence numbers of each agent and of each of its data sources.
 * All memory is taken at open; a new source takes the seat of the one that was silent longest
 * among eight (which eight is keyed). One collector shard owns one, without a lock. */
#ifndef WD_DECODE_SFLOW_H
#define WD_DECODE_SFLOW_H

#include "base/err.h"
#include "base/hash.h"
#include "base/units.h"
#include "decode/exporter.h"
#include "decode/packet.h"
#include "model/flow.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SFLOW_FLOWS_MAX = 1024, /* of one datagram: 65,535 bytes over 80 of the least sample */
};

struct sflow;

struct sflow_limits {
	uint32_t sources; /* agents and their data sources together; rounded up to a power of 2 */
};

/* Only grows, but that what comes late is no longer lost. */
struct sflow_counts {
	uint64_t datagrams, bytes;
	uint64_t flows;
	uint64_t flows_cut;        /* no room in the caller's array */
	uint64_t malformed;        /* datagrams in which something was broken */
	uint64_t unknown_version, too_short;
	uint64_t flow_samples, counter_samples, drop_notices, unknown_samples;
	uint64_t not_ip;           /* samples of other packets */
	uint64_t headers_bad;      /* samples whose IP header is cut or broken */
	uint64_t no_packet;        /* samples without a header or IP record */
	uint64_t drops_sampled;    /* notices that gave no flow: see above */
	uint64_t lost_datagrams;   /* by the agents' sequence numbers */
	uint64_t lost_samples;     /* by the data sources' own */
	uint64_t late, restarts;
	uint64_t pool;             /* packets that could have been sampled, as agents say */
	uint64_t agent_drops;      /* samples that agents had no room for, as they say */
	uint64_t discards;         /* packets that interfaces discarded, in and out, as they say */
	uint64_t seats_taken_over; /* sources forgotten for want of room */
};

/* One data source of one agent, as it stands. */
struct sflow_source {
	uint8_t sender[16], agent[16]; /* as in struct flow; agent: zeros if it does not tell */
	uint8_t sender_family, agent_family; /* 4 or 6; agent: or 0 */
	uint32_t sub_agent;
	uint32_t type, index; /* type 0: index is the interface's */
	uint32_t sampling;    /* of its last sample; 0 = none yet */
	uint64_t samples, lost, pool, drops;
	uint64_t discards_in, discards_out;
	wd_wall seen;
};

/* `key` is drawn once by the caller, so that nobody outside can aim at one seat. */
enum wd_err sflow_open(const struct sflow_limits *limits, const struct hash_key *key,
		       struct sflow **ret_s) WD_MUST_CHECK;
void sflow_close(struct sflow *s); /* NULL is fine */
size_t sflow_memory(const struct sflow_limits *limits); /* bytes */
/* Borrowed for as long as datagrams are decoded; NULL (at first): tunnels are opened. */
void sflow_set_packet_options(struct sflow *s, const struct packet_options *options);

/* Decodes a datagram that came at `now`, which becomes its flows' time. What is sound before a
 * broken part is decoded, and the datagram counts as malformed. Fails only if nothing can be
 * read: WD_SHORT, WD_UNKNOWN version or agent's address, at = offset. Payloads borrow from the
 * datagram. */
enum wd_err sflow_decode(struct sflow *s, const struct exporter_address *from,
			 const uint8_t *datagram, size_t len, wd_wall now, struct flow *out,
			 size_t cap, size_t *ret_count, struct wd_why *why) WD_MUST_CHECK;

struct sflow_counts sflow_counts(const struct sflow *s);
void sflow_each(const struct sflow *s,
		void (*each)(void *context, const struct sflow_source *source), void *context);

#endif
