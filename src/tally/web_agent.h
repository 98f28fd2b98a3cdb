/* SPDX-License-Identifier: Apache-2.0 */
/* web_agent: user agents repeat, so what one shows is kept of those seen lately. An agent is
 * known by all of its text: nobody's can be taken for another's. Plain memory; one thread's. */
#ifndef WD_TALLY_WEB_AGENT_H
#define WD_TALLY_WEB_AGENT_H

#include "model/request.h"
#include "tally/address_hash.h"

#include <stdint.h>

enum {
	WEB_AGENTS = 128,         /* a power of 2 */
	WEB_AGENT_KEPT = 240,     /* bytes of text; of a longer one the keyed hash must do */
};

struct web_agent {
	uint64_t hash;  /* keyed; 0: there is none */
	uint32_t len;
	uint16_t marks; /* 1 << enum web_mark: those that are the agent's */
	uint8_t tool;   /* for who asks further; at first 0 */
	char text[WEB_AGENT_KEPT];
};

/* Blank at first. */
struct web_agents { struct web_agent none, all[WEB_AGENTS]; };

/* Valid until the next call. */
struct web_agent *web_agent_of(struct web_agents *a, const struct address_key *key,
			       struct text_span agent);

#endif
