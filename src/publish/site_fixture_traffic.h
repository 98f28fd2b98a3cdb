/* SPDX-License-Identifier: Apache-2.0 */
/* site_fixture_traffic: traffic for the fixture's snapshot. Its numbers are made up. */
#ifndef WD_PUBLISH_SITE_FIXTURE_TRAFFIC_H
#define WD_PUBLISH_SITE_FIXTURE_TRAFFIC_H

#include "model/snapshot.h"

/* Gives the incident traffic, and the snapshot its trace. `name`: of the heaviest vector, or
 * NULL for its own. */
void fixture_traffic(struct snapshot *s, struct incident *i, const char *name);
/* Gives it traffic and requests of machines that are proved, opened by a fixed rule. */
void fixture_proved(struct snapshot *s, struct incident *i);
const struct vector_book *fixture_book(const char *name); /* as above */
/* The service's traffic is watched. */
void fixture_watched(struct service_state *s, wd_wall now);

/* What single clients of it did; the country is an address file's word. */
void fixture_clients(struct service_state *s, wd_wall now, const char *country);

#endif
