/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/profile.h"

#include "base/hash.h"
#include "model/address_space.h"

#include <math.h>
#include <string.h>

enum { ENTROPY_MIN = 100, HOPS_MIN = 30 }; /* effective records */
enum { ADDED_MAX = 1 << 17 }; /* records at one weight, so that sums are right to 1 % */
enum { HOPS_MAX = 40 }; /* of a path; 0.2 % at most of a true capture's packets seem to have more */

static void top_add(struct profile_top *t, uint16_t value, double weight)
{
	size_t lightest = 0;
	if (!(weight > 0))
		return;
	for (size_t i = 0; i < t->count; i++) {
		if (t->value[i] == value) {
			t->weight[i] += (float)weight;
			return;
		}
		if (t->weight[i] < t->weight[lightest])
			lightest = i;
	}
	if (t->count < PROFILE_TOP) {
		t->value[t->count] = value;
		t->weight[t->count++] = (float)weight;
		return;
	}
	t->value[lightest] = value;
	t->weight[lightest] += (float)weight;
}

double profile_top_share(const struct profile_top *t, double weight, uint16_t *ret_value)
{
	size_t best = 0;
	for (size_t i = 1; i < t->count; i++)
		best = t->weight[i] > t->weight[best] ? i : best;
	*ret_value = t->count > 0 ? t->value[best] : 0;
	return t->count > 0 ? fmin(1, profile_share((double)t->weight[best], weight)) : 0;
}

static void add_tcp(struct profile *p, const struct traffic_record *r, float w, bool several)
{
	uint32_t target = (uint32_t)r->dst[0] << 24 | (uint32_t)r->dst[1] << 16 |
			  (uint32_t)r->dst[2] << 8 | r->dst[3];
	enum { BEGIN = FLOW_TCP_SYN | FLOW_TCP_ACK, LATER = FLOW_TCP_FIN | FLOW_TCP_PSH };

	if ((r->known & FLOW_FLAGS) != 0) {
		p->flags_weight += w;
		p->flags_or |= r->tcp_flags;
		if (several && (r->known & FLOW_PACKET) == 0 && (r->tcp_flags & BEGIN) == BEGIN &&
		    (r->tcp_flags & LATER) != 0)
			p->proved += w;
	}
	if ((r->known & FLOW_PACKET) == 0)
		return;
	p->packet_weight += w;
	*(r->options_len > 0 ? &p->options : &p->no_options) += w;
	p->window_zero += r->window == 0 ? w : 0;
	p->sequence_low_zero += (r->sequence & 0xffff) == 0 ? w : 0;
	p->sequence_target += r->family == 4 && r->sequence == target ? w : 0;
}

static void add_payload(struct profile *p, const struct traffic_record *r, float w)
{
	size_t len = r->payload_len < PROFILE_PAYLOAD ? r->payload_len : PROFILE_PAYLOAD, i = 0;
	bool lost = r->payload_len == 0 && (r->payload_whole > 0 || (r->known & FLOW_CUT));

	if ((r->known & FLOW_PACKET) == 0 || lost || r->fragment == FLOW_FRAGMENT_LATER)
		return;
	p->payload_weight += w;
	while (i < r->payload_len && r->payload[i] == 0)
		i++;
	if (i == r->payload_len)
		p->empty += w;
	if (!p->payload_any) {
		memcpy(p->payload, r->payload, len);
		p->payload_len = (uint8_t)len;
		p->payload_any = true;
		return;
	}
	size_t same = 0;
	while (same < len && same < p->payload_len && p->payload[same] == r->payload[same])
		same++;
	p->payload_len = (uint8_t)same;
}

static uint64_t hash_address(const uint8_t *address)
{
	uint64_t low, high;
	memcpy(&low, address, sizeof(low));
	memcpy(&high, address + 8, sizeof(high));
	return hash_mix(low ^ hash_mix(high + 1));
}

/* A sum in single precision loses what is 2^24 times less than it, and is wrong long before. Of
 * many records one in two therefore counts, for two; of twice as many one in four, and so on: each
 * time that a sum doubles it takes half of ADDED_MAX more. Which ones is by chance, as their order
 * may not be. */
static double weight_of(const struct profile *p, double weight)
{
	uint32_t each = 1;
	while (p->records / each >= ADDED_MAX)
		each *= 2;
	return hash_mix(p->records) % each == 0 ? weight * each : 0;
}

/* IPv4's, from the first one on; until then IPv6's. */
static void add_octet(struct profile *p, const struct traffic_record *r, float w)
{
	uint8_t whose = r->family == 4 ? OCTETS_IPV4 : OCTETS_IPV6;

	if (whose == OCTETS_IPV4 && p->octets_seen == OCTETS_IPV6)
		memset(p->octets, 0, sizeof(p->octets));
	if (whose == OCTETS_IPV6 && p->octets_seen == OCTETS_IPV4)
		return;
	p->octets[r->src[0]] += w;
	p->octets_seen = whose;
}

