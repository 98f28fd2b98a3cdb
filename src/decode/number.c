/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	EXACT_DIGITS = 15, /* an integer of so many digits is exact in a double … */
	EXACT_POWER = 22,  /* … and so is this power of ten: one rounding gives the nearest */
	WHOLE_DIGITS = 18,
};

static const double powers[EXACT_POWER + 1] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static bool is_digit(const char *text, size_t len, size_t at)
{
	return at < len && text[at] >= '0' && text[at] <= '9';
}

/* Text that follows the grammar, by the C library. */
static double slow_value(const char *text, size_t len)
{
	char ended[NUMBER_LEN_MAX + 1];
	memcpy(ended, text, len);
	ended[len] = '\0';
	return strtod(ended, NULL);
}

/* The digits from *at on: added to *digits while they are few enough to stay exact. */
static size_t read_digits(const char *text, size_t len, size_t *at, uint64_t *digits, size_t *count)
{
	size_t begin = *at;
	for (; is_digit(text, len, *at); (*at)++) {
		if (*count < WHOLE_DIGITS)
			*digits = *digits * 10 + (uint64_t)(text[*at] - '0');
		(*count)++;
	}
	return *at - begin;
}

size_t number_read(const char *text, size_t len, struct number *ret_number)
{
	size_t at = 0, count = 0, whole_len, fraction_len = 0;
	uint64_t digits = 0;
	int power = 0;
	bool plain = true; /* no point or exponent */

	if (len > NUMBER_LEN_MAX + 1)
		len = NUMBER_LEN_MAX + 1;
	bool negative = len > 0 && text[0] == '-';
	at += negative;
	bool zero_first = is_digit(text, len, at) && text[at] == '0';
	whole_len = read_digits(text, len, &at, &digits, &count);
	if (whole_len == 0 || (zero_first && whole_len > 1))
		return 0;
	if (at < len && text[at] == '.') {
		at++;
		plain = false;
		fraction_len = read_digits(text, len, &at, &digits, &count);
		if (fraction_len == 0)
			return 0;
	}
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		plain = false;
		bool down = at < len && text[at] == '-';
		at += at < len && (text[at] == '-' || text[at] == '+');
		if (!is_digit(text, len, at))
			return 0;
		for (; is_digit(text, len, at); at++)
			power = power < 1000 ? power * 10 + (text[at] - '0') : power;
		power = down ? -power : power;
	}
	if (at > NUMBER_LEN_MAX)
		return 0;

	struct number n = {.is_whole = plain && (!negative || digits == 0) &&
				       count <= WHOLE_DIGITS};
	power -= (int)fraction_len;
	if (count <= EXACT_DIGITS && power >= -EXACT_POWER && power <= EXACT_POWER) {
		n.value = power < 0 ? (double)digits / powers[-power]
				    : (double)digits * powers[power];
		n.value = negative ? -n.value : n.value;
	} else {
		n.value = slow_value(text, at);
	}
	if (!isfinite(n.value))
		return 0;
	if (n.value == 0)
		n.value = 0; /* "-0" and "-0.0" are written in many ways; here there is one zero */
	n.whole = n.is_whole ? digits : 0;
	*ret_number = n;
	return at;
}
