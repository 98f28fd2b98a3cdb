/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/query_name.h"

#include "base/hash.h"

enum {
	HEADER = 12,
	LABEL_MAX = 63,
	NAME_MAX_LEN = 255, /* RFC 1035, section 2.3.4, the lengths of labels counted */
	QUADS = 4,
	NIBBLES = 32,
};

/* What is known of a name while its labels go by. */
struct walk {
	uint64_t whole;
	uint64_t last, before_last; /* hashes of labels */
	unsigned labels;
	unsigned numbers, nibbles;  /* that it begins with */
	bool is_arpa;               /* of the last label */
};

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static uint64_t mix_label(const uint8_t *label, size_t len)
{
	uint64_t hash = len + 1;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ lower(label[i])) * UINT64_C(0x100000001b3);
	return hash_mix(hash);
}

static bool is_number(const uint8_t *label, size_t len)
{
	unsigned value = 0;

	for (size_t i = 0; i < len; i++) {
		if (label[i] < '0' || label[i] > '9' || i == 3)
			return false;
		value = value * 10 + label[i] - '0';
	}
	return value < 256;
}

static bool is_nibble(const uint8_t *label, size_t len)
{
	uint8_t c = lower(label[0]);

	return len == 1 && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
}

static void walk_label(struct walk *w, const uint8_t *label, size_t len)
{
	w->numbers += w->labels == w->numbers && is_number(label, len);
	w->nibbles += w->labels == w->nibbles && is_nibble(label, len);
	w->labels++;
	w->before_last = w->last;
	w->last = mix_label(label, len);
	w->whole = hash_mix(w->whole ^ w->last);
	w->is_arpa = len == 4 && lower(label[0]) == 'a' && lower(label[1]) == 'r' &&
		     lower(label[2]) == 'p' && lower(label[3]) == 'a';
}

static bool is_query(const uint8_t *message, size_t len)
{
	return len > HEADER && (message[2] & 0xf8) == 0 /* a question, opcode QUERY */ &&
	       (message[4] | message[5]) != 0;
}

bool query_name_read(const uint8_t *message, size_t len, struct query_name *ret_name)
{
	struct walk w = {0};
	size_t at = HEADER;

	if (!is_query(message, len))
		return false;
	while (message[at] != 0) {
		size_t label = message[at++];
		/* The byte after the label is looked at next. A question has no pointers. */
		if (label > LABEL_MAX || len - at <= label || at + label - HEADER >= NAME_MAX_LEN)
			return false;
		walk_label(&w, message + at, label);
		at += label;
	}
	if (w.is_arpa || w.numbers >= QUADS || w.nibbles >= NIBBLES)
		return false;
	ret_name->name = (uint32_t)w.whole | 1;
	ret_name->zone = (uint16_t)hash_mix(w.before_last * 3 ^ w.last);
	return true;
}
