/* SPDX-License-Identifier: Apache-2.0 */
/* incident_series: the chart of an incident: from the caller if it has it, the snapshot's own of
 * one that is open, otherwise the finest of the service's series that reaches back to the
 * incident's begin, cut to the incident. */
#ifndef WD_PUBLISH_INCIDENT_SERIES_H
#define WD_PUBLISH_INCIDENT_SERIES_H

#include "publish/render.h"

struct incident_series {
	struct series series; /* count 0 = nothing is known any more */
	bool unfinished;      /* its last bucket still runs */
	struct point *owned;
};

struct incident_series incident_series_open(const struct render *r, const struct incident *i);
void incident_series_close(struct incident_series *s);

#endif
