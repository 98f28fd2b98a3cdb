/* SPDX-License-Identifier: Apache-2.0 */
/* record_line: a sampled record as a line of evidence. */
#ifndef WD_EXPLAIN_RECORD_LINE_H
#define WD_EXPLAIN_RECORD_LINE_H

#include "explain/tracer.h"

/* `row`: the vector it is evidence of; NULL: unknown. */
void record_line(const struct tracer_record *e, const struct vector_row *row,
		 char dst[TRACE_TEXT_MAX + 1]);

#endif
