/* SPDX-License-Identifier: Apache-2.0 */
/* What addresses prove where somebody who forges them wants them to prove something. */
#include "explain/source.h"

#include "base/prng.h"
#include "explain/vector.h"
#include "model/address_space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = 2000 };

enum trait {
	ANYWHERE = 1,   /* addresses of all /8s in which senders are, alike; else of a few */
	ONE_PLACE = 2,  /* all as far away as each other */
	UNROUTABLE = 4, /* addresses that cannot be, too */
	SILENT = 8,	/* and those of /8s that send nothing */
	SYN_ALONE = 16, /* and nothing that follows it; one packet in a hundred was looked at */
};

/* Of a /8 for which the United States' military is registered. */
static bool is_silent(uint8_t top)
{
	return memchr((const char[]){6, 7, 11, 21, 22, 26, 28, 29, 30, 33, 55, (char)214, (char)215},
		      (char)top, 13) != NULL;
}

static uint8_t anywhere(struct prng *r, bool silent)
{
	uint8_t top = 127;

	while (top == 127 || (!silent && is_silent(top)))
		top = (uint8_t)(1 + prng_below(r, 223));
	return top;
}

/* Flows with a SYN and what follows it. */
static struct source_finding judge_flows(unsigned traits)
{
	static const uint8_t few[] = {5, 24, 46, 77, 91, 185};
	static struct profile p;
	struct prng r = prng_of(1, 1);
	struct source_finding finding;

	memset(&p, 0, sizeof(p));
	for (int i = 0; i < RECORDS; i++) {
		struct traffic_record one = {
			.packets = 4, .family = 4, .protocol = 6, .known = FLOW_FLAGS | FLOW_TTL,
			.tcp_flags = FLOW_TCP_SYN | FLOW_TCP_ACK | FLOW_TCP_PSH,
			.ttl = (uint8_t)(traits & ONE_PLACE ? 51 : 40 + prng_below(&r, 20)),
		};
		one.src[0] = traits & ANYWHERE ? anywhere(&r, traits & SILENT)
					       : few[prng_below(&r, 6)];
		if (traits & SYN_ALONE) {
			one.tcp_flags = FLOW_TCP_SYN;
			one.known = FLOW_FLAGS;
		}
		if ((traits & UNROUTABLE) && i % 10 == 0)
			one.src[0] = 240;
		one.src[1] = (uint8_t)prng_below(&r, 256);
		one.src[2] = (uint8_t)prng_below(&r, 256);
		profile_add(&p, &one, 4, true);
	}
	source_judge(&(struct source_facts){.profile = &p,
					    .packets = (traits & SYN_ALONE ? 100 : 4) * RECORDS,
					    .seen = (traits & SYN_ALONE ? 1 : 4) * RECORDS, .sources = RECORDS}, &finding);
	return finding;
}

static void handshakes_of_a_crowd_are_proof(void **state)
{
	(void)state;
	assert_int_equal(judge_flows(0).status, SOURCE_PROVED);
	assert_int_equal(judge_flows(ANYWHERE).status, SOURCE_PROVED);
	assert_int_equal(judge_flows(ONE_PLACE).status, SOURCE_PROVED);
}

static void handshakes_from_forged_addresses_are_none(void **state)
{
	(void)state;
	struct source_finding f = judge_flows(ANYWHERE | ONE_PLACE);
	assert_int_equal(f.status, SOURCE_UNKNOWN);
	assert_non_null(strstr(f.why, "marks of forgery"));
	f = judge_flows(UNROUTABLE);
	assert_int_equal(f.status, SOURCE_UNKNOWN);
	assert_non_null(strstr(f.why, "10 % unroutable"));
	f = judge_flows(ANYWHERE | SILENT);
	assert_int_equal(f.status, SOURCE_UNKNOWN);
	assert_non_null(strstr(f.why, " % from /8s that nobody sends from"));
}

