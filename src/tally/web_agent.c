/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/web_agent.h"

#include "tally/text_hash.h"
#include "tally/web_mark.h"

#include <string.h>

/* By its last bytes, which tell versions apart. */
static size_t place_of(struct text_span agent)
{
	uint64_t last = 0, middle = 0;

	if (agent.len >= 16) {
		memcpy(&last, agent.at + agent.len - 8, 8);
		memcpy(&middle, agent.at + agent.len / 2, 8);
	} else {
		memcpy(&last, agent.at, agent.len < 8 ? agent.len : 8);
	}
	return (last ^ middle * 31 ^ agent.len) * UINT64_C(0x9e3779b97f4a7c15) >> 32 &
	       (WEB_AGENTS - 1);
}

struct web_agent *web_agent_of(struct web_agents *a, const struct address_key *key,
			       struct text_span agent)
{
	uint64_t hash = 0;

	if (agent.len == 0)
		return &a->none;
	struct web_agent *w = &a->all[place_of(agent)];
	if (agent.len <= WEB_AGENT_KEPT) {
		if (w->len == agent.len && memcmp(w->text, agent.at, agent.len) == 0)
			return w;
		memcpy(w->text, agent.at, agent.len);
	}
	hash = text_hash(key, agent.at, agent.len) | 1;
	if (agent.len > WEB_AGENT_KEPT && w->len == agent.len && w->hash == hash)
		return w;
	w->hash = hash;
	w->len = agent.len;
	w->marks = web_marks_of_agent(agent);
	w->tool = 0;
	return w;
}
