/* SPDX-License-Identifier: Apache-2.0 */
/* The absolute rules, on a service's very first traffic: what opens an incident, and beside it
 * what looks like it and must not. */
#include "detect/budget.h"
#include "detect/flood.h"
#include "detect/flood_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = 200, PARTS = 3 };

/* Some kinds of traffic at once; packets are a second's. */
struct scene {
	struct testing_traffic in[PARTS];
	enum testing_class out;  /* what the service sends, and how much of it */
	double out_packets;
	float out_size;
	int ticks;               /* 0: twelve */
	int burst;               /* the tick that has 1.4 times as much; 0: none */
	int late;                /* the tick in which the first part begins, */
	double out_more;         /* and the service sends so much more */
	struct talk_sum talk;    /* of a tick; then a fourth of the first part is not answered */
};

static void mark(struct vector_classes *c, uint8_t class, const char *text)
{
	struct vector_mark *m = &c->marks[c->mark_count++];

	*m = (struct vector_mark){.class = class, .len = (uint8_t)strlen(text)};
	memcpy(m->payload, text, m->len);
	memset(m->mask, 0xff, m->len);
}

/* What the tally tells of connections. */
static void add_talk(const struct scene *scene, uint32_t first_count, struct traffic_tick *tick)
{
	tick->talk = scene->talk;
	for (uint32_t i = 0; i < first_count && scene->talk.unit > 0; i += 4)
		tick->sample[i].alone = true;
}

static bool opens(const struct scene *scene)
{
	struct vector_classes *classes = calloc(1, sizeof(*classes));
	struct flood_plan *plan = calloc(1, sizeof(*plan));
	struct flood *flood = calloc(1, sizeof(*flood));
	struct traffic_tick *tick = calloc(1, sizeof(*tick));
	struct prng r = prng_of(3, 1);
	int64_t at = wall_s(1700000000).ns;
	double threshold = budget_threshold((wd_span){TRAFFIC_TICK_NS}, 1, BUDGET_FALSE_A_MONTH, 1);
	bool open = false;

	testing_classes(classes);
	mark(classes, 0, "HTTP/1.");
	mark(classes, TESTING_STREAM, "HTTP/1.");
	flood_plan_init(plan, classes);
	flood_init(flood, plan);
	for (int i = 0; i < (scene->ticks > 0 ? scene->ticks : 12) && !open; i++) {
		struct flood_sample sample = {.tick = tick, .at = {at}, .width = {TRAFFIC_TICK_NS}};
		struct flood_reading reading;

		traffic_clear(tick, "web", (wd_wall){at});
		uint32_t first_count = 0;
		for (size_t k = 0; k < PARTS; k++) {
			struct testing_traffic t = scene->in[k];
			double more = scene->burst > 0 && i == scene->burst ? 1.4 : 1;
			if (k == 0 && i < scene->late)
				continue;
			t.packets = (double)prng_poisson(&r, more * t.packets / 4);
			t.records = t.records > 0 ? t.records : RECORDS;
			testing_add(tick, &r, &t);
			first_count = k == 0 ? tick->sample_count : first_count;
		}
		add_talk(scene, first_count, tick);
		double out = scene->out_packets + (i < scene->late ? 0 : scene->out_more);
		if (out > 0)
			testing_add_out(tick, scene->out, out / 4, scene->out_size);
		flood_step(flood, plan, &sample, &reading);
		open = reading.sustained && (double)reading.log10_return >= threshold;
		at += TRAFFIC_TICK_NS;
	}
	free(tick);
	free(flood);
	free(plan);
	free(classes);
	return open;
}

static void a_few_strong_amplifiers_are_enough(void **state)
{
	struct scene s = {.in = {{.class = TESTING_NTP, .packets = 6000, .size = 468,
				  .sources = 6, .sport = 123}}};
	(void)state;
	assert_true(opens(&s));
	s.in[0].size_scatter = 0.6F; /* of all sizes: a forwarder's two resolvers */
	assert_false(opens(&s));
	s.in[0].size_scatter = 0;
	s.in[0].packets = 900;
	assert_false(opens(&s));
}

static void one_amplifier_is_enough_if_it_fills_the_line(void **state)
{
	struct scene s = {.in = {{.class = TESTING_SNMP, .packets = 6000, .size = 1400,
				  .sources = 1, .sport = 161}}};
	(void)state;
	assert_true(opens(&s));
	s.in[0].packets = 1000; /* 11 Mbit/s: anybody's transfer */
	assert_false(opens(&s));
	s.in[0].packets = 6000;
	s.out = TESTING_SNMP; /* that was asked for */
	s.out_packets = 3000;
	s.out_size = 60;
	assert_false(opens(&s));
}

