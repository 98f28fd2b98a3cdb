/* SPDX-License-Identifier: Apache-2.0 */
/* The input's lines: a target, an Accept-Encoding, an If-None-Match, an X-Forwarded-For. */
#include "publish/http_address.h"
#include "publish/http_negotiate.h"
#include "publish/http_target.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const bool HAVE[HTTP_ENCODINGS] = {true, true, true};
	struct http_prefix trusted = {.bits = 96, .address = {{[10] = 0xff, [11] = 0xff}}};
	struct http_address peer = trusted.address;
	const char *lines[4] = {"", "", "", ""};
	struct http_target target;
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	char *rest = text;
	for (size_t i = 0; i < 4 && rest != NULL; i++) {
		lines[i] = rest;
		rest = strchr(rest, '\n');
		if (rest != NULL)
			*rest++ = '\0';
	}
	WD_CHECK(http_encoding_pick(lines[1], HAVE) < HTTP_ENCODINGS);
	http_etag_matches(lines[2], "\"abc\"");
	http_address_client(&peer, lines[3], &trusted, 1);
	char *copy = strdup(lines[0]);
	if (copy != NULL && http_target_read(copy, &target)) {
		WD_CHECK(target.path[0] == '/' && strstr(target.path, "/../") == NULL);
		WD_CHECK(text_is_utf8(target.path, strlen(target.path)));
		WD_CHECK(target.count <= HTTP_PARAMETERS_MAX);
		for (size_t i = 0; i < target.count; i++)
			WD_CHECK(text_is_utf8(target.parameters[i].value,
					      strlen(target.parameters[i].value)));
	}
	free(copy);
	free(text);
	return 0;
}
