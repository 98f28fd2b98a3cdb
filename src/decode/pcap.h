/* SPDX-License-Identifier: Apache-2.0 */
/* pcap: a capture file in memory -> its packets, one at a time. Reads pcap (microseconds and
 * nanoseconds, both byte orders, Kuznetzov's modified records) and pcapng (several sections and
 * interfaces, enhanced, simple and old packet blocks; other blocks are passed over). Pure; no
 * memory is taken; packets borrow from the file's bytes. Compressed files are the caller's.
 *
 * Sources: draft-ietf-opsawg-pcap-05, draft-ietf-opsawg-pcapng-03. */
#ifndef WD_DECODE_PCAP_H
#define WD_DECODE_PCAP_H

#include "base/err.h"
#include "decode/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PCAP_INTERFACES_MAX = 64,   /* of one pcapng section; packets of others are skipped */
	PCAP_PACKET_MAX = 1 << 20,  /* bytes; a longer one is a torn file */
};

struct pcap_interface {
	uint32_t linktype, snap_length;
	uint64_t ticks_per_s; /* 0: 2 to the power of `shift` */
	uint8_t shift;
	int64_t offset_s;     /* added to every time */
};

struct pcap {
	uint64_t offset; /* where the next packet begins; after a failure, what is at fault */
	uint64_t packets;
	uint64_t skipped; /* of interfaces beyond the maximum */
	/* The reader's own business: */
	const uint8_t *bytes;
	size_t len;
	bool swapped, blocks; /* blocks: pcapng */
	uint32_t header_len;  /* of a pcap record */
	uint32_t interface_count;
	struct pcap_interface interfaces[PCAP_INTERFACES_MAX];
};

/* Do these bytes begin as a capture file does? */
bool pcap_is(const uint8_t *bytes, size_t len);

/* Reads the head. WD_UNKNOWN: not a capture file. The bytes stay borrowed. */
enum wd_err pcap_begin(struct pcap *p, const uint8_t *bytes, size_t len,
		       struct wd_why *why) WD_MUST_CHECK;

/* The next packet, or *ret_end. A file that ends within a packet is WD_SHORT, one whose
 * structure is broken WD_MALFORMED: what came before counts, and reading cannot go on; asked
 * again it says the same. why->at is p->offset, as far as 32 bits go. */
enum wd_err pcap_next(struct pcap *p, struct packet *ret, bool *ret_end,
		      struct wd_why *why) WD_MUST_CHECK;

#endif
