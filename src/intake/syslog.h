/* SPDX-License-Identifier: Apache-2.0 */
/* syslog: messages over UDP (RFC 5426: a datagram each) and TCP (decode/syslog_frames.h), handed
 * on as they are; decode/syslog.h strips their headers. A sender over UDP can be forged.
 *
 * One thread. Memory: SYSLOG_CONNECTIONS_MAX buffers of SYSLOG_MESSAGE_MAX at most, each
 * taken when its connection comes. When all are taken, the one that has been quiet the longest
 * makes room, if it was quiet for SYSLOG_QUIET; else one of the address that has most, if it has
 * more than the new one's would; else the new one is refused. */
#ifndef WD_INTAKE_SYSLOG_H
#define WD_INTAKE_SYSLOG_H

#include "base/err.h"
#include "base/units.h"
#include "decode/syslog_frames.h"
#include "intake/senders.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYSLOG_CONNECTIONS_MAX = 128 };
#define SYSLOG_QUIET (10 * WD_NS_PER_S)

struct syslog_listener;

struct syslog_counters {
	uint64_t messages, bytes;
	uint64_t cut;
	uint64_t refused;   /* datagrams and connections of who may not send */
	uint64_t full;      /* connections for which there was no room */
	uint64_t malformed; /* connections that were closed because their framing broke */
	uint32_t connections; /* now */
};

struct syslog_options {
	const char *udp, *tcp; /* "127.0.0.1:5514", "[::]:514"; NULL: not */
	const struct senders *allowed; /* borrowed; NULL: everybody */
};

enum wd_err syslog_open(const struct syslog_options *options, struct syslog_listener **ret,
			struct wd_why *why) WD_MUST_CHECK;
void syslog_close(struct syslog_listener *s); /* NULL is fine */
/* Others than before; connections of who is not among them are closed. */
void syslog_allow(struct syslog_listener *s, const struct senders *allowed);

/* Waits at most timeout_ms for something to come, hands it on and returns. A message is valid
 * during the call; `from` is its sender. */
void syslog_poll(struct syslog_listener *s, int timeout_ms, wd_mono now,
		 void (*message)(void *context, const struct exporter_address *from,
				 const char *text, size_t len),
		 void *context);

struct syslog_counters syslog_counters(const struct syslog_listener *s);
/* The ports that were bound (for ":0"); 0: none. */
uint16_t syslog_udp_port(const struct syslog_listener *s);
uint16_t syslog_tcp_port(const struct syslog_listener *s);

#endif