/* 0.0.0.0 is who has no address yet (RFC 1122, 3.2.1.3); one of ten others is a host. */
static void few_addresses_of_no_host_are_said_to_be_so(void **state)
{
	static const struct { uint8_t top; const char *why; } cases[] = {
		{0, "1 source that no host on the Internet has: forged, or sent within its own "
		    "network by who has no address yet"},
		{255, "1 source that no host on the Internet has"},
		{10, "1 source, no handshake seen"},
		{203, "1 source, no handshake seen"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static struct profile p;
		struct source_finding f;
		struct traffic_record one = {.packets = 1, .family = 4, .protocol = 17,
					     .known = FLOW_PACKET | FLOW_TTL, .ttl = 64};
		memset(&p, 0, sizeof(p));
		one.src[0] = cases[i].top;
		for (int n = 0; n < RECORDS; n++)
			profile_add(&p, &one, 1, false);
		source_judge(&(struct source_facts){.profile = &p, .packets = RECORDS,
						    .seen = RECORDS, .sources = 1}, &f);
		assert_int_equal(f.status, SOURCE_UNKNOWN);
		if (strstr(f.why, cases[i].why) != f.why)
			fail_msg("%u/8: %s", cases[i].top, f.why);
	}
}

/* Neither packets a source nor TTLs are known of a sampled export. */
static void sampled_addresses_of_nobody_are_forged(void **state)
{
	(void)state;
	assert_int_equal(judge_flows(ANYWHERE | SYN_ALONE).status, SOURCE_UNKNOWN);
	assert_int_equal(judge_flows(SYN_ALONE).status, SOURCE_UNKNOWN);
	struct source_finding f = judge_flows(ANYWHERE | SILENT | SYN_ALONE);
	assert_int_equal(f.status, SOURCE_SPOOFED);
	assert_non_null(strstr(f.why, " % from /8s that nobody sends from"));
}

/* SYNs of IPv6, of which one in a hundred was looked at. `reserved` of a thousand are from blocks
 * that nobody was given, in so many of them. */
static struct source_finding judge_six(unsigned reserved, unsigned blocks)
{
	static const uint8_t given[] = {0x20, 0x24, 0x26, 0x28, 0x2a, 0x2c};
	static struct profile p;
	struct prng r = prng_of(2, 1);
	struct source_finding finding;

	memset(&p, 0, sizeof(p));
	for (int i = 0; i < RECORDS; i++) {
		struct traffic_record one = {.packets = 100, .family = 6, .protocol = 6,
					     .known = FLOW_FLAGS | FLOW_TTL, .tcp_flags = FLOW_TCP_SYN,
					     .ttl = (uint8_t)(40 + prng_below(&r, 20))};
		for (int k = 1; k < 16; k++)
			one.src[k] = (uint8_t)prng_below(&r, 256);
		one.src[0] = prng_below(&r, 1000) < reserved ? (uint8_t)(0x30 + prng_below(&r, blocks))
							     : given[prng_below(&r, 6)];
		profile_add(&p, &one, 100, true);
	}
	source_judge(&(struct source_facts){.profile = &p, .packets = 100 * RECORDS,
					    .seen = RECORDS, .sources = RECORDS}, &finding);
	return finding;
}

static void addresses_that_nobody_was_given_are_forged(void **state)
{
	(void)state;
	struct source_finding f = judge_six(560, 14);
	assert_int_equal(f.status, SOURCE_SPOOFED);
	assert_non_null(strstr(f.why, " % from blocks that nobody was given"));
	assert_true(f.octet_entropy < 0); /* that is IPv4's */
	/* All given; too few others; all of one network's own making. */
	assert_int_equal(judge_six(0, 1).status, SOURCE_UNKNOWN);
	assert_int_equal(judge_six(50, 14).status, SOURCE_UNKNOWN);
	assert_int_equal(judge_six(560, 2).status, SOURCE_UNKNOWN);
}

static void blocks_of_ipv6_are_as_the_registry_has_them(void **state)
{
	(void)state;
	static const uint8_t reserved[] = {0x01, 0x04, 0x10, 0x2d, 0x2e, 0x2f, 0x30, 0x3e, 0x40, 0x80,
					   0xfb, 0xff};
	static const uint8_t others[] = {0x00, 0x02, 0x03, 0x20, 0x24, 0x26, 0x28, 0x2a, 0x2c, 0x3f,
					 0xfc, 0xfd, 0xfe};

	for (size_t i = 0; i < sizeof(reserved); i++)
		assert_true(address_space_is_reserved6(reserved[i]));
	for (size_t i = 0; i < sizeof(others); i++)
		assert_false(address_space_is_reserved6(others[i]));
}

/* 256 records a tick: nine hours of them. Nothing changes, and so nothing that is said does. */
static void what_was_shown_does_not_fade_with_time(void **state)
{
	static struct profile p;
	struct traffic_record one = {.packets = 7, .bytes = 700, .length = 100, .family = 4,
				     .protocol = 6, .sport = 4000, .dport = 443, .ttl = 50,
				     .known = FLOW_FLAGS | FLOW_TTL, .src = {46},
				     .tcp_flags = FLOW_TCP_SYN | FLOW_TCP_ACK | FLOW_TCP_PSH};
	char first[200] = "", rule[200];
	(void)state;
	for (uint32_t i = 1; i <= UINT32_C(1) << 25; i++) {
		one.src[3] = (uint8_t)i;
		one.src[2] = (uint8_t)(i >> 8);
		profile_add(&p, &one, 700.3, true);
		if (i < 1 << 16 || (i & (i - 1)) != 0)
			continue;
		const struct source_facts facts = {.profile = &p, .packets = 700.3 * i, .seen = i,
						   .sources = 65536};
		struct source_finding f;
		source_judge(&facts, &f);
		assert_int_equal(f.status, SOURCE_PROVED);
		assert_non_null(strstr(f.why, ": 100 % of packets"));
		assert_true(p.weight > 0.98 * 700.3 * i && p.weight < 1.02 * 700.3 * i);
		vector_rule(&p, rule, sizeof(rule));
		assert_true(first[0] == '\0' || strcmp(first, rule) == 0);
		memcpy(first, rule, sizeof(first));
	}
	assert_non_null(strstr(rule, "from 4000 to 443, length 100, ttl 50"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_of_a_crowd_are_proof),
		cmocka_unit_test(handshakes_from_forged_addresses_are_none),
		cmocka_unit_test(few_addresses_of_no_host_are_said_to_be_so),
		cmocka_unit_test(sampled_addresses_of_nobody_are_forged),
		cmocka_unit_test(addresses_that_nobody_was_given_are_forged),
		cmocka_unit_test(blocks_of_ipv6_are_as_the_registry_has_them),
		cmocka_unit_test(what_was_shown_does_not_fade_with_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
