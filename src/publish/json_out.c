/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/json_out.h"

#include "base/timetext.h"

#include <math.h>
#include <string.h>

/* No comma is due at the start and after "{", "[" and ":"; a value never ends in one of these. */
void wd_json_name(struct buf *b, const char *name)
{
	if (b->len > 0 && strchr("{[:", b->data[b->len - 1]) == NULL)
		buf_char(b, ',');
	if (name == NULL)
		return;
	buf_char(b, '"');
	buf_json(b, name);
	buf_str(b, "\":");
}

void wd_json_open(struct buf *b, const char *name, char bracket)
{
	wd_json_name(b, name);
	buf_char(b, bracket);
}

void wd_json_close(struct buf *b, char bracket)
{
	buf_char(b, bracket);
}

void wd_json_null(struct buf *b, const char *name)
{
	wd_json_name(b, name);
	buf_str(b, "null");
}

void wd_json_string(struct buf *b, const char *name, const char *text)
{
	if (text == NULL) {
		wd_json_null(b, name);
		return;
	}
	wd_json_name(b, name);
	buf_char(b, '"');
	buf_json(b, text);
	buf_char(b, '"');
}

void wd_json_number(struct buf *b, const char *name, double n)
{
	static const double whole_max = 1e15; /* below, doubles have every whole number */
	wd_json_name(b, name);
	if (isfinite(n))
		buf_fmt(b, n == floor(n) && fabs(n) < whole_max ? "%.0f" : "%.6g", n);
	else
		buf_str(b, "null");
}

void wd_json_count(struct buf *b, const char *name, uint64_t n)
{
	wd_json_name(b, name);
	buf_u64(b, n);
}

void wd_json_truth(struct buf *b, const char *name, bool truth)
{
	wd_json_name(b, name);
	buf_str(b, truth ? "true" : "false");
}

void wd_json_time(struct buf *b, const char *name, wd_wall t)
{
	char text[TIMETEXT_LEN_MAX];

	if (t.ns == 0) {
		wd_json_null(b, name);
		return;
	}
	timetext_write(text, t);
	wd_json_string(b, name, text);
}

void wd_json_url(struct buf *b, const char *name, const char *base, const char *path,
		 const char *id)
{
	wd_json_name(b, name);
	buf_char(b, '"');
	buf_json(b, base);
	buf_json(b, path);
	buf_json(b, id);
	buf_char(b, '"');
}
