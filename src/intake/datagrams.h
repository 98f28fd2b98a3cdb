/* SPDX-License-Identifier: Apache-2.0 */
/* datagrams: what can be said of a datagram of NetFlow v5, v9, IPFIX or sFlow v5 without
 * decoding it: whether it is one, where it ends, when it was sent. Pure. */
#ifndef WD_INTAKE_DATAGRAMS_H
#define WD_INTAKE_DATAGRAMS_H

#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Not only its version but its structure too: so that the bytes of a flood are not taken for
 * one. NULL is none. */
bool datagram_is_export(const uint8_t *bytes, size_t len);

/* How many of `left` bytes, which begin with a datagram (export_version is not 0), belong to
 * it; at least 1. All of them where it is broken or cut. */
size_t datagram_length(const uint8_t *bytes, size_t left);

/* Its sender's clock; false for sFlow, which has none. */
bool datagram_time(const uint8_t *bytes, size_t len, wd_wall *ret_at);
/* Milliseconds since its sender began; sFlow only. */
bool datagram_uptime(const uint8_t *bytes, size_t len, uint32_t *ret_ms);

#endif
