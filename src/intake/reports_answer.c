/* SPDX-License-Identifier: Apache-2.0 */
/* reports_answer: what is said to who sent, as JSON. */
#include "intake/reports.h"

void reports_batch_json(struct buf *b, const struct reports_batch *batch, uint32_t duplicates)
{
	uint32_t told = batch->refused < REPORTS_LINES_TOLD_MAX ? batch->refused
							       : REPORTS_LINES_TOLD_MAX;
	buf_fmt(b, "{\"accepted\":%u,\"duplicates\":%u,\"refused\":%u,\"lines\":[",
		batch->count - duplicates, duplicates, batch->refused);
	for (uint32_t i = 0; i < told; i++) {
		buf_fmt(b, "%s{\"line\":%u,\"at\":%u,\"detail\":\"", i > 0 ? "," : "",
			batch->lines[i].line, batch->lines[i].at);
		buf_json(b, batch->lines[i].what);
		buf_str(b, "\"}");
	}
	buf_str(b, "]}\n");
}

void reports_refusal_json(struct buf *b, const struct reports_refusal *refusal)
{
	buf_fmt(b, "{\"type\":\"%s\",\"title\":\"%s\",\"status\":%d", refusal->type, refusal->title,
		refusal->status);
	if (refusal->detail[0] != '\0') {
		buf_str(b, ",\"detail\":\"");
		buf_json(b, refusal->detail);
		buf_char(b, '"');
	}
	for (size_t i = 0; i < refusal->errors.count; i++) {
		const struct report_error *e = &refusal->errors.items[i];
		buf_str(b, i == 0 ? ",\"errors\":[{\"pointer\":\"" : ",{\"pointer\":\"");
		if (e->field[0] != '\0') { /* a JSON Pointer; "" is the whole body */
			buf_char(b, '/');
			buf_json(b, e->field);
		}
		buf_str(b, "\",\"detail\":\"");
		buf_json(b, e->detail);
		buf_str(b, "\"}");
	}
	buf_str(b, refusal->errors.count > 0 ? "]}\n" : "}\n");
}
