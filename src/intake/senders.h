/* SPDX-License-Identifier: Apache-2.0 */
/* senders: who may send telemetry, by address. A sender's address over UDP can be forged by
 * whoever's network lets it; the list keeps out who cannot. Never changes once made; any
 * thread. */
#ifndef WD_INTAKE_SENDERS_H
#define WD_INTAKE_SENDERS_H

#include "base/err.h"
#include "decode/exporter.h"
#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct sender_rule {
	struct address_block block;
	uint32_t sampling; /* one packet in so many, where the export does not say; 0 = not said */
};

struct senders;

/* Copies the rules. */
enum wd_err senders_open(const struct sender_rule *rules, size_t count,
			 struct senders **ret_senders) WD_MUST_CHECK;
void senders_close(struct senders *s); /* NULL is fine */

/* IPv4 inside IPv6 is IPv4. */
struct exporter_address sender_of(const struct sockaddr_storage *ss);

/* The rule of the longest block that holds the address, or NULL: not allowed. */
const struct sender_rule *senders_find(const struct senders *s,
				       const struct exporter_address *sender);

#endif
