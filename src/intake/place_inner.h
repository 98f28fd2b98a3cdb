/* SPDX-License-Identifier: Apache-2.0 */
/* place_inner: what an entry of a MaxMind DB file says, in the layouts that place.h names. */
#ifndef WD_INTAKE_PLACE_INNER_H
#define WD_INTAKE_PLACE_INNER_H

#include "intake/place.h"

#include <maxminddb.h>

/* Each fills in its field, unless another file did before. */
void place_find_country(MMDB_entry_s *entry, struct place *place);
void place_find_network(MMDB_entry_s *entry, struct place *place);

#endif
