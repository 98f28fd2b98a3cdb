/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/who.h"

#include <string.h>

void who_add(struct who *w, uint64_t hash, uint8_t slots)
{
	struct source_set *s = &w->set;
	if (s->below != 0 && hash >= s->below)
		return;
	uint32_t at = source_set_place(s, hash);
	if (at < s->count && s->hashes[at] == hash) {
		w->slots[at] |= slots;
		return;
	}
	source_set_add(s, hash);
	if (at >= s->count || s->hashes[at] != hash)
		return; /* it is full of lower ones */
	memmove(&w->slots[at + 1], &w->slots[at], s->count - 1 - at);
	w->slots[at] = slots;
}

void who_merge(struct who *w, const struct source_set *set, uint8_t slots)
{
	if (set->below != 0 && (w->set.below == 0 || set->below < w->set.below)) {
		w->set.below = set->below;
		w->set.count = source_set_place(&w->set, set->below);
	}
	for (uint32_t i = 0; i < set->count; i++)
		who_add(w, set->hashes[i], slots);
}

void who_of(const struct who *w, uint8_t slots, struct source_set *ret)
{
	ret->count = 0;
	ret->below = w->set.below;
	for (uint32_t i = 0; i < w->set.count; i++) {
		if ((w->slots[i] & slots) != 0)
			ret->hashes[ret->count++] = w->set.hashes[i];
	}
}
