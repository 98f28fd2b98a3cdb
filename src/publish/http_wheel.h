/* SPDX-License-Identifier: Apache-2.0 */
/* http_wheel: deadlines of very many connections, set and moved in constant time. A
 * hashed wheel of ticks; a timer due after one turn of the wheel, or pushed back since it
 * was hung up, is hung up again when its slot comes by. Pure: `now_ms` is an argument.
 * One thread. */
#ifndef WD_PUBLISH_HTTP_WHEEL_H
#define WD_PUBLISH_HTTP_WHEEL_H

#include <stdint.h>

enum { WHEEL_TICK_MS = 64, WHEEL_SLOTS = 1024 };

struct wheel_timer {
	struct wheel_timer *next, *prev; /* NULL when it hangs nowhere */
	uint64_t due_ms;
	uint64_t slot_tick; /* where it hangs: never later than due */
};

struct wheel {
	struct wheel_timer slots[WHEEL_SLOTS]; /* list heads */
	uint64_t tick;                         /* all slots before it are done */
};

typedef void wheel_expired(void *context, struct wheel_timer *t);

void wheel_init(struct wheel *w, uint64_t now_ms);
/* Moves the deadline, whether or not it was set. Fires up to one tick late, never early. */
void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t due_ms);
void wheel_cancel(struct wheel_timer *t);
/* Calls back for all that are due. The callback may set and cancel any timer. */
void wheel_advance(struct wheel *w, uint64_t now_ms, wheel_expired *expired, void *context);

#endif
