/* SPDX-License-Identifier: Apache-2.0 */
/* A time zone file: any bytes give a zone whose changes rise, or a reason. */
#include "config/tzif.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone z = {.count = 0};
	struct wd_why why;

	if (tzif_read(data, size, &z, &why) != WD_OK) {
		WD_CHECK(z.count == 0 && why.what != NULL);
		return 0;
	}
	WD_CHECK(z.count <= ZONE_CHANGES_MAX);
	for (size_t i = 0; i < z.count; i++) {
		WD_CHECK(i == 0 || z.changes[i - 1].at_s < z.changes[i].at_s);
		WD_CHECK(z.changes[i].east_s > -26 * 3600 && z.changes[i].east_s < 27 * 3600);
		WD_CHECK(zone_local(&z, wall_s(z.changes[i].at_s)).ns ==
			 wall_s(z.changes[i].at_s + z.changes[i].east_s).ns);
	}
	return 0;
}
