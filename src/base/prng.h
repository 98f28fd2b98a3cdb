/* SPDX-License-Identifier: Apache-2.0 */
/* prng: numbers that look random and are the same for the same seed, on every machine:
 * for simulations and tests, never for secrets. The generator is xoshiro256** seeded by
 * splitmix64 (D. Blackman, S. Vigna, "Scrambled Linear Pseudorandom Number Generators",
 * ACM TOMS 47, 2021). The distributions use the C library's log and exp, so bytes made of
 * them are the same wherever those are. */
#ifndef WD_BASE_PRNG_H
#define WD_BASE_PRNG_H

#include <stdint.h>

struct prng { uint64_t s[4]; };

/* Streams of one seed are independent of each other. */
struct prng prng_of(uint64_t seed, uint64_t stream);
uint64_t prng_u64(struct prng *r);
uint32_t prng_below(struct prng *r, uint32_t n); /* 0 … n - 1; n is at least 1 */
double prng_unit(struct prng *r);                /* in (0, 1): never 0, never 1 */
double prng_normal(struct prng *r);              /* mean 0, variance 1 */
/* mean 0 … 1e9; a mean below or beyond is taken as the nearest of these. */
uint64_t prng_poisson(struct prng *r, double mean);

#endif
