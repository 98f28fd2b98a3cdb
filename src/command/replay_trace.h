/* SPDX-License-Identifier: Apache-2.0 */
/* replay_trace: what traffic and requests say of an incident, for a terminal and as JSON. */
#ifndef WD_COMMAND_REPLAY_TRACE_H
#define WD_COMMAND_REPLAY_TRACE_H

#include "base/buf.h"
#include "command/replay_traffic.h"
#include "model/incident.h"
#include "model/trace.h"
#include "model/vector.h"

#include <stdio.h>

/* The lines below an incident's own; `trace` and `book` may be NULL. */
void replay_text_trace(struct buf *b, const struct incident *i, const struct trace *trace,
		       const struct vector_book *book);
/* One line: the incident, with a member `trace` if there is one. */
void replay_json_incident(struct buf *b, const struct incident *i, const struct trace *trace);
/* For the summary: "FILE: 37841 packets, …". */
void replay_text_input(FILE *out, const char *path, const struct traffic_input *in);

#endif
