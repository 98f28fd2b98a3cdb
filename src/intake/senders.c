/* SPDX-License-Identifier: Apache-2.0 */
/* The rules by length, longest first: the first that fits is the one. A list has tens of
 * them, and who asks for each datagram keeps the last answer. */
#include "intake/senders.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct senders { size_t count; struct sender_rule rules[]; };

static int by_length(const void *a, const void *b)
{
	return (int)((const struct sender_rule *)b)->block.bits -
	       (int)((const struct sender_rule *)a)->block.bits;
}

enum wd_err senders_open(const struct sender_rule *rules, size_t count,
			 struct senders **ret_senders)
{
	struct senders *s = malloc(sizeof(*s) + count * sizeof(*rules));
	if (s == NULL)
		return WD_NOMEM;
	s->count = count;
	if (count > 0) {
		memcpy(s->rules, rules, count * sizeof(*rules));
		qsort(s->rules, count, sizeof(*rules), by_length);
	}
	*ret_senders = s;
	return WD_OK;
}

void senders_close(struct senders *s)
{
	free(s);
}

struct exporter_address sender_of(const struct sockaddr_storage *ss)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct exporter_address s = {{0}, 0};
	if (ss->ss_family == AF_INET) {
		memcpy(s.bytes, &((const struct sockaddr_in *)(const void *)ss)->sin_addr, 4);
		s.family = 4;
	} else if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)ss;
		bool four = memcmp(&in6->sin6_addr, mapped, sizeof(mapped)) == 0;
		memcpy(s.bytes, (const uint8_t *)&in6->sin6_addr + (four ? 12 : 0),
		       four ? 4 : 16);
		s.family = four ? 4 : 6;
	}
	return s;
}

static bool holds(const struct address_block *b, const struct exporter_address *s)
{
	unsigned whole = b->bits / 8, rest = b->bits % 8;
	if (b->family != s->family || memcmp(b->address, s->bytes, whole) != 0)
		return false;
	return rest == 0 || ((b->address[whole] ^ s->bytes[whole]) >> (8 - rest)) == 0;
}

const struct sender_rule *senders_find(const struct senders *s,
				       const struct exporter_address *sender)
{
	for (size_t i = 0; i < s->count; i++) {
		if (holds(&s->rules[i].block, sender))
			return &s->rules[i];
	}
	return NULL;
}
