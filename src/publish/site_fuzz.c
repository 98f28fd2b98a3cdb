/* SPDX-License-Identifier: Apache-2.0 */
/* A path, a line end, and the value that every query parameter has. Whatever is asked, there is an
 * answer, a key that keeps within its bounds, and nothing of the question unescaped in it. */
#include "publish/site.h"
#include "publish/site_fixture.h"

#include "base/check.h"
#include "base/text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *query_of(const void *ctx, const char *name)
{
	(void)name;
	return ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct snapshot *snapshot; /* made once: it takes longer than what is tried */
	char text[1024], *value;
	struct site_page page;
	struct site_key key;

	if (snapshot == NULL)
		snapshot = fixture_snapshot(FIXTURE_HOSTILE);
	/* The server hands on UTF-8 without NUL only, with a slash in front. */
	if (len == 0 || len >= sizeof(text) - 1 || !text_is_utf8((const char *)bytes, len))
		return 0;
	text[0] = '/';
	memcpy(text + 1, bytes, len);
	text[len + 1] = '\0';
	value = strchr(text, '\n');
	if (value != NULL)
		*value++ = '\0';
	struct site_request request = {
		.path = text, .query = value != NULL ? query_of : NULL, .ctx = value};
	site_key(&fixture_site, snapshot, &request, &key);
	WD_CHECK(strlen(key.text) <= SITE_KEY_MAX);
	WD_CHECK(site_render(&fixture_site, snapshot, &request, &page, NULL) == WD_OK);
	WD_CHECK(page.status == 200 || page.status == 302 || page.status == 400 ||
		 page.status == 404 || page.status == 503);
	WD_CHECK(page.status != 302 || strncmp(page.location, "/s/", 3) == 0);
	WD_CHECK(page.status == 200 || !key.keep || strncmp(key.text, "404", 3) == 0);
	if (page.body.data != NULL && strncmp(text, "/assets/", 8) != 0)
		WD_CHECK(strstr(page.body.data, "<script>alert") == NULL);
	buf_done(&page.body);
	return 0;
}
