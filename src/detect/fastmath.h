/* SPDX-License-Identifier: Apache-2.0 */
/* fastmath: logarithm and exponential by bits and a short series, accurate to about 3e-7
 * relative, without a call or a branch, so that a loop over them becomes vector code. They give
 * the same bits on every machine, which the C library's do not promise. */
#ifndef WD_DETECT_FASTMATH_H
#define WD_DETECT_FASTMATH_H

#include <stdint.h>
#include <string.h>

static inline float fast_of_bits(int32_t bits)
{
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static inline int32_t fast_bits(float x)
{
	int32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

/* ln m = 2 artanh(f / (2 + f)) for f = m - 1 and m in [0.75, 1.5). */
static inline float fast_ln_near_one(float f)
{
	float s = f / (2 + f), q = s * s;

	return 2 * s *
	       (1 + q * (0.33333333F + q * (0.2F + q * (0.14285714F + q * 0.11111111F))));
}

static const int32_t fast_low = 0x3f400000; /* 0.75: x = 2^k m with m in [0.75, 1.5) */

/* ln x for x from 1e-30 to 1e30. */
static inline float fast_ln(float x)
{
	int32_t bits = fast_bits(x) - fast_low;

	return (float)(bits >> 23) * 0.69314718F +
	       fast_ln_near_one(fast_of_bits((bits & 0x7fffff) + fast_low) - 1);
}

/* ln(1 + t) for t from 0 to 1e30; exact in the limit of small t. */
static inline float fast_log1p(float t)
{
	int32_t bits = fast_bits(1 + t) - fast_low;
	int32_t k = bits >> 23;
	float f = fast_of_bits((bits & 0x7fffff) + fast_low) - 1;

	return (float)k * 0.69314718F + fast_ln_near_one(k == 0 ? t : f);
}

/* e^x for x from -80 to 0; less is taken as -80. */
static inline float fast_exp(float x)
{
	x = x > -80 ? x : -80;
	int32_t k = (int32_t)(x * 1.44269504F - 0.5F);
	float f = x - (float)k * 0.69314718F;
	float e = 1 + f * (1 + f * (0.5F + f * (0.16666667F + f * (0.041666667F +
		  f * (0.0083333333F + f * 0.0013888889F)))));

	return e * fast_of_bits((k + 127) * (1 << 23));
}

#endif
