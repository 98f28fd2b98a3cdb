/* SPDX-License-Identifier: Apache-2.0 */
#include "command/log_hosts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct log_host *)a)->name, ((const struct log_host *)b)->name);
}

bool log_hosts_take(struct log_hosts *h, const struct catalogue *c)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < catalogue_count(c); i++)
		count += catalogue_at(c, i)->hosts.count;
	struct log_host *rows = calloc(count + 1, sizeof(*rows));
	if (rows == NULL)
		return false;
	for (size_t i = 0; i < catalogue_count(c); i++) {
		const struct service *s = catalogue_at(c, i);
		for (size_t k = 0; k < s->hosts.count; k++)
			rows[at++] = (struct log_host){s->hosts.items[k], s->id};
	}
	qsort(rows, count, sizeof(*rows), by_name);
	free(h->rows);
	*h = (struct log_hosts){rows, count};
	return true;
}

void log_hosts_done(struct log_hosts *h)
{
	free(h->rows);
	*h = (struct log_hosts){0};
}

const char *log_hosts_service(const struct log_hosts *h, const struct text_span *host)
{
	char name[SERVICE_HOST_MAX + 1];
	size_t len = 0;
	for (; len < host->len && len < SERVICE_HOST_MAX && host->at[len] != ':'; len++)
		name[len] = text_lower(host->at[len]);
	name[len] = '\0';
	const struct log_host key = {name, NULL};
	const struct log_host *found =
		h->count == 0 ? NULL
			      : bsearch(&key, h->rows, h->count, sizeof(key), by_name);
	return found == NULL ? NULL : found->service;
}
