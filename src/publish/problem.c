/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/problem.h"

/* `type` is left out: that means "about:blank", and then the status says it all (RFC 9457, 4.2.1).
 */
void problem_json(struct buf *b, const struct problem_document *p)
{
	buf_fmt(b, "{\"status\":%d,\"title\":\"", p->status);
	buf_json(b, p->title);
	if (p->detail != NULL && p->detail[0] != '\0') {
		buf_str(b, "\",\"detail\":\"");
		buf_json(b, p->detail);
	}
	if (p->field != NULL && p->field[0] != '\0') {
		buf_str(b, "\",\"field\":\"");
		buf_json(b, p->field);
	}
	buf_str(b, "\"}\n");
}