void profile_add(struct profile *p, const struct traffic_record *r, double weight, bool several)
{
	weight = weight_of(p, weight);
	float w = (float)weight;

	if (p->records == 0) {
		p->protocol = r->protocol;
		p->family = r->family;
	}
	p->records++;
	p->weight += weight;
	p->squares += weight * weight;
	add_octet(p, r, w);
	if ((r->known & FLOW_TTL) != 0)
		p->ttls[r->ttl] += w;
	if (r->length > 0) {
		p->length_weight += w;
		top_add(&p->length, r->length, weight);
		p->length_min = p->length_min == 0 || r->length < p->length_min ? r->length
										: p->length_min;
		p->length_max = r->length > p->length_max ? r->length : p->length_max;
	}
	top_add(&p->sport, r->sport, weight);
	top_add(&p->dport, r->dport, weight);
	hll_add(p->sports, PROFILE_BITS, hash_mix(r->sport + UINT64_C(1)));
	hll_add(p->dports, PROFILE_BITS, hash_mix(r->dport + UINT64_C(1)));
	hll_add(p->sources, PROFILE_BITS, hash_address(r->src));
	if (r->protocol == 6 && r->fragment != FLOW_FRAGMENT_LATER)
		add_tcp(p, r, w, several);
	add_payload(p, r, w);
}

/* Of `count` bins, from n records: the estimator of Chao and Shen, which allows for bins that
 * the sample missed. */
static double entropy(const float *bins, size_t count, double n)
{
	double sum = 0, bits = 0, once = 0;
	for (size_t i = 0; i < count; i++)
		sum += (double)bins[i];
	if (!(sum > 0) || !(n > 0))
		return -1;
	for (size_t i = 0; i < count; i++)
		once += bins[i] > 0 && (double)bins[i] / sum * n < 1.5;
	double coverage = fmax(1 - once / n, 1 / n);
	for (size_t i = 0; i < count; i++) {
		double share = coverage * (double)bins[i] / sum;
		if (share > 0) /* less its chance to have been missed */
			bits -= share * log2(share) / -expm1(n * log1p(-fmin(share, 1 - 1e-12)));
	}
	return fmin(fmax(bits, 0), log2((double)count));
}

/* The effective records (so many of one weight would be as certain) of a part of them. */
static double effective_of(const struct profile *p, const float *bins)
{
	double sum = 0;
	for (size_t i = 0; i < 256; i++)
		sum += (double)bins[i];
	if (!(p->weight > 0 && p->squares > 0))
		return 0;
	return p->weight * p->weight / p->squares * fmin(1, sum / p->weight);
}

double profile_octet_entropy(const struct profile *p)
{
	double n = effective_of(p, p->octets);
	return n < ENTROPY_MIN || p->octets_seen != OCTETS_IPV4 ? -1 : entropy(p->octets, 256, n);
}

static unsigned hops_of(unsigned ttl)
{
	unsigned initial = ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
	return initial - ttl;
}

double profile_hop_entropy(const struct profile *p)
{
	float hops[128] = {0};
	double n = effective_of(p, p->ttls);
	for (unsigned ttl = 0; ttl < 256; ttl++)
		hops[hops_of(ttl)] += p->ttls[ttl];
	return n < HOPS_MIN ? -1 : entropy(hops, 128, n);
}

double profile_too_far(const struct profile *p)
{
	double sum = 0, far = 0;
	for (unsigned ttl = 0; ttl < 256; ttl++) {
		sum += (double)p->ttls[ttl];
		far += hops_of(ttl) > HOPS_MAX ? (double)p->ttls[ttl] : 0;
	}
	return profile_share(far, sum);
}

double profile_octets_effective(const struct profile *p)
{
	double n = effective_of(p, p->octets), sum = 0, squares = 0;
	if (n < HOPS_MIN || p->octets_seen != OCTETS_IPV4)
		return -1;
	for (size_t i = 0; i < 256; i++)
		sum += (double)p->octets[i];
	for (size_t i = 0; i < 256; i++) {
		double share = (double)p->octets[i] / sum;
		squares += share * share;
	}
	/* Two records of a sample meet with 1/n more than two of the whole. */
	double corrected = (squares - 1 / n) * n / (n - 1);
	return corrected > 1.0 / 256 ? 1 / corrected : 256;
}

static bool is_unroutable(const struct profile *p, unsigned octet)
{
	if (p->octets_seen == OCTETS_IPV6)
		return address_space_is_reserved6((uint8_t)octet);
	return octet == 0 || octet == 127 || octet >= 224;
}

double profile_unroutable(const struct profile *p)
{
	double sum = 0, bad = 0;
	for (unsigned i = 0; i < 256; i++) {
		sum += (double)p->octets[i];
		bad += is_unroutable(p, i) ? (double)p->octets[i] : 0;
	}
	return profile_share(bad, sum);
}

unsigned profile_reserved_blocks(const struct profile *p)
{
	unsigned count = 0;

	for (unsigned i = 0; i < 256 && p->octets_seen == OCTETS_IPV6; i++)
		count += p->octets[i] > 0 && is_unroutable(p, i);
	return count;
}

double profile_silent(const struct profile *p)
{
	double sum = 0, found = 0;

	for (unsigned i = 0; i < 256 && p->octets_seen == OCTETS_IPV4; i++) {
		sum += (double)p->octets[i];
		found += address_space_is_silent((uint8_t)i) ? (double)p->octets[i] : 0;
	}
	return profile_share(found, sum);
}
