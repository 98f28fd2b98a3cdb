/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/http_wheel.h"

#include <stddef.h>

static void list_init(struct wheel_timer *head)
{
	head->next = head->prev = head;
}

static void list_append(struct wheel_timer *head, struct wheel_timer *t)
{
	t->prev = head->prev;
	t->next = head;
	head->prev->next = t;
	head->prev = t;
}

/* Rounded up: a timer never fires early. */
static uint64_t tick_of(uint64_t ms)
{
	return (ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
}

void wheel_init(struct wheel *w, uint64_t now_ms)
{
	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		list_init(&w->slots[i]);
	w->tick = now_ms / WHEEL_TICK_MS;
}

static void hang(struct wheel *w, struct wheel_timer *t)
{
	uint64_t tick = tick_of(t->due_ms);

	if (tick < w->tick)
		tick = w->tick;
	if (tick > w->tick + WHEEL_SLOTS - 1)
		tick = w->tick + WHEEL_SLOTS - 1;
	t->slot_tick = tick;
	list_append(&w->slots[tick % WHEEL_SLOTS], t);
}

void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t due_ms)
{
	t->due_ms = due_ms;
	/* Mostly deadlines move back: leave it where it hangs, it is looked at in time. */
	if (t->next != NULL && t->slot_tick <= tick_of(due_ms))
		return;
	wheel_cancel(t);
	hang(w, t);
}

void wheel_cancel(struct wheel_timer *t)
{
	if (t->next == NULL)
		return;
	t->prev->next = t->next;
	t->next->prev = t->prev;
	t->next = t->prev = NULL;
}

void wheel_advance(struct wheel *w, uint64_t now_ms, wheel_expired *expired, void *context)
{
	uint64_t now = now_ms / WHEEL_TICK_MS;

	/* After a long sleep one turn of the wheel visits every timer there is. */
	if (now >= w->tick + WHEEL_SLOTS)
		w->tick = now - WHEEL_SLOTS + 1;
	for (; w->tick <= now; w->tick++) {
		struct wheel_timer *slot = &w->slots[w->tick % WHEEL_SLOTS];
		struct wheel_timer due;

		if (slot->next == slot)
			continue;
		/* Taken off first: what is hung up meanwhile belongs to a later turn. */
		due = (struct wheel_timer){.next = slot->next, .prev = slot->prev};
		due.next->prev = due.prev->next = &due;
		list_init(slot);
		while (due.next != &due) {
			struct wheel_timer *t = due.next;
			wheel_cancel(t);
			if (t->due_ms <= now_ms)
				expired(context, t);
			else
				hang(w, t);
		}
	}
}
