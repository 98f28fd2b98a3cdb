/* SPDX-License-Identifier: Apache-2.0 */
/* replay_notes: what single clients did (detect/conduct.h), for a terminal and as JSON. */
#ifndef WD_COMMAND_REPLAY_NOTES_H
#define WD_COMMAND_REPLAY_NOTES_H

#include "base/buf.h"
#include "command/replay_traffic.h"
#include "detect/conduct.h"
#include "model/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

/* Below the incidents; a client that took part in a flood of requests is told of there. Returns
 * how many were noted. */
size_t replay_notes_write(struct buf *b, const struct traffic_play *play,
			  const struct snapshot *s, bool json);
/* The same of one service. */
size_t replay_notes_of(struct buf *b, const struct conduct *c, const char *service,
		       const struct snapshot *s, bool json);

#endif
