/* SPDX-License-Identifier: Apache-2.0 */
/* http_negotiate: what Accept-Encoding, If-Match and If-None-Match ask for. Pure.
 * RFC 9110 12.5.3, 12.4.2, 13.1.1 and 13.1.2. */
#ifndef WD_PUBLISH_HTTP_NEGOTIATE_H
#define WD_PUBLISH_HTTP_NEGOTIATE_H

#include <stdbool.h>

enum http_encoding { HTTP_IDENTITY, HTTP_GZIP, HTTP_BROTLI, HTTP_ENCODINGS };

/* The best of what the client takes (highest q, and then the smaller body: brotli, gzip)
 * and `have` holds; identity is always had, and is also the answer to a client that
 * refuses everything: RFC 9110 allows that and 406 would help nobody. accept may be NULL. */
enum http_encoding http_encoding_pick(const char *accept, const bool have[HTTP_ENCODINGS]);

/* Weak comparison of an If-None-Match list (or "*") with one quoted tag. */
bool http_etag_matches(const char *if_none_match, const char *etag);
/* Strong comparison of an If-Match list: a weak tag is never the same. "*" is what there is. */
bool http_etag_is(const char *if_match, const char *etag);

#endif
