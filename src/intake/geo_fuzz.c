/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a MaxMind DB file: it is refused, or ranges rise from the first address on, with a
 * country's two letters or nothing, and a table can be made of them. */
#include "intake/geo_read.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ranges_check(const struct geo_ranges *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const char *c = r->items[i].place.country;
		WD_CHECK(i == 0 ? r->items[0].start.high == 0 && r->items[0].start.low == 0
				: range_key_compare(r->items[i - 1].start, r->items[i].start) < 0);
		WD_CHECK((c[0] == '\0' && c[1] == '\0') ||
			 (c[0] >= 'A' && c[0] <= 'Z' && c[1] >= 'A' && c[1] <= 'Z'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	static char path[32];
	struct place_files files = {.country = path};
	struct geo_ranges ranges[2];
	struct geo *g;

	if (size == 0 || size > 1 << 16)
		return 0;
	if (fd < 0) {
		fd = memfd_create("places", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	WD_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
	WD_CHECK(pwrite(fd, data, size, 0) == (ssize_t)size);
	if (geo_read_ranges(&files, ranges, NULL) != WD_OK)
		return 0;
	ranges_check(&ranges[0]);
	ranges_check(&ranges[1]);
	/* The table takes milliseconds: of one input in 64. */
	if (data[size - 1] % 64 == 0 && geo_open(&ranges[0], &ranges[1], &g, NULL) == WD_OK) {
		WD_CHECK(geo_memory(g) <= GEO_MEMORY_MAX);
		for (size_t i = 0; i < ranges[1].count && i < 100; i++)
			(void)geo_find(g, 6, (const uint8_t *)&ranges[1].items[i].start);
		geo_close(g);
	}
	free(ranges[0].items);
	free(ranges[1].items);
	return 0;
}
