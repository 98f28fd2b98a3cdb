/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/hll.h"

#include "base/check.h"

#include <math.h>
#include <stddef.h>

void hll_merge(uint8_t *registers, const uint8_t *other, unsigned bits)
{
	for (size_t i = 0; i < (size_t)1 << bits; i++)
		registers[i] = registers[i] > other[i] ? registers[i] : other[i];
}

void hll_fold(uint8_t *registers, unsigned bits, const uint8_t *other, unsigned other_bits)
{
	unsigned more = other_bits - bits;

	for (uint32_t i = 0; i < (uint32_t)1 << other_bits; i++) {
		uint32_t low = i & (((uint32_t)1 << more) - 1);
		unsigned zeros = low != 0 ? (unsigned)__builtin_clz(low) - (32 - more) : more;
		unsigned rank = low != 0 ? zeros + 1 : zeros + other[i];
		uint8_t *r = &registers[i >> more];
		if (other[i] != 0 && rank > *r)
			*r = (uint8_t)(rank < UINT8_MAX ? rank : UINT8_MAX);
	}
}

/* x + sum over k >= 1 of x^(2^k) * 2^(k-1): Ertl's sigma, of the share of empty registers. */
static double sigma(double x)
{
	if (x >= 1)
		return INFINITY;
	double y = 1, z = x, before;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z > before);
	return z;
}

/* Ertl's tau, of the share of registers that are not full. */
static double tau(double x)
{
	if (x <= 0 || x >= 1)
		return 0;
	double y = 1, z = 1 - x, before;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z < before);
	return z / 3;
}

double hll_estimate(const uint8_t *registers, unsigned bits)
{
	size_t count = (size_t)1 << bits;
	unsigned full = 64 - bits + 1;
	uint32_t ranks[66] = {0}, odd[66] = {0};

	/* In two, as neighbours are often alike, and one would wait for the other. */
	for (size_t i = 0; i < count; i += 2) {
		ranks[registers[i] <= full ? registers[i] : full]++;
		odd[registers[i + 1] <= full ? registers[i + 1] : full]++;
	}
	for (size_t i = 0; i < 66; i++)
		ranks[i] += odd[i];
	double m = (double)count;
	double z = m * tau(1 - ranks[full] / m);
	for (unsigned k = full - 1; k >= 1; k--)
		z = 0.5 * (z + ranks[k]);
	z += m * sigma(ranks[0] / m);
	return m * m / (2 * M_LN2 * z); /* z is infinite when all are empty: 0 */
}

/* Of two estimates with errors e and f, whose correlation is r, e - r f has the least variance:
 * (1 - r^2) of e's; r is the share of the whole that the part is. The whole's own error comes
 * instead, r times. */
double hll_estimate_part(const uint8_t *part, unsigned part_bits, const uint8_t *whole,
			 unsigned whole_bits, float *ret_error)
{
	WD_CHECK(part_bits <= HLL_PART_BITS_MAX && part_bits <= whole_bits);
	uint8_t coarse[1 << HLL_PART_BITS_MAX] = {0};

	hll_fold(coarse, part_bits, whole, whole_bits);
	double count = hll_estimate(part, part_bits), all = hll_estimate(whole, whole_bits);
	double all_coarse = hll_estimate(coarse, part_bits);
	double share = all_coarse > 0 ? fmin(count / all_coarse, 1) : 0;
	double own = hll_error(part_bits) * sqrt(1 - share * share);
	*ret_error = (float)hypot(own, hll_error(whole_bits) * share);
	return share > 0 ? fmin(count * pow(all / all_coarse, share), all) : count;
}
