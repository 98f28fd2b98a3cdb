/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prng.h"

#include "base/hash.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

struct prng prng_of(uint64_t seed, uint64_t stream)
{
	struct prng r;
	uint64_t state = seed ^ hash_mix(stream + 1);
	for (int i = 0; i < 4; i++)
		r.s[i] = splitmix64(&state);
	return r;
}

static uint64_t rotate(uint64_t x, int by)
{
	return (x << by) | (x >> (64 - by));
}

uint64_t prng_u64(struct prng *r)
{
	uint64_t *s = r->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* The high half of a product: its bias is at most n / 2^32, far below what a simulation
 * could show. */
uint32_t prng_below(struct prng *r, uint32_t n)
{
	return (uint32_t)(((prng_u64(r) >> 32) * n) >> 32);
}

double prng_unit(struct prng *r)
{
	return ((double)(prng_u64(r) >> 12) + 0.5) * 0x1p-52;
}

/* Box and Muller; the second number of the pair is thrown away, so that the state is only
 * the generator's. */
double prng_normal(struct prng *r)
{
	double radius = sqrt(-2.0 * log(prng_unit(r)));
	return radius * cos(2.0 * M_PI * prng_unit(r));
}

/* For small means: count how many uniform numbers fit above e^-mean as a product. */
static uint64_t poisson_small(struct prng *r, double mean)
{
	double limit = exp(-mean), product = prng_unit(r);
	uint64_t n = 0;
	while (product > limit) {
		n++;
		product *= prng_unit(r);
	}
	return n;
}

/* PTRS: transformed rejection with squeeze (W. Hörmann, "The transformed rejection method
 * for generating Poisson random variables", 1993), for means of 10 and more. */
static uint64_t poisson_large(struct prng *r, double mean)
{
	double b = 0.931 + 2.53 * sqrt(mean);
	double a = -0.059 + 0.02483 * b;
	double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
	double v_r = 0.9277 - 3.6224 / (b - 2.0);
	int sign; /* plain lgamma() writes it to a global */

	for (;;) {
		double u = prng_unit(r) - 0.5, v = prng_unit(r);
		double us = 0.5 - fabs(u);
		double k = floor((2.0 * a / us + b) * u + mean + 0.43);
		if (us >= 0.07 && v <= v_r)
			return (uint64_t)k;
		if (k < 0.0 || (us < 0.013 && v > us))
			continue;
		if (log(v * inverse_alpha / (a / (us * us) + b)) <=
		    k * log(mean) - mean - lgamma_r(k + 1.0, &sign))
			return (uint64_t)k;
	}
}

uint64_t prng_poisson(struct prng *r, double mean)
{
	if (!(mean > 0.0))
		return 0;
	if (mean < 30.0)
		return poisson_small(r, mean);
	return poisson_large(r, fmin(mean, 1e9));
}
