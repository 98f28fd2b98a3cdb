/* SPDX-License-Identifier: Apache-2.0 */
/* progress: a bar on standard error while something runs, on a terminal only, within its width. */
#ifndef WD_COMMAND_PROGRESS_H
#define WD_COMMAND_PROGRESS_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct progress {
	bool on;
	unsigned columns; /* of the terminal */
	struct timespec began, shown;
};

/* `wanted` and standard error is a terminal: it is shown. */
void progress_begin(struct progress *p, bool wanted);
/* done: 0 … 1; at: how far the recording's clock is; count: what was taken so far. Ten times a
 * second at most. */
bool progress_is_due(const struct progress *p);
void progress_show(struct progress *p, double done, wd_wall at, uint64_t count);
/* Before something else is written there. */
void progress_clear(const struct progress *p);
double progress_seconds(const struct progress *p); /* since it began */

#endif
