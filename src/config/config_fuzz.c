/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's reader: any bytes are read or refused with a problem that can be
 * printed, and what was read can be compared with itself and freed. The input's first byte
 * says whether the catalogue file of this small world is there and is itself the input. */
#include "config/config.h"

#include "base/check.h"
#include "base/text.h"
#include "config/config_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world { const uint8_t *data; size_t size; };

static enum wd_err world_read(void *ctx, const char *path, size_t len_max, char **ret_bytes,
			      size_t *ret_len, struct wd_why *why)
{
	const struct world *w = ctx;
	if (path[0] != '/' || w->size > len_max)
		return wd_fail_os(why, 2, "open");
	char *bytes = malloc(w->size + 1);
	if (bytes == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory");
	memcpy(bytes, w->data, w->size);
	*ret_bytes = bytes;
	*ret_len = w->size;
	return WD_OK;
}

static const char *world_places(void *ctx, const char *path)
{
	(void)ctx;
	return path[0] == '/' ? NULL : "the path of a file";
}

static enum wd_err world_zone(void *ctx, const char *name, struct zone **ret_zone,
			      struct wd_why *why)
{
	(void)ctx;
	if (name[0] == 'X')
		return wd_fail_os(why, 2, "no zone data");
	if (name[0] != 'E')
		return wd_fail(why, WD_UNKNOWN, 0, "there is none of that name");
	struct zone *z = zone_new_utc();
	WD_CHECK(z != NULL);
	(void)text_copy(z->name, sizeof(z->name), name);
	*ret_zone = z;
	return WD_OK;
}

static void check_problems(const struct problems *p, enum wd_err err)
{
	struct buf b;
	WD_CHECK((err == WD_OK) == (p->errors == 0));
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < p->count; i++)
		problem_write(&b, &p->items[i]);
	WD_CHECK(!b.bad);
	for (size_t i = 0; i < b.len; i++)
		WD_CHECK((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7f);
	buf_done(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct world world = {data + 1, size - 1};
	struct config_source source = {
		.ctx = &world,
		.read = world_read,
		.places = world_places,
		.zone = world_zone,
		.catalogue_file = data[0] == '#' ? "" : "/catalogue.yaml",
		.country_file = "",
	};
	/* The catalogue is the input as well: a file of settings is refused as one, so that
	 * both kinds of file are reached. */
	static const char inner[] = "services: [{id: x, relies_on: []}]";
	bool catalogue_only = data[0] == '!';
	struct config *c = NULL;
	struct problems p;
	problems_init(&p);
	enum wd_err err =
		config_read("/c.yaml", catalogue_only ? inner : (const char *)data + 1,
			    catalogue_only ? sizeof(inner) - 1 : size - 1, &source, &c, &p);
	check_problems(&p, err);
	if (err == WD_OK) {
		struct config_changes changes;
		WD_CHECK(config_compare(c, c, c, &changes) == WD_OK);
		WD_CHECK(changes.live.count == 0 && changes.restart.count == 0);
		config_changes_done(&changes);
		for (size_t i = 0; i < catalogue_count(c->catalogue); i++) {
			const struct service *s = catalogue_at(c->catalogue, i);
			WD_CHECK(catalogue_find(c->catalogue, s->name) == s);
			WD_CHECK(catalogue_index(c->catalogue, s->id) == i);
		}
	}
	config_free(c);
	problems_done(&p);
	return 0;
}
