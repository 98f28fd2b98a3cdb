/* SPDX-License-Identifier: Apache-2.0 */
/* audience: who a scenario's reports come from, as lists of shares: "app 56%, website 33%". */
#ifndef WD_INTAKE_AUDIENCE_H
#define WD_INTAKE_AUDIENCE_H

#include "intake/prose.h"
#include "model/signal.h"

#include <stddef.h>
#include <stdint.h>

enum { AUDIENCE_PORTIONS_MAX = 64 }; /* of one list */

/* One part of an audience: "GB/London 30%". */
struct portion {
	char name[SIGNAL_VALUE_MAX + 1]; /* the id, "GB" or the city's name; "" for a network */
	char country[3];                 /* also of a city or network */
	uint32_t network;
	double share; /* 0..1 of all; of a city or network: of its country */
};

struct mix { struct portion *items; size_t count; }; /* owns items; shares add up to at most 1 */

/* What stands for one value of a dimension; `at` is where it stands, for the message. */
void audience_read_value(struct prose *w, enum dimension d, struct slice s, size_t at,
			 struct portion *ret_portion);
/* The rest of the line into an empty mix. */
void audience_read_mix(struct prose *w, enum dimension d, struct mix *m);
void mixes_free(struct mix mixes[DIMENSION_COUNT]);

#endif
