/* SPDX-License-Identifier: Apache-2.0 */
/* Real captures (StopDDoS, CIC-DDoS2019 …; decode/testdata.h says where they are looked for):
 * the vector, what its sources prove, and the figures that were counted independently. Alone
 * and sampled. The limits allow three standard errors of the sketches. */
#include "trace_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct expected {
	const char *file, *id;
	enum source_status status;
	double packets, sources;
	double octets[2], hops[2]; /* entropies, low and high; 0 = not looked at */
};

static const struct expected floods[] = {
	{"ddos/stopddos/pkt.TCP.synflood.spoofed.pcap", "syn.spoof", SOURCE_SPOOFED, 37841, 37623, {7.6, 7.85}, {0.9, 1.1}},
	{"ddos/stopddos/amp.UDP.isakmp.pcap", "amp.ike", SOURCE_REFLECTOR, 3984, 2767, {0, 8}, {3.6, 4.2}},
	/* 4108 by a display filter, of which 29 are quoted inside ICMP errors. */
	{"ddos/stopddos/amp.UDP.snmp.src161.pcapng", "amp.snmp", SOURCE_REFLECTOR, 4079, 0, {0, 8}, {3.6, 4.2}},
	{"ddos/lab/CIC-DDoS-2019-SynFlood.pcap", "syn", SOURCE_UNKNOWN, 18778, 1, {0, 0.1}, {0, 0.1}},
	{"ddos/lab/dhcp-flood-zero-timespan.pcap", "dhcp.flood", SOURCE_UNKNOWN, 10000, 1, {0, 0.1}, {0, 0.1}},
};

static bool is_between(double x, const double limits[2])
{
	return limits[1] <= 0 || (x >= limits[0] && x <= limits[1]);
}

static void assert_capture(const struct expected *e, uint32_t sampling)
{
	struct trace_fixture *x = fixture_new();
	x->sampling = sampling;
	if (!fixture_capture(x, e->file, 0, NULL)) {
		free(x);
		skip();
		return;
	}
	fixture_write(x);
	const struct trace_vector *v = fixture_vector(x, e->id);
	if (v == NULL || v->status != e->status) {
		fixture_print(x);
		fail_msg("%s, 1:%u: not %s %s", e->file, sampling, e->id, source_status_name(e->status));
	}
	double looked_at = e->packets / sampling;
	assert_in_range((uint64_t)v->packets, (uint64_t)(e->packets * (1 - 4 / __builtin_sqrt(looked_at) * (sampling > 1))),
			(uint64_t)(e->packets * (1 + 4 / __builtin_sqrt(looked_at) * (sampling > 1))));
	assert_int_equal(x->trace.sampling, sampling);
	if (sampling == 1) {
		if (e->sources > 0)
			assert_float_equal(v->sources, e->sources, 3 * (double)v->sources_error * e->sources + 0.5);
		assert_true(is_between((double)v->octet_entropy, e->octets));
		assert_true(is_between((double)v->hop_entropy, e->hops));
	}
	free(x);
}

static void floods_are_named_and_their_sources_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
		assert_capture(&floods[i], 1);
}

/* A few packets of each hundred or thousand say less, and nothing else. */
static void sampled_floods_are_named_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
		assert_capture(&floods[i], 100);
	assert_capture(&floods[0], 1000);
}

static void fragments_of_dns_answers_are_its(void **state)
{
	struct trace_fixture *x = fixture_new();
	(void)state;
	x->flood_share = 0.02;
	if (!fixture_capture(x, "ddos/stopddos/amp.dns.RRSIG.fragmented.pcap", 0, NULL)) {
		free(x);
		skip();
		return;
	}
	fixture_write(x);
	const struct trace_vector *v = fixture_vector(x, "amp.dns");
	assert_non_null(v);
	assert_int_equal(v->status, SOURCE_REFLECTOR);
	assert_true(v->packets > 378 + 600); /* the answers, and most of the 726 later fragments */
	assert_null(fixture_vector(x, "frag"));
	free(x);
}

static void answers_are_known_by_their_content(void **state)
{
	static const char *const files[][2] = {{"ddos/lab/cldap-one-exchange.pcap", "amp.cldap"},
					       {"ddos/lab/ntp-monlist-one-answer.pcap", "amp.ntp"}};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct trace_fixture *x = fixture_new();
		if (!fixture_capture(x, files[i][0], 0, NULL)) {
			free(x);
			skip();
			return;
		}
		fixture_write(x);
		const struct trace_vector *v = fixture_vector(x, files[i][1]);
		assert_non_null(v);
		assert_non_null(strstr(v->why, "content"));
		free(x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods_are_named_and_their_sources_judged),
		cmocka_unit_test(sampled_floods_are_named_alike),
		cmocka_unit_test(fragments_of_dns_answers_are_its),
		cmocka_unit_test(answers_are_known_by_their_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
