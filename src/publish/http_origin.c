/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_origin.h"

#include "base/check.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

struct name { const char *text; size_t len; };

/* "host:port", "[::1]:80" → the host; blanks before it are passed over, the rest is cut off. */
static struct name host_of(const char *authority)
{
	authority += strspn(authority, " \t");
	size_t len = authority[0] == '[' ? strcspn(authority, "]") : strcspn(authority, ":/?#, \t");
	return (struct name){authority, len};
}

/* Of an address of the web; nothing of any other, such as "null". */
static struct name host_of_url(const char *url)
{
	static const char *const SCHEMES[] = {"http://", "https://"};

	for (size_t i = 0; i < WD_COUNT(SCHEMES); i++) {
		size_t len = strlen(SCHEMES[i]);
		if (strncasecmp(url, SCHEMES[i], len) == 0)
			return host_of(url + len);
	}
	return (struct name){url, 0};
}

static bool is_same(struct name a, struct name b)
{
	return a.len > 0 && a.len == b.len && strncasecmp(a.text, b.text, a.len) == 0;
}

/* Each proxy on the way may have added what it was asked for. */
static bool is_in_list(struct name host, const char *list)
{
	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (is_same(host, host_of(at)))
			return true;
	}
	return false;
}

bool http_origin_is_another_site(const struct http_origin *o)
{
	if (o->fetch_site[0] != '\0')
		return strcmp(o->fetch_site, "cross-site") == 0;
	const char *from = o->origin[0] != '\0' ? o->origin : o->referer;
	if (from[0] == '\0')
		return false;
	struct name host = host_of_url(from);
	return !is_same(host, host_of(o->host)) && !is_in_list(host, o->forwarded_host) &&
	       !is_same(host, host_of_url(o->site_url));
}
