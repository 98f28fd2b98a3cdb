/* SPDX-License-Identifier: Apache-2.0 */
/* replay_text: an incident in words, for a terminal. */
#ifndef WD_COMMAND_REPLAY_TEXT_H
#define WD_COMMAND_REPLAY_TEXT_H

#include "base/buf.h"
#include "model/incident.h"
#include "model/trace.h"
#include "model/vector.h"

/* `trace`: of its traffic; `book`: names of what was found in requests. Each may be NULL. */
void replay_text_incident(struct buf *b, const struct incident *i, const struct trace *trace,
			  const struct vector_book *book);
/* Names come from files and from the network: nothing of them may move the terminal. */
void replay_text_plain(struct buf *b, const char *text);
void replay_text_coordinated(struct buf *b, const struct coordinated *c);

#endif
