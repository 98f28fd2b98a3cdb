/* SPDX-License-Identifier: Apache-2.0 */
#include "command/witness_log.h"

#include "base/timetext.h"
#include "command/log.h"

#include <string.h>

static bool was_silent(const struct snapshot *s, const char *name)
{
	for (size_t n = 0; s != NULL && n < s->witness_count; n++) {
		if (strcmp(s->witnesses[n].name, name) == 0)
			return s->witnesses[n].silent;
	}
	return false;
}

void witness_log(const struct snapshot *before, const struct snapshot *now)
{
	for (size_t n = 0; n < now->witness_count; n++) {
		const struct witness_state *w = &now->witnesses[n];
		char since[TIMETEXT_LEN_MAX];
		if (w->silent == was_silent(before, w->name))
			continue;
		timetext_write(since, w->heard);
		if (w->silent)
			log_line(LOG_LEVEL_WARNING, "sender_silent", "sender=%s since=%s", w->name,
				 since);
		else
			log_line(LOG_LEVEL_INFO, "sender_heard_again", "sender=%s", w->name);
	}
}
