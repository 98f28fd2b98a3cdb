/* SPDX-License-Identifier: Apache-2.0 */
/* capture_file: a file of traffic → batches of flows with their times. What a file is, its
 * content says, not its name:
 *
 * - *packets*: pcap or pcapng; every IP packet becomes a flow;
 * - *exports*: pcap or pcapng in which at least half of the first 1000 IP packets are UDP
 *   datagrams of NetFlow v5, v9, IPFIX or sFlow v5: these are decoded, the rest is counted;
 * - *datagrams*: such datagrams alone, one or several, one after the other with nothing between
 *   them: v5, IPFIX and sFlow say how long they are, and a v9 datagram ends where the next one
 *   begins (no set has the id 9, nor 5 or 10). Their times are those that exporters wrote into
 *   them. Zeros behind a datagram are filling.
 *
 * The clock of a capture never goes back. A single packet whose time is an hour or more ahead, or
 * a second late, has that of the packet before; from where a clock was set back, time goes on.
 *
 * The file may be compressed (intake/unpack.h). One that is not is mapped, so it must not shrink
 * while it is read. UDP datagrams that the capture holds in fragments are not put together:
 * counted as `cut`. One thread. */
#ifndef WD_INTAKE_CAPTURE_FILE_H
#define WD_INTAKE_CAPTURE_FILE_H

#include "base/err.h"
#include "base/units.h"
#include "decode/export.h"
#include "decode/packet.h"
#include "decode/sflow.h"
#include "model/flow.h"

#include <stddef.h>
#include <stdint.h>

enum capture_kind {
	CAPTURE_ANY, /* as an option: let the content say */
	CAPTURE_PACKETS,
	CAPTURE_EXPORTS,
	CAPTURE_DATAGRAMS,
};

struct capture_options {
	enum capture_kind kind; /* CAPTURE_PACKETS: exports in it are packets like others */
	const struct packet_options *packet; /* borrowed; NULL: tunnels are opened */
	/* Shared by files that belong together (templates in one, data in another); borrowed,
	 * with their own options. NULL: the file's own, with the default limits. */
	struct exports *exports;
	struct sflow *sflow;
	/* A batch holds only what falls into one such step of time; 0 = 50 ms. */
	wd_span step;
	/* Of datagrams that carry no time (sFlow's uptime goes on from here); 0 = the file's. */
	wd_wall begin;
};

struct capture_counters {
	uint64_t packets;    /* in the capture */
	uint64_t datagrams;  /* of exports that were decoded */
	uint64_t flows;
	uint64_t not_ip, broken; /* packets of no use; datagrams nothing of which could be read */
	uint64_t other;      /* packets beside the exports */
	uint64_t times_mended; /* packets with a wrong time, and times a clock was set back */
	uint64_t cut;        /* datagrams of which the capture holds only a part */
};

struct capture_file;

/* at = offset in the file, as far as 32 bits go. WD_UNKNOWN: none of the kinds above. */
enum wd_err capture_open(const char *path, const struct capture_options *options,
			 struct capture_file **ret_c, struct wd_why *why) WD_MUST_CHECK;
void capture_close(struct capture_file *c); /* NULL is fine */

/* The next flows, about as many as an inner cache holds and at most cap (at least
 * EXPORT_FLOWS_MAX), and when the last of them came in, which never goes back. *ret_count is 0
 * only at the end. A file that ends within a packet or is broken there fails after all that
 * came before, with the place: then it is at its end. Payloads borrow until the next call. */
enum wd_err capture_next(struct capture_file *c, struct flow *out, size_t cap, size_t *ret_count,
			 wd_wall *ret_at, struct wd_why *why) WD_MUST_CHECK;

/* "packets", "exports", "datagrams" */
const char *capture_kind_name(enum capture_kind kind);
enum capture_kind capture_kind(const struct capture_file *c);
struct capture_counters capture_counters(const struct capture_file *c);
/* 0 … 1 of the file. */
double capture_progress(const struct capture_file *c);

#endif
