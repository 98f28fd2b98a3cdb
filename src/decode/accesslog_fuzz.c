/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as lines of an access log, and as a format followed by lines: no crash, every
 * span lies within its line, every number within its range. The first byte chooses. */
#include "decode/accesslog.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void span_check(struct text_span s, const char *line, size_t len)
{
	WD_CHECK((s.at == NULL) == (s.len == 0));
	if (s.len > 0)
		WD_CHECK(s.at >= line && s.at + s.len <= line + len);
}

static void line_check(struct accesslog *a, const char *line, size_t len)
{
	struct request r;

	if (accesslog_read(a, line, len, &r, NULL) != WD_OK)
		return;
	span_check(r.host, line, len);
	span_check(r.path, line, len);
	span_check(r.query, line, len);
	span_check(r.referer, line, len);
	span_check(r.agent, line, len);
	WD_CHECK(r.family == 0 || r.family == 4 || r.family == 6);
	WD_CHECK(r.method < REQUEST_METHODS && r.protocol <= REQUEST_ODD);
	WD_CHECK(r.status == 0 || (r.status >= 100 && r.status < 600));
	WD_CHECK(r.bytes >= -1 && r.duration_us >= -1);
	WD_CHECK(wall_to_s(r.at) > -400000 && wall_to_s(r.at) < INT64_C(7258118400) + 400000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct accesslog a;

	if (size < 1)
		return 0;
	accesslog_init(&a);
	const uint8_t *at = data + 1, *end = data + size;
	bool format = data[0] == 'f';

	while (at < end) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop != NULL ? stop : end) - at);
		/* A block of just the line's size, so that reading past it shows. */
		char *line = malloc(len + 1);
		WD_CHECK(line != NULL);
		memcpy(line, at, len);
		line[len] = '\0';
		if (format) {
			format = false;
			if (accesslog_set_format(&a, line, NULL) != WD_OK)
				a.step_count = 0;
		} else {
			memmove(line + 1, line, len);
			line_check(&a, line + 1, len);
		}
		free(line);
		at += len + 1;
	}
	return 0;
}
