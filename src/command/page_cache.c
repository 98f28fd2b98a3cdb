/* SPDX-License-Identifier: Apache-2.0 */
#include "command/page_cache.h"

#include "base/check.h"
#include "base/hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 1 << 14, PROBES = 8 };

struct entry {
	char key[SITE_KEY_MAX + 1];
	uint64_t version;
	struct http_response *response; /* NULL = free */
	size_t bytes;
};

struct page_cache {
	pthread_mutex_t lock;   /* of the table */
	pthread_mutex_t render; /* one renders, the others wait for the result */
	size_t bytes, bytes_max;
	uint64_t rendered;
	struct entry *entries;
};

enum wd_err page_cache_open(size_t bytes_max, struct page_cache **ret_cache)
{
	struct page_cache *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return WD_NOMEM;
	c->entries = calloc(SLOTS, sizeof(*c->entries));
	if (c->entries == NULL) {
		free(c);
		return WD_NOMEM;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->render, NULL);
	c->bytes_max = bytes_max;
	*ret_cache = c;
	return WD_OK;
}

static void drop(struct page_cache *c, struct entry *e)
{
	http_response_unref(e->response);
	c->bytes -= e->bytes;
	*e = (struct entry){0};
}

void page_cache_close(struct page_cache *c)
{
	if (c == NULL)
		return;
	for (size_t n = 0; n < SLOTS; n++)
		drop(c, &c->entries[n]);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->render);
	free(c->entries);
	free(c);
}

/* The entry of a key, or the best place for it: free, or else the oldest of its few. */
static struct entry *place_of(struct page_cache *c, const char *key)
{
	static const struct hash_key secret = {"page cache"};
	size_t at = (size_t)hash_bytes(&secret, key, strlen(key));
	struct entry *best = NULL;
	for (size_t n = 0; n < PROBES; n++) {
		struct entry *e = &c->entries[(at + n) & (SLOTS - 1)];
		if (e->response != NULL && strcmp(e->key, key) == 0)
			return e;
		if (best == NULL ||
		    (best->response != NULL && (e->response == NULL || e->version < best->version)))
			best = e;
	}
	return best;
}

static struct http_response *look(struct page_cache *c, const struct site_key *key)
{
	struct http_response *found = NULL;
	pthread_mutex_lock(&c->lock);
	struct entry *e = place_of(c, key->text);
	if (e->response != NULL && e->version == key->version && strcmp(e->key, key->text) == 0)
		found = http_response_ref(e->response);
	pthread_mutex_unlock(&c->lock);
	return found;
}

static void keep(struct page_cache *c, const struct site_key *key, struct http_response *response)
{
	size_t len;
	(void)http_response_body(response, &len);
	pthread_mutex_lock(&c->lock);
	struct entry *e = place_of(c, key->text);
	drop(c, e);
	memcpy(e->key, key->text, sizeof(e->key));
	e->version = key->version;
	e->response = http_response_ref(response);
	e->bytes = 2 * len + 512; /* and about as much for both encodings */
	c->bytes += e->bytes;
	for (size_t n = 0; c->bytes > c->bytes_max && n < SLOTS; n++) {
		if (&c->entries[n] != e)
			drop(c, &c->entries[n]);
	}
	pthread_mutex_unlock(&c->lock);
}

static struct http_response *render(struct page_cache *c, const struct site *site,
				    const struct snapshot *snapshot,
				    const struct site_request *request, bool shared)
{
	struct site_page page;
	struct http_response *response = NULL;
	struct http_field fields[2];
	size_t field_count = 0;

	if (site_render(site, snapshot, request, &page, NULL) != WD_OK)
		return NULL;
	if (page.cross_origin)
		fields[field_count++] = (struct http_field){"Access-Control-Allow-Origin", "*"};
	if (page.location[0] != '\0')
		fields[field_count++] = (struct http_field){"Location", page.location};
	const struct http_response_options o = {
		.status = page.status,
		.content_type = page.content_type,
		.cache_control = page.cache_control,
		.body = page.body.data,
		.body_len = page.body.len,
		.fields = fields,
		.field_count = field_count,
		.embeddable = page.embeddable,
		.compress = shared ? HTTP_COMPRESS_PAGE : HTTP_COMPRESS_FAST,
	};
	if (http_response_make(&o, &response, NULL) != WD_OK)
		response = NULL;
	buf_done(&page.body);
	__atomic_fetch_add(&c->rendered, 1, __ATOMIC_RELAXED);
	return response;
}

struct http_response *page_cache_answer(struct page_cache *c, const struct site *site,
					const struct snapshot *snapshot,
					const struct site_request *request)
{
	struct site_key key;
	site_key(site, snapshot, request, &key);
	if (!key.keep)
		return render(c, site, snapshot, request, false);
	struct http_response *response = look(c, &key);
	if (response != NULL)
		return response;
	pthread_mutex_lock(&c->render);
	response = look(c, &key);
	if (response == NULL) {
		response = render(c, site, snapshot, request, true);
		if (response != NULL)
			keep(c, &key, response);
	}
	pthread_mutex_unlock(&c->render);
	return response;
}

uint64_t page_cache_rendered(const struct page_cache *c)
{
	return __atomic_load_n(&c->rendered, __ATOMIC_RELAXED);
}
