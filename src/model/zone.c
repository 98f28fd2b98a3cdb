/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zone.h"

#include <stdlib.h>
#include <string.h>

wd_wall zone_local(const struct zone *z, wd_wall t)
{
	int64_t t_s = wall_to_s(t);
	int32_t east_s = z->east_s;

	/* The last change at or before t: changes[low - 1]. */
	size_t low = 0;
	for (size_t high = z->count; low < high;) {
		size_t middle = low + (high - low) / 2;
		if (z->changes[middle].at_s <= t_s)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > 0)
		east_s = z->changes[low - 1].east_s;
	return wall_add(t, span_s(east_s));
}

struct zone *zone_new_utc(void)
{
	struct zone *z = calloc(1, sizeof(*z));
	if (z != NULL)
		memcpy(z->name, "UTC", sizeof("UTC"));
	return z;
}
