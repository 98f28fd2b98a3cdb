/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as sFlow datagrams, each behind its length in two bytes: no crash, no read past the
 * end, no flow beyond the room there is, and counts that add up. */
#include "decode/sflow.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 8 };

static void each(void *context, const struct sflow_source *source)
{
	uint64_t *samples = context;
	*samples += source->samples;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = {{9}};
	static const struct exporter_address sender = {{192, 0, 2, 1}, 4};
	const struct sflow_limits limits = {32};
	struct sflow *s;
	struct flow out[ROOM];
	uint64_t flows = 0, samples = 0;

	if (size > 1 << 16 || sflow_open(&limits, &key, &s) != WD_OK)
		return 0;
	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1], count = 0;
		data += 2;
		size -= 2;
		len = len < size ? len : size;
		uint8_t *exact = malloc(len > 0 ? len : 1);
		if (exact == NULL)
			break;
		memcpy(exact, data, len);
		if (sflow_decode(s, &sender, exact, len, wall_s(1700000000), out, ROOM, &count,
				 NULL) != WD_OK)
			WD_CHECK(count == 0);
		WD_CHECK(count <= ROOM);
		for (size_t i = 0; i < count; i++) {
			WD_CHECK(out[i].packets == 1 && out[i].sampling >= 1);
			WD_CHECK(out[i].bytes <= PACKET_WIRE_MAX);
			WD_CHECK(out[i].payload == NULL ||
				 (out[i].payload >= exact &&
				  out[i].payload + out[i].payload_len <= exact + len));
		}
		flows += count;
		free(exact);
		data += len;
		size -= len;
	}
	struct sflow_counts c = sflow_counts(s);
	WD_CHECK(c.flows == flows);
	WD_CHECK(c.flows + c.flows_cut + c.not_ip + c.headers_bad + c.no_packet + c.drops_sampled ==
		 c.flow_samples + c.drop_notices);
	sflow_each(s, each, &samples);
	WD_CHECK(samples <= c.flow_samples + c.drop_notices);
	sflow_close(s);
	return 0;
}
