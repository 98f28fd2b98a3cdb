/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/talk.h"

#include <math.h>

enum {
	NEVER = 255,
	RIPE = 2,       /* ticks after the first packet */
	ANSWERED = 8,   /* ticks: as long what the service said is what may be answered */
	FORGET = 8,     /* ticks without a packet */
	SETTLED = 2,    /* ticks: before that, what was said before is not known */
	ROOMY = TALKS_MAX / 16,
};

void talks_init(struct talks *t)
{
	memset(t, 0, sizeof(*t));
	t->limit = UINT64_MAX / TALK_PART;
}

static uint32_t slot_of(uint64_t key)
{
	return (uint32_t)(key >> 30) % TALK_SLOTS; /* the upper ones were chosen by */
}

/* Where it is, or would be. */
static uint32_t slot_find(const struct talks *t, uint64_t key)
{
	uint32_t slot = slot_of(key);

	while (t->slots[slot] != 0 && t->held[t->slots[slot] - 1].key != key)
		slot = (slot + 1) % TALK_SLOTS;
	return slot;
}

static bool keeps(const struct talks *t, const struct talk *k)
{
	return k->key <= t->limit && k->quiet < FORGET;
}

static void sort_out(struct talks *t)
{
	uint32_t count = 0;

	memset(t->slots, 0, sizeof(t->slots));
	for (uint32_t i = 0; i < t->count; i++) {
		if (!keeps(t, &t->held[i]))
			continue;
		t->held[count++] = t->held[i];
		t->slots[slot_find(t, t->held[count - 1].key)] = (uint16_t)count;
	}
	t->count = count;
}

static struct talk *talk_of(struct talks *t, uint64_t key, uint32_t service)
{
	uint32_t slot = slot_find(t, key);

	if (t->slots[slot] != 0)
		return &t->held[t->slots[slot] - 1];
	while (t->count == TALKS_MAX) {
		t->limit /= 2;
		sort_out(t);
		if (key > t->limit)
			return NULL;
		slot = slot_find(t, key);
	}
	t->held[t->count] = (struct talk){.key = key, .service = service, .answered = NEVER};
	t->slots[slot] = (uint16_t)++t->count;
	return &t->held[t->count - 1];
}

void talks_open(struct talks *t, uint32_t from)
{
	t->openers[t->turn][from % TALK_OPENERS / 8] |= (uint8_t)(1U << from % 8);
}

static bool opened_lately(const struct talks *t, uint32_t from)
{
	uint32_t at = from % TALK_OPENERS / 8, bit = from % 8;

	return ((t->openers[0][at] | t->openers[1][at]) >> bit & 1) != 0;
}

void talks_add(struct talks *t, uint64_t key, const struct flow *f, uint32_t service, bool out,
	       uint32_t from)
{
	struct talk *k = talk_of(t, key, service);

	if (k == NULL)
		return;
	k->quiet = 0;
	if (out) {
		if ((f->tcp_flags & FLOW_TCP_RST) == 0)
			k->answered = 0;
		return;
	}
	k->opened |= (f->tcp_flags & FLOW_TCP_SYN) != 0;
	k->from = from;
	if (k->in == 0)
		k->class = f->class;
	if (k->in < UINT8_MAX && k->bytes <= UINT16_MAX - f->length) {
		k->in++;
		k->bytes = (uint16_t)(k->bytes + f->length);
	}
}

static struct talk_alone *alone_place(struct talk_sum *s, uint8_t class)
{
	for (size_t i = 0; i < TALK_ALONE_CLASSES; i++) {
		if (s->alone[i].packets <= 0)
			s->alone[i].class = class;
		if (s->alone[i].class == class)
			return &s->alone[i];
	}
	return NULL; /* stray flags of all kinds, which have rules of their own */
}

static void alone_add(struct talk_sum *s, uint8_t class, float packets, float bytes)
{
	struct talk_alone *a = alone_place(s, class);

	if (a == NULL)
		return;
	a->packets += packets;
	a->bytes += bytes;
}

static void judge(const struct talks *t, const struct talk *k, float unit, struct talk_sum *s)
{
	bool answered = k->answered <= ANSWERED, few = k->in <= TALK_FEW;

	s->unit = fmaxf(s->unit, unit);
	if (!few && answered) {
		s->talking += unit;
		s->old += k->opened ? 0 : unit;
	} else if (!few) {
		s->deaf += unit;
	} else if (answered) {
		s->thin += k->opened ? 0 : unit;
	} else if (!k->opened) {
		s->anew += opened_lately(t, k->from) ? (float)k->in * unit : 0;
		alone_add(s, k->class, (float)k->in * unit, (float)k->bytes * unit);
	}
}

static void older(struct talk *k)
{
	k->quiet++;
	k->answered += k->answered < NEVER;
}

void talks_seal(struct talks *t, struct talk_sum *(*sum_of)(void *context, uint32_t service),
		void *context)
{
	float unit = (float)((double)UINT64_MAX / (double)t->limit);

	for (uint32_t i = 0; i < t->count; i++) {
		struct talk *k = &t->held[i];

		older(k);
		if (k->in == 0 || ++k->waits < RIPE)
			continue;
		struct talk_sum *s = t->ticks > SETTLED ? sum_of(context, k->service) : NULL;
		if (s != NULL)
			judge(t, k, unit, s);
		k->in = k->waits = 0;
		k->bytes = 0;
	}
	sort_out(t);
	if (t->ticks % TALK_OPENERS_TICKS == 0) {
		t->turn ^= 1;
		memset(t->openers[t->turn], 0, sizeof(t->openers[t->turn]));
	}
	t->ticks += t->ticks < UINT32_MAX;
	if (t->count < ROOMY && t->limit < UINT64_MAX / TALK_PART) {
		t->limit = t->limit * 2 + 1;
		t->ticks = 0;
	}
}

bool talks_alone(const struct talks *t, uint64_t key)
{
	if (key > t->limit || t->ticks < 1)
		return false;
	uint32_t at = t->slots[slot_find(t, key)];
	const struct talk *k = at != 0 ? &t->held[at - 1] : NULL;
	return k != NULL && k->answered > ANSWERED && !k->opened && k->in <= TALK_FEW;
}

void talk_sum_merge(struct talk_sum *s, const struct talk_sum *other)
{
	s->unit = fmaxf(s->unit, other->unit);
	s->talking += other->talking;
	s->deaf += other->deaf;
	s->old += other->old;
	s->thin += other->thin;
	s->anew += other->anew;
	for (size_t i = 0; i < TALK_ALONE_CLASSES; i++) {
		const struct talk_alone *a = &other->alone[i];
		if (a->packets > 0)
			alone_add(s, a->class, a->packets, a->bytes);
	}
}

struct talk_alone talk_alone_of(const struct talk_sum *s, uint8_t class)
{
	for (size_t i = 0; i < TALK_ALONE_CLASSES; i++) {
		if (s->alone[i].packets > 0 && s->alone[i].class == class)
			return s->alone[i];
	}
	return (struct talk_alone){.class = class};
}
