/* SPDX-License-Identifier: Apache-2.0 */
/* http_origin: did a page of another site send a request? Browsers say so, programs say nothing.
 * Pure. Sources: W3C Fetch Metadata (Sec-Fetch-Site), RFC 6454 section 7 and the Fetch standard
 * (Origin, which is "null" where a page has none or hides it), RFC 9110 10.1.3 (Referer).
 *
 * Sec-Fetch-Site decides where it is there: the browser compared the addresses as it sees them,
 * so no proxy can confuse it. Browsers that are old, and all browsers on a site without TLS, send
 * none: then the host of Origin, and without one that of Referer, must be one that the request was
 * sent to. Ports are not compared, as for Sec-Fetch-Site's "same-site": many proxies leave them
 * out. */
#ifndef WD_PUBLISH_HTTP_ORIGIN_H
#define WD_PUBLISH_HTTP_ORIGIN_H

#include <stdbool.h>

/* Header fields, "" = none; and what the configuration calls this site, "" = nothing. */
struct http_origin {
	const char *fetch_site, *origin, *referer;
	/* Anybody may have written the second: a page cannot make a browser send it, and a program
	 * that lies could as well leave Origin out. */
	const char *host, *forwarded_host;
	const char *site_url;
};

bool http_origin_is_another_site(const struct http_origin *o);

#endif
