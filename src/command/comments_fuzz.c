/* SPDX-License-Identifier: Apache-2.0 */
/* A decision, a path, and a stranger's text that is to be shown on a terminal. */
#include "command/report_client.h"
#include "publish/comments.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum comment_status status = COMMENT_HELD;
	struct problem_document problem;
	char *text = calloc(1, size + 1);
	int64_t number = 0;
	struct buf b;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	if (decision_read(text, size, &status, &problem))
		WD_CHECK(status == COMMENT_PUBLISHED || status == COMMENT_REJECTED);
	else
		WD_CHECK(problem.status == 400 || problem.status == 422);
	WD_CHECK(!comment_path(text, &number) || number > 0);
	buf_init(&b, 12 * size + 1);
	report_client_text(&b, text);
	WD_CHECK(!b.bad);
	for (size_t i = 0; i < b.len; i++)
		WD_CHECK((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7f);
	WD_CHECK(b.len == 0 || text_is_utf8(b.data, b.len));
	buf_done(&b);
	free(text);
	return 0;
}