static void backends_that_answer_a_proxy_are_no_reflection(void **state)
{
	struct scene s = {.in = {{.class = TESTING_SYNACK, .packets = 6000, .size = 60,
				  .sources = 4, .flags = FLOW_TCP_SYN | FLOW_TCP_ACK}}};
	(void)state;
	assert_true(opens(&s));
	s.in[1] = (struct testing_traffic){.class = TESTING_STREAM, .packets = 30000, .size = 700,
					   .size_scatter = 0.9F, .sources = 4, .sport = 443,
					   .flags = FLOW_TCP_ACK};
	s.in[2] = (struct testing_traffic){.class = TESTING_STREAM, .packets = 6000, .size = 52,
					   .sources = 4, .sport = 443,
					   .flags = FLOW_TCP_ACK | FLOW_TCP_FIN};
	assert_false(opens(&s));
}

/* All that a recording of a fiftieth of a second has. */
static void one_tick_of_large_answers_from_many_is_enough(void **state)
{
	struct scene s = {.in = {{.class = TESTING_DNS, .packets = 1600, .size = 468, .sources = 60,
				  .sport = 53}},
			  .ticks = 1};
	(void)state;
	assert_true(opens(&s));
	s.in[0].size = 160; /* a resolver's */
	s.in[0].size_scatter = 0.5F;
	assert_false(opens(&s));
	s.in[0].size = 468;
	s.in[0].packets = 600;
	assert_false(opens(&s));
	/* Mostly later fragments, which count with them. */
	s.in[0] = (struct testing_traffic){.class = TESTING_DNS, .packets = 1200, .size = 1500,
					   .sources = 60, .sport = 53};
	s.in[1] = (struct testing_traffic){.class = TESTING_FRAGMENT, .packets = 2400, .size = 1300,
					   .sources = 60};
	assert_true(opens(&s));
}

static void one_sender_to_all_ports_is_no_scan_if_it_sends_much(void **state)
{
	struct scene s = {.in = {{.class = TESTING_UDP, .packets = 14000, .size = 600,
				  .size_scatter = 0.8F, .sources = 1, .sport = 40000,
				  .scatter_ports = true, .single = true}}};
	(void)state;
	assert_true(opens(&s));
	s.in[0].size = 60; /* looks around */
	assert_false(opens(&s));
	s.in[0].size = 600;
	s.in[0].scatter_ports = false; /* video, a backup, … */
	assert_false(opens(&s));
}

/* First fragments of large datagrams to all ports: too many senders to see one twice. */
static void equal_datagrams_to_all_ports_are_no_conversations(void **state)
{
	struct scene s = {.in = {{.class = TESTING_UDP, .packets = 1800, .size = 1500,
				  .sources = 4000, .records = 250, .scatter_ports = true,
				  .single = true}}};
	(void)state;
	assert_true(opens(&s));
	s.in[0].scatter_ports = false;
	s.in[0].sport = 443;
	s.in[0].sources = 300;
	s.in[0].size_scatter = 0.5F;
	assert_false(opens(&s));
}

static void answers_from_any_port_are_known_by_their_content(void **state)
{
	struct scene s = {.in = {{.class = TESTING_UDP, .packets = 2000, .size = 300,
				  .size_scatter = 0.2F, .sources = 400, .sport = 40000,
				  .payload = "HTTP/1.1 200 OK"}}};
	(void)state;
	assert_true(opens(&s));
	s.in[0].payload = "RTP or a game";
	assert_false(opens(&s));
	s.in[0].payload = "HTTP/1.1 200 OK";
	s.in[0].packets = 600; /* below the floor */
	assert_false(opens(&s));
	s.in[0].packets = 2000;
	s.out = TESTING_UDP; /* to each something is sent */
	s.out_packets = 2000;
	s.out_size = 100;
	assert_false(opens(&s));
}

