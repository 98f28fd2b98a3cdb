/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a capture file: no crash, it ends, every packet lies within, and every failure
 * stands at a place within the file and stays. */
#include "decode/pcap.h"

#include "base/check.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pcap p;
	struct packet packet;
	struct flow flow;
	struct wd_why why = {0};
	bool end = false;
	size_t packets = 0;

	enum wd_err err = pcap_begin(&p, data, size, &why);
	WD_CHECK(pcap_is(data, size) || err != WD_OK);
	if (err != WD_OK)
		return 0;
	while ((err = pcap_next(&p, &packet, &end, &why)) == WD_OK && !end) {
		WD_CHECK(packet.bytes >= data && packet.bytes + packet.captured <= data + size);
		WD_CHECK(packet.wire_length >= packet.captured);
		WD_CHECK(packet.at.ns >= 0 && wall_to_s(packet.at) < INT64_C(7258118400));
		WD_CHECK(++packets <= size / 16 && p.packets == packets);
		if (packet_parse(&packet, NULL, &flow) == WD_OK)
			WD_CHECK(flow.packets == 1);
	}
	WD_CHECK(p.offset <= size);
	if (err != WD_OK)
		WD_CHECK(why.err == err && why.what != NULL &&
			 pcap_next(&p, &packet, &end, NULL) == err);
	return 0;
}
