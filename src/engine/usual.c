/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/usual.h"

#include <string.h>

static const wd_span WAIT = {USUAL_WAIT_S * WD_NS_PER_S};

/* A window without a word is a gap in the ticks, as long as it is. */
static void end_window(struct usual *u, wd_wall now)
{
	source_memory_advance(&u->memory, now);
	if (!(source_memory_false(&u->memory) > 0)) /* nobody is known, or not any more */
		u->learned_s = 0;
	for (uint32_t n = 0; n < u->waiting_count; n++)
		source_memory_add(&u->memory, u->waiting[n], now);
	if (u->waiting_count > 0)
		u->learned_s += USUAL_WAIT_S;
	memcpy(u->waiting, u->gathered, u->gathered_count * sizeof(u->gathered[0]));
	u->waiting_count = u->gathered_count;
	u->gathered_count = 0;
	u->window = now;
}

void usual_tick(struct usual *u, const struct traffic_tick *tick, const struct address_key *key)
{
	if (u->window.ns == 0 || wall_before(tick->at, u->window))
		u->window = tick->at;
	if (wall_sub(tick->at, u->window).ns >= WAIT.ns)
		end_window(u, tick->at);
	for (uint32_t n = 0; n < tick->sample_count && n < TRAFFIC_SAMPLES; n++) {
		const struct traffic_record *r = &tick->sample[n];
		if (u->gathered_count == USUAL_GATHERED)
			return;
		u->gathered[u->gathered_count++] = address_hash(key, r->src, r->family);
	}
}

void usual_stir(struct usual *u)
{
	u->gathered_count = u->waiting_count = 0;
	u->window = (wd_wall){0};
}

const struct source_memory *usual_memory(const struct usual *u)
{
	bool knows = u != NULL && u->learned_s >= USUAL_LEARNED_S &&
		     !source_memory_is_full(&u->memory);
	return knows ? &u->memory : NULL;
}

uint64_t usual_mark(const struct address_key *key)
{
	static const uint8_t nobody[16];
	return address_hash(key, nobody, 0);
}

void usual_write(const struct usual *u, const struct address_key *key, struct out *o)
{
	out_u64(o, usual_mark(key));
	out_u64(o, u->learned_s);
	source_memory_write(&u->memory, o);
}

void usual_read(struct usual *u, const struct address_key *key, struct cur *c)
{
	uint64_t mark = cur_u64(c);
	u->learned_s = cur_u64(c);
	source_memory_read(&u->memory, c);
	if (c->bad || key == NULL || mark != usual_mark(key))
		*u = (struct usual){.learned_s = 0};
}
