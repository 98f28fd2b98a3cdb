/* SPDX-License-Identifier: Apache-2.0 */
/* hll: how many different things there were, in 2^bits registers of one byte, with a
 * standard error of 1.04 / sqrt(2^bits). Registers merge by their maximum, exactly.
 * Source: Flajolet, Fusy, Gandouet, Meunier, "HyperLogLog", AofA 2007; estimator: O. Ertl,
 * "New cardinality estimation algorithms for HyperLogLog sketches", arXiv 1702.01284,
 * algorithm 6: no bias in the small, no table. Of
 * fewer than 2^7 registers it would have one (it takes alpha of infinitely many). */
#ifndef WD_TALLY_HLL_H
#define WD_TALLY_HLL_H

#include <math.h>
#include <stdint.h>

enum { HLL_BITS_MIN = 7, HLL_BITS_MAX = 16, HLL_PART_BITS_MAX = 12 };

/* What the hash's register is at least, once it was added. */
static inline uint8_t hll_rank(uint64_t hash, unsigned bits)
{
	uint64_t rest = hash << bits | (UINT64_C(1) << (bits - 1));
	return (uint8_t)(__builtin_clzll(rest) + 1);
}

/* `hash` is well mixed (base/hash.h). */
static inline void hll_add(uint8_t *registers, unsigned bits, uint64_t hash)
{
	uint8_t rank = hll_rank(hash, bits);
	uint8_t *r = &registers[hash >> (64 - bits)];
	*r = rank > *r ? rank : *r; /* no branch: whether is a matter of chance */
}

/* Takes in what more registers hold (other_bits >= bits): as if all had been added here. */
void hll_fold(uint8_t *registers, unsigned bits, const uint8_t *other, unsigned other_bits);
void hll_merge(uint8_t *registers, const uint8_t *other, unsigned bits);
double hll_estimate(const uint8_t *registers, unsigned bits);

/* Its standard error, a share of it. */
static inline double hll_error(unsigned bits)
{
	return 1.04 / sqrt((double)(1U << bits));
}

/* The estimate of a part whose hashes were all added to `whole` too (whole_bits >= part_bits). By
 * chance the part's few registers are as wrong as the whole's would be, had it so few, the more
 * so the more of it the part is; how wrong those are its finer ones tell. Never more than the
 * whole. *ret_error: standard error, a share: from the part's own (of none) to the whole's (of
 * all). */
double hll_estimate_part(const uint8_t *part, unsigned part_bits, const uint8_t *whole,
			 unsigned whole_bits, float *ret_error);

#endif