static void pages_that_nobody_fetched_are_a_reflection(void **state)
{
	struct scene s = {.in = {{.class = TESTING_STREAM, .packets = 3000, .size = 500,
				  .size_scatter = 0.8F, .sources = 500, .sport = 80,
				  .flags = FLOW_TCP_ACK | FLOW_TCP_PSH,
				  .payload = "HTTP/1.1 403 Forbidden"},
				 {.class = TESTING_RST, .packets = 900, .size = 40, .sources = 500,
				  .flags = FLOW_TCP_RST}}};
	(void)state;
	assert_true(opens(&s));
	s.out = TESTING_STREAM; /* resets of a server that knows of nothing */
	s.out_packets = 3000;
	s.out_size = 40;
	assert_true(opens(&s));
	s.out_size = 200; /* requests: they were fetched */
	assert_false(opens(&s));
	s.ticks = 60; /* or what a server sends anyway */
	s.late = 48;
	assert_true(opens(&s));
	s.out_more = 3000;
	assert_false(opens(&s));
	s.late = s.ticks = 0;
	s.out_more = 0;
	s.out_packets = 0;
	s.in[0].payload = "\x17\x03\x03";
	assert_false(opens(&s));
	s.in[0].payload = "HTTP/1.1 403 Forbidden"; /* of connections that were opened */
	s.in[1] = (struct testing_traffic){.class = TESTING_SYNACK, .packets = 900, .size = 60,
					   .sources = 500, .flags = FLOW_TCP_SYN | FLOW_TCP_ACK};
	assert_false(opens(&s));
}

/* What a rule names in one tick stays learned: else all that follows would look like a flood. */
static void one_tick_over_a_rule_s_limit_is_forgiven(void **state)
{
	struct scene s = {.in = {{.class = TESTING_UDP, .packets = 2500, .size = 300,
				  .size_scatter = 0.8F, .sources = 2000, .records = 250,
				  .scatter_ports = true, .single = true}},
			  .ticks = 200,
			  .burst = 12};
	(void)state;
	assert_false(opens(&s));
	s.in[0].packets = 3600; /* all of it */
	assert_true(opens(&s));
}

/* A busy server sends a tenth as much anyway. */
static void what_was_sent_before_is_no_answer(void **state)
{
	struct scene s = {.in = {{.class = TESTING_STREAM, .packets = 6000, .size = 40,
				  .sources = 3000, .records = 5000, .single = true,
				  .flags = FLOW_TCP_ACK},
				 {.class = TESTING_STREAM, .packets = 440, .size = 300,
				  .size_scatter = 0.8F, .sources = 30, .sport = 40000,
				  .flags = FLOW_TCP_ACK}},
			  .out = TESTING_STREAM, .out_packets = 700, .out_size = 1000,
			  .ticks = 60, .late = 48};
	(void)state;
	assert_true(opens(&s));
	s.out_more = 3000; /* to each second one something is sent */
	assert_false(opens(&s));
	s.out_more = 0;
	s.late = 0; /* who knows what it usually sends? */
	assert_false(opens(&s));
}

/* Of a thousandth of the packets no source is seen twice. */
static void sampled_acknowledgements_of_nothing_are_a_flood(void **state)
{
	struct scene s = {.in = {{.class = TESTING_STREAM, .packets = 600000, .size = 40,
				  .sources = 3000, .sampling = 1000, .single = true,
				  .flags = FLOW_TCP_ACK}},
			  .out = TESTING_STREAM, .out_packets = 12000, .out_size = 1000};
	(void)state;
	assert_true(opens(&s));
	s.in[0].size = 1500; /* brought */
	assert_false(opens(&s));
	s.in[0].size = 60;
	s.in[0].size_scatter = 0.3F; /* with and without options, and data among them */
	assert_false(opens(&s));
	s.in[0].size_scatter = 0;
	s.out_packets = 300000; /* of what was fetched */
	assert_false(opens(&s));
	s.out_packets = 0; /* one way seen: it may have been */
	assert_false(opens(&s));
}

/* Exporters sum a connection up: it ends once, however many packets it had. */
static void connections_that_were_summed_up_end_once(void **state)
{
	struct scene s = {.in = {{.class = TESTING_RST, .packets = 400, .size = 300, .records = 5,
				  .sources = 30,
				  .flags = FLOW_TCP_SYN | FLOW_TCP_ACK | FLOW_TCP_FIN},
				 {.class = TESTING_STREAM, .packets = 6000, .size = 40,
				  .sources = 3000, .records = 5000, .single = true,
				  .flags = FLOW_TCP_ACK}}};
	(void)state;
	assert_true(opens(&s));
	s.in[0].records = 100;
	assert_false(opens(&s));
}

static void refusals_of_what_the_service_opened_are_no_flood(void **state)
{
	struct scene s = {.in = {{.class = TESTING_RST, .packets = 5000, .size = 40, .sources = 500,
				  .flags = FLOW_TCP_RST | FLOW_TCP_ACK}}};
	(void)state;
	assert_true(opens(&s));
	s.out = TESTING_SYNACK; /* counted under what would answer its SYNs */
	s.out_packets = 5000;
	s.out_size = 44;
	assert_false(opens(&s));
	s.out_packets = 1000;
	assert_true(opens(&s));
}

