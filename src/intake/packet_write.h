/* SPDX-License-Identifier: Apache-2.0 */
/* packet_write: a flow of one packet -> the Ethernet frame that carries it, and the capture
 * file that holds it: decode/packet and decode/pcap the other way round, for simulations and
 * tests. Headers and checksums are those of the RFCs (791, 768, 793, 792, 8200, 4443). */
#ifndef WD_INTAKE_PACKET_WRITE_H
#define WD_INTAKE_PACKET_WRITE_H

#include "base/units.h"
#include "model/flow.h"

#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_WRITE_MAX = 14 + 65535,
	PCAP_WRITE_HEAD = 24,   /* bytes that begin the file */
	PCAP_WRITE_RECORD = 16, /* bytes before each packet */
};

/* Writes the first `cap` bytes of the frame; returns how many there are. The frame has
 * packet_write_length(f) bytes. The packet is f->length bytes of IP (at least its headers and
 * its payload; zeros after the payload); a later fragment's offset is f->sequence bytes, a
 * first fragment says that more follow. */
size_t packet_write(const struct flow *f, uint8_t *dst, size_t cap);
size_t packet_write_length(const struct flow *f);

/* The head of a capture file of Ethernet frames, times in nanoseconds. */
void pcap_write_head(uint8_t dst[PCAP_WRITE_HEAD]);
void pcap_write_record(uint8_t dst[PCAP_WRITE_RECORD], wd_wall at, uint32_t captured,
		       uint32_t length);

#endif
