/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TCP connection of syslog, in pieces whose length the first byte tells: no crash,
 * every message lies in the buffer, and the same messages come whatever the pieces were. */
#include "decode/syslog.h"
#include "decode/syslog_frames.h"

#include "base/check.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen { uint64_t hash, count; const struct syslog_frames *frames; };

static void message(void *context, const char *text, size_t len)
{
	struct seen *s = context;
	const char *end = s->frames->buffer + SYSLOG_ROOM;
	WD_CHECK(len <= SYSLOG_MESSAGE_MAX && text >= s->frames->buffer && text + len <= end);
	/* A block of just its size, so that reading past it shows. */
	char *exact = malloc(len > 0 ? len : 1);
	WD_CHECK(exact != NULL);
	memcpy(exact, text, len);
	WD_CHECK(syslog_header(exact, len) <= len);
	s->count++;
	s->hash = hash_mix(s->hash ^ len);
	for (size_t i = 0; i < len; i++)
		s->hash = s->hash * 31 + (uint8_t)exact[i];
	free(exact);
}

static struct seen feed(const uint8_t *data, size_t size, size_t piece, bool *ret_sound)
{
	static char buffer[SYSLOG_ROOM];
	struct syslog_frames f = {.buffer = buffer};
	struct seen s = {.frames = &f};
	bool sound = true;

	while (size > 0 && sound) {
		size_t room = SYSLOG_ROOM - f.len, n = piece < room ? piece : room;
		WD_CHECK(room > 0);
		n = n < size ? n : size;
		memcpy(buffer + f.len, data, n);
		f.len += n;
		data += n;
		size -= n;
		sound = syslog_frames_take(&f, message, &s);
	}
	if (sound)
		syslog_frames_end(&f, message, &s);
	*ret_sound = sound;
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool sound, sound_whole;
	if (size < 1 || size > 1 << 18)
		return 0;
	size_t piece = (size_t)data[0] % 64 * (data[0] >= 128 ? 1031 : 1) + 1;
	struct seen one = feed(data + 1, size - 1, piece, &sound);
	struct seen whole = feed(data + 1, size - 1, SYSLOG_ROOM, &sound_whole);
	WD_CHECK(sound == sound_whole && one.count == whole.count && one.hash == whole.hash);
	return 0;
}
