/* SPDX-License-Identifier: Apache-2.0 */
/* syslog_frames: bytes of one TCP connection, as they come, into messages of syslog (RFC 6587):
 * "LEN MSG", or each with LF or NUL behind it, told apart by the first byte of each message.
 * Pure; the memory is the caller's.
 *
 *	while ((n = read(fd, f.buffer + f.len, SYSLOG_ROOM - f.len)) > 0) {
 *		f.len += n;
 *		if (!syslog_frames_take(&f, message, context))
 *			give up;
 *	}
 *	syslog_frames_end(&f, message, context);
 */
#ifndef WD_DECODE_SYSLOG_FRAMES_H
#define WD_DECODE_SYSLOG_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SYSLOG_MESSAGE_MAX = 64 << 10, /* bytes; a longer one is cut and counted */
	SYSLOG_ROOM = SYSLOG_MESSAGE_MAX + 8, /* with the "65536 " before it */
};

struct syslog_frames {
	char *buffer;     /* SYSLOG_ROOM bytes */
	size_t len;       /* of what is in it: less than SYSLOG_ROOM after each take */
	uint64_t passing; /* bytes of a counted message that was cut, still to come */
	bool to_line_end; /* passing over the rest of a line that was cut */
	uint64_t cut;     /* messages that were too long */
};

/* Hands on what is whole; of at most SYSLOG_MESSAGE_MAX bytes, with its line end, valid during
 * the call. False: the framing broke, and nothing that follows makes sense. */
bool syslog_frames_take(struct syslog_frames *f,
			void (*message)(void *context, const char *text, size_t len),
			void *context);
/* Nothing more will come: a last line without its end is one; half a counted message is not. */
void syslog_frames_end(struct syslog_frames *f,
		       void (*message)(void *context, const char *text, size_t len),
		       void *context);

#endif
