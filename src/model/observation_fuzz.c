/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a frame: no crash, and what is accepted encodes to the same bytes. The
 * first byte asks for a right checksum to be put in, or nothing would get past it. */
#include "model/observation.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > 4096)
		return 0;
	bool repair = data[0] & 1;
	size_t len = size - 1;
	uint8_t *frame = malloc(len + 1);
	struct observation o;
	size_t used;

	if (frame == NULL)
		return 0;
	memcpy(frame, data + 1, len);
	if (repair && len > 8) {
		uint16_t body = (uint16_t)(len - 8);
		uint32_t sum = (uint32_t)crc32(0, frame + 8, body);
		frame[0] = (uint8_t)body, frame[1] = (uint8_t)(body >> 8);
		frame[2] = (uint8_t)~frame[0], frame[3] = (uint8_t)~frame[1];
		for (size_t i = 0; i < 4; i++)
			frame[4 + i] = (uint8_t)(sum >> 8 * i);
	}
	if (observation_decode(frame, len, &o, &used, NULL) == WD_OK) {
		uint8_t again[OBSERVATION_FRAME_MAX];
		WD_CHECK(observation_encode(&o, again) == used);
		WD_CHECK(memcmp(again, frame, used) == 0);
	}
	free(frame);
	return 0;
}
