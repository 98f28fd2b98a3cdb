/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/json_out.h"

#include "base/timetext.h"

#include <math.h>
#include <string.h>

/* No comma is due at the start and after "{", "[" and ":"; a value never ends in one of these. */
void json_name(struct buf *b, const char *name)
{
	if (b->len > 0 && strchr("{[:", b->data[b->len - 1]) == NULL)
		buf_char(b, ',');
	if (name == NULL)
		return;
	buf_char(b, '"');
	buf_json(b, name);
	buf_str(b, "\":");
}

void json_open(struct buf *b, const char *name, char bracket)
{
	json_name(b, name);
	buf_char(b, bracket);
}

void json_close(struct buf *b, char bracket)
{
	buf_char(b, bracket);
}

void json_null(struct buf *b, const char *name)
{
	json_name(b, name);
	buf_str(b, "null");
}

void json_string(struct buf *b, const char *name, const char *text)
{
	if (text == NULL) {
		json_null(b, name);
		return;
	}
	json_name(b, name);
	buf_char(b, '"');
	buf_json(b, text);
	buf_char(b, '"');
}

void json_number(struct buf *b, const char *name, double n)
{
	json_name(b, name);
	if (isfinite(n))
		buf_fmt(b, "%.6g", n);
	else
		buf_str(b, "null");
}

void json_count(struct buf *b, const char *name, uint64_t n)
{
	json_name(b, name);
	buf_u64(b, n);
}

void json_truth(struct buf *b, const char *name, bool truth)
{
	json_name(b, name);
	buf_str(b, truth ? "true" : "false");
}

void json_time(struct buf *b, const char *name, wd_wall t)
{
	char text[TIMETEXT_LEN_MAX];

	if (t.ns == 0) {
		json_null(b, name);
		return;
	}
	timetext_write(text, t);
	json_string(b, name, text);
}

void json_url(struct buf *b, const char *name, const char *base, const char *path, const char *id)
{
	json_name(b, name);
	buf_char(b, '"');
	buf_json(b, base);
	buf_json(b, path);
	buf_json(b, id);
	buf_char(b, '"');
}
