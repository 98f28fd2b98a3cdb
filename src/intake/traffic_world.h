/* SPDX-License-Identifier: Apache-2.0 */
/* traffic_world: the traffic of a scenario, packet by packet in the order of time, with what
 * each packet belongs to. Packets arrive as a Poisson process whose rate follows the
 * scenario; the same scenario and seed give the same packets. Each service and each attack
 * draws from its own stream of random numbers. Pure. */
#ifndef WD_INTAKE_TRAFFIC_WORLD_H
#define WD_INTAKE_TRAFFIC_WORLD_H

#include "base/err.h"
#include "base/units.h"
#include "intake/scenario.h"
#include "model/flow.h"

#include <stdbool.h>
#include <stdint.h>

struct traffic_packet {
	struct flow flow;    /* of one packet; its payload is borrowed until the next call */
	wd_wall at;
	const char *service; /* borrowed from the scenario */
	const char *vector;  /* "" = usual traffic */
};

struct traffic_world;

/* Borrows the scenario until traffic_world_close. */
enum wd_err traffic_world_open(const struct scenario *s, uint64_t seed,
			       struct traffic_world **ret_world, struct wd_why *why) WD_MUST_CHECK;
void traffic_world_close(struct traffic_world *w); /* NULL is fine */

/* False at the scenario's end. */
bool traffic_world_next(struct traffic_world *w, struct traffic_packet *ret);

#endif
