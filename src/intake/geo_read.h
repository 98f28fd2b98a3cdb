/* SPDX-License-Identifier: Apache-2.0 */
/* geo_read: MaxMind DB files in, the flat table of countries and networks out (tally/geo.h):
 * whole search trees are walked once, at start-up or when the files change. What the table
 * says of an address is what intake/place says, private addresses included. */
#ifndef WD_INTAKE_GEO_READ_H
#define WD_INTAKE_GEO_READ_H

#include "intake/place.h"
#include "tally/geo.h"

enum {
	GEO_RANGES_MAX = 8 << 20,  /* of one file and family */
	GEO_VISITS_MAX = 64 << 20, /* nodes of one tree: a damaged one may lead in circles, */
	GEO_VISITS_EACH = 16, /* a sound one leads to IPv4 by a few ways (6to4, mapped, …) */
};

/* What the files say, before the table is made of it: of IPv4 and of IPv6; nothing is known where
 * there are no items. The caller frees these. Errors as geo_read has them. */
enum wd_err geo_read_ranges(const struct place_files *files, struct geo_ranges ret_ranges[2],
			    struct wd_why *why) WD_MUST_CHECK;
/* Errors and `at` as places_open has them; WD_FULL: a file is beyond these limits, or the
 * table beyond GEO_MEMORY_MAX. No file at all gives a table that knows nothing. */
enum wd_err geo_read(const struct place_files *files, struct geo **ret_geo, struct wd_why *why)
	WD_MUST_CHECK;

#endif
