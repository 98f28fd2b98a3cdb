/* SPDX-License-Identifier: Apache-2.0 */
/* replay_places: where addresses are, for a replay. The table of places (tally/geo.h) takes a
 * seventh of a second to make, which is what two million records take. So what the first
 * REPLAY_PLACES_ASKED questions are about is looked up in the files, and the table is made for
 * who asks more. Both give the same answers. One thread; memory of a megabyte, and the table. */
#ifndef WD_COMMAND_REPLAY_PLACES_H
#define WD_COMMAND_REPLAY_PLACES_H

#include "base/err.h"
#include "explain/tracer.h"
#include "intake/place.h"

enum { REPLAY_PLACES_ASKED = 100000 }; /* addresses that were not asked for shortly before */

struct replay_places;

/* The paths are copied. Errors as places_open has them. */
enum wd_err replay_places_open(const struct place_files *files, struct replay_places **ret_places,
			       struct wd_why *why) WD_MUST_CHECK;
void replay_places_close(struct replay_places *p); /* NULL is fine */

/* Borrows p. */
struct tracer_places replay_places_of(struct replay_places *p);
bool replay_places_has_table(const struct replay_places *p);

#endif
