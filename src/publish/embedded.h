/* SPDX-License-Identifier: Apache-2.0 */
/* embedded: files that the build put into the program (scripts/embed). "htmx.js" is there when npm
 * could fetch it; pages must do without when it is not. */
#ifndef WD_PUBLISH_EMBEDDED_H
#define WD_PUBLISH_EMBEDDED_H

#include <stddef.h>

struct embedded {
	const char *name; /* "htmx.js" */
	const char *type; /* "text/javascript; charset=utf-8" */
	const unsigned char *bytes;
	size_t len;
};

extern const struct embedded embedded_files[];
extern const size_t embedded_count;

/* NULL if the build had no such file. */
const struct embedded *embedded_find(const char *name);

#endif
