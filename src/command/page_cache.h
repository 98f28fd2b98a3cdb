/* SPDX-License-Identifier: Apache-2.0 */
/* page_cache: every page rendered and compressed once a version, and shared by all readers.
 * Bounded: keys stand for things that exist (publish/site.h); when the memory for pages is
 * used up, all but the newest go. Any thread. */
#ifndef WD_COMMAND_PAGE_CACHE_H
#define WD_COMMAND_PAGE_CACHE_H

#include "base/err.h"
#include "publish/http.h"
#include "publish/site.h"

struct page_cache;

enum wd_err page_cache_open(size_t bytes_max, struct page_cache **ret_cache) WD_MUST_CHECK;
void page_cache_close(struct page_cache *c);

/* The response to a GET: an owned reference, or NULL when memory ran out. */
struct http_response *page_cache_answer(struct page_cache *c, const struct site *site,
					const struct snapshot *snapshot,
					const struct site_request *request);

uint64_t page_cache_rendered(const struct page_cache *c);

#endif
