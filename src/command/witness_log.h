/* SPDX-License-Identifier: Apache-2.0 */
/* witness_log: a line of the log when who sends flows or packets falls silent, and when it is heard
 * again. */
#ifndef WD_COMMAND_WITNESS_LOG_H
#define WD_COMMAND_WITNESS_LOG_H

#include "model/snapshot.h"

/* What differs; `before` may be NULL. */
void witness_log(const struct snapshot *before, const struct snapshot *now);

#endif
