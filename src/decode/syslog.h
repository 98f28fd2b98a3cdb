/* SPDX-License-Identifier: Apache-2.0 */
/* syslog: what stands before a message that came by way of syslog: the header of RFC 5424, that
 * of RFC 3164 (with its priority, or without, as files have it), and the latter with an ISO
 * time, as rsyslog writes it. */
#ifndef WD_DECODE_SYSLOG_H
#define WD_DECODE_SYSLOG_H

#include <stddef.h>

/* Bytes to pass over; 0 if there is no such header. */
size_t syslog_header(const char *line, size_t len);

#endif
