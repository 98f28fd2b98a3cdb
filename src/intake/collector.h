/* SPDX-License-Identifier: Apache-2.0 */
/* collector: flow exports from the network, counted as they are read. A thread, a socket for
 * each address and a lane (intake/lane.h) per core, which share nothing: a datagram is
 * received, checked against the allowed senders, decoded by what it begins with (NetFlow 5
 * and 9, IPFIX, sFlow 5) and tallied by the thread that received it. Every 250 ms a thread
 * hands what it counted to the engine's thread.
 *
 * No memory is taken after the start. What is too much is dropped by the kernel at the socket
 * and counted there. */
#ifndef WD_INTAKE_COLLECTOR_H
#define WD_INTAKE_COLLECTOR_H

#include "base/err.h"
#include "base/hash.h"
#include "decode/export.h"
#include "decode/sflow.h"
#include "intake/lane.h"
#include "intake/udp.h"

#include <stddef.h>
#include <stdint.h>

enum { COLLECTOR_ADDRESSES_MAX = 16, COLLECTOR_THREADS_MAX = 64, COLLECTOR_VIEWS_MAX = 256,
       COLLECTOR_REFUSED_MAX = 64 };

struct collector_options {
	const struct udp_address *addresses;
	size_t address_count;
	size_t threads;                /* 0 = one a core */
	uint32_t receive_buffer_bytes; /* wanted, a socket */
	uint32_t exporters_max;        /* a thread's */
	struct hash_key key;           /* drawn once: nobody outside knows it */
	struct lane_options lane;
};

/* All threads together. Only grows, where nothing else is said. */
struct collector_counts {
	uint64_t datagrams, bytes; /* of allowed senders */
	uint64_t refused;          /* datagrams of others */
	uint64_t dropped;          /* datagrams, by the kernel, for want of room */
	uint64_t flows;            /* records that were tallied */
	uint64_t cut;              /* datagrams longer than 64 KB */
	uint64_t unknown;          /* datagrams that are none of the formats */
	uint64_t broken;           /* datagrams that could not be read to their end */
	uint64_t no_room;          /* datagrams of exporters beyond exporters_max */
	uint64_t skew_ns_max;      /* now: the largest, of exporters heard in the last hour */
	struct export_totals exports;
	struct sflow_counts sflow;
};

struct collector;

/* Opens the sockets; threads begin with collector_start. at = index of the address at fault. */
enum wd_err collector_open(const struct collector_options *options,
			   struct collector **ret_collector, struct wd_why *why) WD_MUST_CHECK;
enum wd_err collector_start(struct collector *c, struct wd_why *why) WD_MUST_CHECK;
/* Ends the threads; what they counted is sealed. */
void collector_stop(struct collector *c);
void collector_close(struct collector *c); /* stops if need be; NULL is fine */

/* Bytes of a thread, its services' ticks apart. */
size_t collector_memory(const struct collector_options *options);
size_t collector_threads(const struct collector *c);
struct lane *collector_lane(struct collector *c, size_t thread);
/* What the kernel granted the smallest socket. */
uint32_t collector_buffer(const struct collector *c);
/* The port that an address with port 0 was given. */
uint16_t collector_port(const struct collector *c, size_t address);

/* As of each thread's last tick. Any thread. */
void collector_count(struct collector *c, struct collector_counts *ret_counts);
/* Exporters of NetFlow and IPFIX, those that lost the most first; data sources of sFlow agents;
 * and some of those that are not allowed, the latest of each of a few rows. Each returns how many
 * of `max` were filled in; an exporter whose datagrams came to several threads is one. */
size_t collector_exporters(struct collector *c, struct export_view *ret_views, size_t max);
size_t collector_sflow(struct collector *c, struct sflow_source *ret_sources, size_t max);
struct collector_refused { struct exporter_address address; uint64_t datagrams; wd_wall seen; };
size_t collector_refused(struct collector *c, struct collector_refused *ret_refused, size_t max);

#endif
