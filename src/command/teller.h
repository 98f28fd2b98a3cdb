/* SPDX-License-Identifier: Apache-2.0 */
/* teller: tells event streams what changed, at most twice a second: ten thousand readers fetch it.
 * The pilot's thread only. */
#ifndef WD_COMMAND_TELLER_H
#define WD_COMMAND_TELLER_H

#include "base/units.h"
#include "model/snapshot.h"
#include "publish/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct teller {
	struct snapshot *told; /* what streams have heard of; held */
	uint64_t *versions;    /* of its services, as streams have heard of each */
	size_t from;           /* the first whose turn it is */
	bool untold;           /* more had changed than are told at once */
	wd_mono due;
};

/* `first`: what is there at the start, which readers fetch. */
void teller_init(struct teller *t, struct snapshot *first);
void teller_done(struct teller *t); /* one that is all zero, too */
/* If it is time and there is something to tell. */
void teller_tell(struct teller *t, struct http *http, struct snapshot *now);

#endif
