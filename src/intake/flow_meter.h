/* SPDX-License-Identifier: Apache-2.0 */
/* flow_meter: packets -> flows, as a router's metering process makes them: for simulations
 * and tests. A flow ends when it has lasted `timeout`, or when its place in the table is
 * wanted by another. Bounded: FLOW_METER_PLACES flows. */
#ifndef WD_INTAKE_FLOW_METER_H
#define WD_INTAKE_FLOW_METER_H

#include "base/units.h"
#include "model/flow.h"

#include <stdbool.h>
#include <stdint.h>

enum { FLOW_METER_PLACES = 1 << 16 };

struct flow_meter {
	wd_span timeout;
	void (*ended)(void *ctx, const struct flow *f, wd_wall at);
	void *ctx;
	uint32_t hand; /* of the clock that looks for flows past their time */
	int64_t hand_ns;
	struct flow *places; /* packets 0 = free */
};

/* False if memory ran out. */
bool flow_meter_open(struct flow_meter *m, wd_span timeout,
		     void (*ended)(void *ctx, const struct flow *f, wd_wall at), void *ctx);
void flow_meter_close(struct flow_meter *m);

/* Times of `f` are known. */
void flow_meter_add(struct flow_meter *m, const struct flow *f, wd_wall at);
/* Ends all flows. */
void flow_meter_flush(struct flow_meter *m, wd_wall at);

#endif
