/* SPDX-License-Identifier: Apache-2.0 */
/* number: a decimal number as JSON writes it (RFC 8259, section 6): no plus sign, no leading
 * zeros, no "nan", digits on both sides of the point. The locale plays no part. */
#ifndef WD_DECODE_NUMBER_H
#define WD_DECODE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NUMBER_LEN_MAX = 63 }; /* bytes; a longer one is not read */

struct number {
	double value;   /* finite; the nearest to what is written; zero has no sign */
	uint64_t whole; /* the same exactly, if is_whole */
	bool is_whole;  /* not negative, written without point and exponent, below 10^18 */
};

/* Reads the number at the front of text; returns its length, 0 if there is none or if it is
 * too long or too large for a double. */
size_t number_read(const char *text, size_t len, struct number *ret_number);

#endif
