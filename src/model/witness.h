/* SPDX-License-Identifier: Apache-2.0 */
/* witness: who tells of traffic, an exporter of flows or an interface, as the operator sees it. */
#ifndef WD_MODEL_WITNESS_H
#define WD_MODEL_WITNESS_H

#include "base/units.h"

#include <stdbool.h>

enum {
	WITNESSES_MAX = 64,    /* at one time; of records by slot (struct flow) */
	WITNESS_NAME_MAX = 45, /* an address or an interface */
};

struct witness_state {
	char name[WITNESS_NAME_MAX + 1];
	wd_wall heard;    /* its last word, of whatever */
	bool silent;      /* for longer than it ever was of late: */
	wd_span patience; /* than this */
};

#endif
