/* SPDX-License-Identifier: Apache-2.0 */
/* Four answers of a server, whatever they are (services, now, traffic, trace; a byte 0x1e between),
 * give lines that fit and hold nothing that steers a terminal. */
#include "command/top_view.h"

#include "base/check.h"
#include "base/text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 60, ANSWERS = 4 };

static struct top_data seen;
static struct top_view view;
static struct top_page page;

static void draw(unsigned columns, bool utf8)
{
	page.columns = columns;
	page.utf8 = utf8;
	top_view_draw(&view, &seen, &page);
	WD_CHECK(page.count <= ROWS);
	for (unsigned y = 0; y < page.count; y++) {
		const struct top_line *l = &page.lines[y];
		WD_CHECK(l->columns <= columns && strlen(l->text) == l->len);
		WD_CHECK(text_is_utf8(l->text, l->len));
		for (unsigned i = 0; i < l->len; i++) {
			unsigned char c = (unsigned char)l->text[i];
			WD_CHECK(c >= 0x20 && c != 0x7f && (utf8 || c < 0x80));
			WD_CHECK(c != 0xc2 || (unsigned char)l->text[i + 1] >= 0xa0); /* C1 */
		}
	}
}

static void read_answer(unsigned which, const char *text, size_t len)
{
	struct top_services services;
	struct wd_why why;
	enum wd_err err = WD_OK;

	switch (which) {
	case 0:
		err = top_read_services(text, len, (wd_wall){0}, &services, &why);
		if (err == WD_OK)
			seen.services = services;
		break;
	case 1: err = top_read_open(text, len, &seen.open, &why); break;
	case 2: err = top_read_traffic(text, len, &seen.detail, &why); break;
	default: err = top_read_trace(text, len, &seen.detail, &why); break;
	}
	WD_CHECK(err == WD_OK || why.what != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *end = text + size;

	if (page.lines == NULL) {
		WD_CHECK(top_line_locale() || true); /* where there is none, all is "?" */
		WD_CHECK(top_page_open(&page, ROWS));
	}
	memset(&view, 0, sizeof(view));
	seen.open.count = 0;
	seen.detail.has_trace = false;
	for (unsigned which = 0; which < ANSWERS && text <= end; which++) {
		const char *stop = size > 0 ? memchr(text, 0x1e, (size_t)(end - text)) : NULL;
		stop = stop != NULL ? stop : end;
		read_answer(which, text, (size_t)(stop - text));
		text = stop + 1;
	}
	draw(100, true);
	draw(33, false);
	if (seen.services.count > 0) {
		const char *id = seen.services.rows[0].id;
		(void)text_copy(view.service, sizeof(view.service), id);
		(void)text_copy(seen.detail.service, sizeof(seen.detail.service), id);
		draw(100, true);
		draw(33, false);
	}
	top_services_done(&seen.services);
	return 0;
}
