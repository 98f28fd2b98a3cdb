/* SPDX-License-Identifier: Apache-2.0 */
/* http_compress: a body's gzip and brotli forms. Pure. */
#ifndef WD_PUBLISH_HTTP_COMPRESS_H
#define WD_PUBLISH_HTTP_COMPRESS_H

#include "publish/http.h"
#include "publish/http_negotiate.h"

#include <stddef.h>

/* Below this a header and a checksum cost more than compression saves. */
enum { HTTP_COMPRESS_MIN = 512 };

/* The caller frees. NULL when it would not save a tenth, or memory is out: the identity
 * body serves then. */
char *http_compress(enum http_encoding encoding, enum http_compress level, const void *body,
		    size_t len, size_t *ret_len);

#endif
