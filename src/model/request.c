/* SPDX-License-Identifier: Apache-2.0 */
#include "model/request.h"

#include <string.h>

static const struct { char name[8]; uint8_t len; } methods[REQUEST_METHODS] = {
	[REQUEST_OTHER] = {"other", 0}, [REQUEST_GET] = {"GET", 3},
	[REQUEST_HEAD] = {"HEAD", 4},	[REQUEST_POST] = {"POST", 4},
	[REQUEST_PUT] = {"PUT", 3},	[REQUEST_DELETE] = {"DELETE", 6},
	[REQUEST_PATCH] = {"PATCH", 5}, [REQUEST_OPTIONS] = {"OPTIONS", 7},
	[REQUEST_CONNECT] = {"CONNECT", 7},
};

const char *request_method_name(enum request_method m)
{
	return methods[(unsigned)m < REQUEST_METHODS ? m : REQUEST_OTHER].name;
}

enum request_method request_method_of(const char *text, size_t len)
{
	if (len == 3 && memcmp(text, "GET", 3) == 0) /* nearly all */
		return REQUEST_GET;
	for (unsigned i = REQUEST_HEAD; i < REQUEST_METHODS; i++)
		if (methods[i].len == len && memcmp(methods[i].name, text, len) == 0)
			return (enum request_method)i;
	return REQUEST_OTHER;
}
