/* SPDX-License-Identifier: Apache-2.0 */
/* place: the incident's sample counted by source, prefix, network and country; addresses as
 * text. What tracer_write does with places, apart. */
#ifndef WD_EXPLAIN_PLACE_H
#define WD_EXPLAIN_PLACE_H

#include "explain/tracer.h"

enum { ADDRESS_TEXT_MAX = 46 }; /* with the NUL */

/* RFC 5952; `address` as struct flow has it. */
void address_text(char dst[ADDRESS_TEXT_MAX], const uint8_t *address, uint8_t family);

/* Whose places: of the slots whose bit is set, and of a slot of one bucket alone, if it is not
 * TRACER_NO_BUCKET. */
struct places_of { uint32_t slots; uint8_t only[TRACER_SLOTS]; };
/* Fills the countries, networks, prefixes (/24, /48) and sources of the trace from these. */
void places_count(const struct tracer *t, const struct places_of *of,
		  const struct tracer_places *where, struct trace *ret);

#endif
