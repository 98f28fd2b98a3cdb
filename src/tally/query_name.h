/* SPDX-License-Identifier: Apache-2.0 */
/* query_name: what a DNS query asks for, as two hashes: of the whole name, and of the zone it lies
 * in, taken as its last two labels (of "a.example.co.uk" that is "co.uk": coarse, so whoever goes
 * by it needs to know how many names below it are usual). Letters are lower-cased: resolvers mix
 * them on purpose.
 *
 * Not told of names that are all different by nature: reverse zones (below "arpa") and what asks a
 * list about an address (RFC 5782, sections 2.1 and 2.4: four numbers, or 32 hexadecimal digits,
 * before the list's zone).
 *
 * The hashes have no key: two names with one hash can be made. Whoever does so hides his own
 * flood's names, which he could by repeating them. */
#ifndef WD_TALLY_QUERY_NAME_H
#define WD_TALLY_QUERY_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUERY_NAME_PORT = 53 };

struct query_name {
	uint32_t name; /* never 0 */
	uint16_t zone;
};

/* The question of a DNS message (RFC 1035, section 4.1). False, and *ret_name left alone, if it is
 * no query, is cut within the name, or is of a name of the kinds above. */
bool query_name_read(const uint8_t *message, size_t len, struct query_name *ret_name);

#endif