static void all_of_a_short_recording_is_one_tick(void **state)
{
	struct scene s = {.in = {{.class = TESTING_NTP, .packets = 10000, .size = 200,
				  .sources = 6, .sport = 123}}, .ticks = 1};
	(void)state;
	assert_true(opens(&s));
	s.in[0].packets = 6000; /* of few: may be chance */
	assert_false(opens(&s));
	s.in[0].sources = 500;
	s.in[0].packets = 3000;
	assert_true(opens(&s));
	s.in[0].packets = 1600;
	assert_false(opens(&s));
}

static void fragments_of_few_are_a_flood_if_many(void **state)
{
	struct scene s = {.in = {{.class = TESTING_FRAGMENT, .packets = 6000, .size = 1500,
				  .sources = 6}}};
	(void)state;
	assert_true(opens(&s));
	s.in[0].sources = 1; /* a file server's */
	assert_false(opens(&s));
	s.in[0].sources = 6;
	s.in[0].packets = 3000;
	assert_false(opens(&s));
}

/* Packets of no connection, in the class that a web server has, too: 3200/s. */
static const struct scene among = {
	.in = {{.class = TESTING_STREAM, .packets = 3200, .size = 40, .sources = 500,
		.records = 40, .flags = FLOW_TCP_ACK},
	       {.class = TESTING_STREAM, .packets = 12000, .size = 80, .size_scatter = 0.6F,
		.sources = 900, .records = 150, .sport = 40000, .flags = FLOW_TCP_ACK},
	       {.class = TESTING_RST, .packets = 300, .size = 52, .sources = 900, .records = 6,
		.flags = FLOW_TCP_RST}},
	.out = TESTING_STREAM, .out_packets = 16000, .out_size = 1000,
	.talk = {.unit = 4, .talking = 300, .old = 100, .thin = 90,
		 .alone = {{800, 32000, TESTING_STREAM}}}};

static void what_nobody_answers_floods_beside_what_talks(void **state)
{
	struct scene s = among;
	(void)state;
	assert_true(opens(&s));
	s.talk = (struct talk_sum){0}; /* nothing was watched */
	assert_false(opens(&s));
	s.talk = among.talk;
	s.talk.alone[0].packets = 350; /* 1400/s */
	assert_false(opens(&s));
	s.talk = among.talk;
	s.in[0].sources = 3; /* who looks around with ACKs */
	assert_false(opens(&s));
	s = among;
	s.talk.alone[0].class = TESTING_UDP;
	assert_false(opens(&s));
}

static void what_is_answered_elsewhere_is_no_flood(void **state)
{
	struct scene s = among;
	(void)state;
	s.talk.deaf = 60; /* some networks' connections go another way */
	assert_false(opens(&s));
	s = among;
	s.talk.thin = 600; /* some answers were not captured */
	assert_false(opens(&s));
	s = among;
	s.talk.anew = 80; /* connections of a box that is gone: clients come back */
	assert_false(opens(&s));
	s = among;
	s.talk.old = s.talk.thin = 0; /* all are new: the old ones are gone */
	assert_false(opens(&s));
	s = among;
	s.talk.talking = s.talk.old = s.talk.thin = 0; /* one way seen */
	assert_false(opens(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_strong_amplifiers_are_enough),
		cmocka_unit_test(one_amplifier_is_enough_if_it_fills_the_line),
		cmocka_unit_test(backends_that_answer_a_proxy_are_no_reflection),
		cmocka_unit_test(one_tick_of_large_answers_from_many_is_enough),
		cmocka_unit_test(one_sender_to_all_ports_is_no_scan_if_it_sends_much),
		cmocka_unit_test(equal_datagrams_to_all_ports_are_no_conversations),
		cmocka_unit_test(answers_from_any_port_are_known_by_their_content),
		cmocka_unit_test(pages_that_nobody_fetched_are_a_reflection),
		cmocka_unit_test(one_tick_over_a_rule_s_limit_is_forgiven),
		cmocka_unit_test(what_was_sent_before_is_no_answer),
		cmocka_unit_test(sampled_acknowledgements_of_nothing_are_a_flood),
		cmocka_unit_test(connections_that_were_summed_up_end_once),
		cmocka_unit_test(refusals_of_what_the_service_opened_are_no_flood),
		cmocka_unit_test(what_nobody_answers_floods_beside_what_talks),
		cmocka_unit_test(what_is_answered_elsewhere_is_no_flood),
		cmocka_unit_test(all_of_a_short_recording_is_one_tick),
		cmocka_unit_test(fragments_of_few_are_a_flood_if_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
