/* SPDX-License-Identifier: Apache-2.0 */
/* simulation: a scenario played. Reports come out in the order of their times; the same
 * scenario and seed give the same reports. Each service and each surge draws from its own
 * stream of random numbers, so that adding one leaves the others as they were. Pure.
 *
 * A report's person is a random number (a surge "by 40 persons" draws from 40). Networks that
 * the scenario does not name are many small ones, numbered from the range that RFC 6996 keeps
 * for private use, so that nobody's network is made to report. */
#ifndef WD_INTAKE_SIMULATION_H
#define WD_INTAKE_SIMULATION_H

#include "base/err.h"
#include "intake/scenario.h"
#include "model/observation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct simulation;

/* Borrows the scenario, which has to stay as it is until simulation_close. */
enum wd_err simulation_open(const struct scenario *s, uint64_t seed,
			    struct simulation **ret_simulation, struct wd_why *why) WD_MUST_CHECK;
void simulation_close(struct simulation *m); /* NULL is fine */

/* The next report; *ret_more is false (and *ret_o untouched) at the end. Its strings are
 * borrowed until simulation_close. */
enum wd_err simulation_next(struct simulation *m, struct observation *ret_o, bool *ret_more,
			    struct wd_why *why) WD_MUST_CHECK;
/* Which service the last report was of. */
size_t simulation_service(const struct simulation *m);

size_t simulation_service_count(const struct simulation *m);
const char *simulation_service_id(const struct simulation *m, size_t index);
/* Was nothing recorded of this service in some part of [from, to)? */
bool simulation_has_gap(const struct simulation *m, size_t index, wd_wall from, wd_wall to);

#endif
