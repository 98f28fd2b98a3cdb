/* SPDX-License-Identifier: Apache-2.0 */
/* place_inner: what an entry of a MaxMind DB file says, in the layouts that place.h names. */
#ifndef WD_INTAKE_PLACE_INNER_H
#define WD_INTAKE_PLACE_INNER_H

#include "intake/place.h"

#include <maxminddb.h>

/* Each fills in its field, unless another file did before. */
/* Opens a place file that is `at` in struct place_files. WD_OS, WD_NOMEM, WD_MALFORMED. */
enum wd_err place_file_open(const char *path, uint32_t at, MMDB_s *ret_mmdb, struct wd_why *why)
	WD_MUST_CHECK;
void place_find_country(MMDB_entry_s *entry, struct place *place);
void place_find_network(MMDB_entry_s *entry, struct place *place);

#endif
