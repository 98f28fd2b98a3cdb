/* SPDX-License-Identifier: Apache-2.0 */
/* The engine with traffic, on a virtual clock: ticks made of flows, a service's users and a flood. */
#include "engine/traffic_testing.h"

#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

/* ---- what it must do ---- */

static void a_flood_alone_opens_an_incident_within_a_second(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 1);
	world_minutes(&w, 15, &(struct scene){"x", 4000, 0});
	assert_int_equal(w.opened, 0);
	wd_wall flood = wall_add(wall_s(START_S), span_ms(w.at_ms));
	world_play(&w, 1, &(struct scene){"x", 4000, 36000}, 1);
	assert_int_equal(w.opened, 1);
	assert_true(wall_sub(w.last.decided_at, flood).ns <= WD_NS_PER_S);
	assert_true(llabs(wall_sub(w.last.began_at, flood).ns) <= WD_NS_PER_S);
	assert_int_equal(w.last.kinds, INCIDENT_TRAFFIC);
	assert_string_equal(w.last.traffic.vectors[0].id, "amp.dns");
	assert_int_equal(w.last.traffic.status, SOURCE_REFLECTOR);
	assert_true(w.traces >= 1);
	assert_string_equal(w.trace->incident, w.last.id);
	assert_true(w.trace->vector_count >= 1);
	assert_string_equal(w.trace->vectors[0].id, "amp.dns");
	world_play(&w, 9, &(struct scene){"x", 4000, 36000}, 1);
	assert_true(w.last.traffic.peak_packets_per_s > 35000 && w.last.traffic.peak_packets_per_s < 45000);
	assert_true(fabsf(w.last.traffic.usual_packets_per_s - 4000) < 800);
	assert_int_equal(w.last.peak_at.ns, w.last.traffic.peak_at.ns);
	assert_false(wall_before(w.last.peak_at, w.last.began_at));

	struct snapshot *s = engine_snapshot(w.e);
	assert_non_null(s);
	const struct trace *trace = snapshot_trace(s, w.last.id);
	assert_non_null(trace);
	assert_true(trace->point_count > 5 && trace->packets > 300000);
	/* What came before it, up to its first point. */
	const struct trace_before *before = &trace->before;
	wd_wall end = wall_add(before->begin, (wd_span){before->step.ns * before->count});
	assert_true(before->count >= 50 && !wall_before(end, trace->begin));
	assert_true(wall_sub(end, trace->begin).ns <= before->step.ns);
	for (uint32_t n = 0; n < before->count; n++) {
		assert_true(fabsf(before->points[n].packets_per_s - 4000) < 400);
		assert_true(before->points[n].requests_per_s < 0);
	}
	assert_true(before->points[before->count - 1].usual_packets_per_s > 3000);
	assert_null(snapshot_trace(s, "y-1"));
	const struct service_state *x = s->services[0], *y = s->services[1];
	assert_int_equal(x->status, STATUS_INCIDENT);
	assert_null(y->traffic);
	assert_true(x->traffic->packets_per_s > 35000 && x->traffic->usual_packets_per_s < 5000);
	/* Both are of a second: what is now is never more than the peak. */
	assert_true(x->traffic->packets_per_s <= w.last.traffic.peak_packets_per_s);
	assert_true(x->traffic->bits_per_s <= w.last.traffic.peak_bits_per_s);
	assert_string_equal(x->traffic->top.id, "amp.dns");
	const struct series *day = &x->traffic->day_packets, *recent = &x->traffic->recent_packets;
	assert_true(fabsf(day->points[day->count - 3].observed - 4000) < 400);
	assert_true(recent->points[recent->count - 3].observed > 35000);
	snapshot_release(s);
	world_close(&w);
}

/* In minutes, where its traffic has it in ticks. */
static void an_incidents_evidence_is_the_highest_that_its_traffic_had(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 1);
	world_minutes(&w, 15, &(struct scene){"x", 4000, 0});
	world_play(&w, 5, &(struct scene){"x", 4000, 2500}, 1);
	assert_int_equal(w.opened, 1);
	world_play(&w, 20, &(struct scene){"x", 4000, 36000}, 1);
	assert_true(w.last.log10_return > w.last.log10_return_decided + 1);
	assert_float_equal(w.last.log10_return, w.last.traffic.log10_return - log10f(240), .01);
	world_close(&w);
}

static void the_end_of_a_flood_is_told_and_then_closed(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 2);
	world_minutes(&w, 10, &(struct scene){"x", 4000, 0});
	world_play(&w, 120, &(struct scene){"x", 4000, 36000}, 1);
	wd_wall ended = wall_add(wall_s(START_S), span_ms(w.at_ms));
	world_minutes(&w, 10, &(struct scene){"x", 4000, 0});
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	assert_true(llabs(wall_sub(w.last.ended_at, ended).ns) <= 3 * WD_NS_PER_S);
	assert_int_equal(w.last.ended_at.ns, w.last.traffic.ended_at.ns);
	assert_int_equal(w.last.wave_count, 1);
	assert_true(w.last.waves[0].peak_packets_per_s > 35000);
	/* The minutes after it are not the trace's. */
	assert_true(fabs(w.trace->packets - 120 * 40000) < 10 * 40000);
	assert_true(fabsf(w.trace->vectors[0].share - .9f) < .05f);
	world_minutes(&w, 25, &(struct scene){"x", 4000, 0});
	assert_int_equal(w.closed, 1);
	assert_int_equal(w.opened, 1);
	/* Again within four hours: the same incident, another wave, with a peak of its own. */
	world_play(&w, 10, &(struct scene){"x", 4000, 16000}, 1);
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.last.state, INCIDENT_OPEN);
	assert_int_equal(w.last.wave_count, 2);
	wd_wall peak = world_now(&w);
	world_play(&w, 5, &(struct scene){"x", 4000, 26000}, 1);
	world_play(&w, 20, &(struct scene){"x", 4000, 16000}, 1);
	engine_finish(w.e);
	world_collect(&w);
	assert_int_equal(w.last.waves[0].peak_at.ns, w.last.peak_at.ns);
	assert_true(fabsf(w.last.waves[1].peak_packets_per_s - 30000) < 1000);
	int64_t after = wall_sub(w.last.waves[1].peak_at, peak).ns;
	assert_true(after >= 0 && after < 5 * WD_NS_PER_S);
	world_close(&w);
}

static void reports_and_a_flood_are_one_incident_of_both_kinds(void **state)
{
	(void)state;
	for (int reports_first = 0; reports_first < 2; reports_first++) {
		struct world w;
		world_open(&w, 3);
		for (int n = 0; n < 60; n++) { /* a report every other minute, for an hour */
			world_minutes(&w, 1, &(struct scene){"x", 4000, 0});
			if (n % 2 == 0)
				world_report(&w, "x");
		}
		for (int n = 0; n < 8; n++) {
			bool flood = reports_first ? n >= 4 : true;
			for (int k = 0; k < 60; k++) {
				world_play(&w, 1, &(struct scene){"x", 4000, flood ? 36000 : 0}, 1);
				if (reports_first || n >= 1)
					world_report(&w, "x");
			}
			if (n == 0) /* a flood's odds are no odds of reports */
				assert_true(w.last.reports_log10_return == 0);
		}
		assert_true(w.last.reports_log10_return > 0 &&
			    w.last.reports_log10_return <= w.last.log10_return);
		assert_int_equal(w.opened, 1);
		assert_int_equal(w.last.kinds, INCIDENT_REPORTS | INCIDENT_TRAFFIC);
		assert_int_equal(w.last.state, INCIDENT_OPEN);
		assert_true(w.last.peak_observed > 40 && w.last.networks >= 10);
		assert_true(w.last.traffic.peak_packets_per_s > 35000);
		float ratio = w.last.peak_observed / fmaxf(w.last.peak_expected, .5f);
		float hours = (float)span_to_s(incident_duration(&w.last, w.last.changed_at)) / 3600;
		assert_true(w.last.severity > 1.5f * log2f(1 + ratio) * hours); /* and traffic */
		/* Both must be calm before it recovers. */
		for (int n = 0; n < 5; n++)
			world_minutes(&w, 1, &(struct scene){"x", 4000, 36000});
		assert_int_equal(w.last.state, INCIDENT_OPEN);
		world_minutes(&w, 20, &(struct scene){"x", 4000, 0});
		assert_int_equal(w.last.state, INCIDENT_RECOVERING);
		assert_true(w.last.traffic.ended_at.ns > 0 &&
			    !wall_before(w.last.ended_at, w.last.traffic.ended_at));
		world_close(&w);
	}
}

static void two_services_have_an_incident_each(void **state)
{
	struct world w;
	struct scene calm[] = {{"x", 4000, 0}, {"y", 2000, 0}, {"z", 1000, 0}};
	struct scene flood[] = {{"x", 4000, 36000}, {"y", 2000, 30000}, {"z", 1000, 0}};
	(void)state;
	world_open(&w, 4);
	world_play(&w, 600, calm, 3);
	world_play(&w, 5, flood, 3);
	assert_int_equal(w.opened, 2);
	struct snapshot *s = engine_snapshot(w.e);
	assert_int_equal(s->incident_count, 2);
	assert_int_equal(s->trace_count, 2);
	assert_int_equal(s->incidents[0].related_count + s->incidents[1].related_count, 2);
	snapshot_release(s);
	world_close(&w);
}

static void ticks_out_of_time_are_counted_and_change_nothing(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 5);
	world_minutes(&w, 1, &(struct scene){"x", 4000, 0});
	wd_wall now = engine_now(w.e);
	traffic_clear(w.tick, "x", wall_back(now, span_s(1)));
	w.tick->width = span_ms(250);
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_LATE);
	w.tick->at = wall_add(now, span_s(121));
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_EARLY);
	w.tick->at = wall_add(now, span_s(60)); /* the caller's clock may lag */
	assert_int_equal(engine_traffic(w.e, w.tick), ENGINE_COUNTED);
	assert_int_equal(engine_now(w.e).ns, now.ns);
	world_close(&w);
}

static void made_up_services_are_refused_and_take_no_memory(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 6);
	world_minutes(&w, 1, &(struct scene){"x", 4000, 0});
	struct engine_options o = world_options(&w);
	o.services_watched_max = 10;
	for (int adopt = 0; adopt < 2; adopt++) {
		struct engine *e;
		size_t counted = 0, before = 0;
		o.adopt_services = adopt != 0;
		assert_int_equal(engine_open(&o, &e, NULL), WD_OK);
		engine_advance(e, wall_s(START_S));
		for (int n = 0; n < 100000; n++) {
			traffic_clear(w.tick, "", wall_s(START_S));
			snprintf(w.tick->service, sizeof(w.tick->service), "made-up-%d", n);
			w.tick->width = span_ms(250);
			counted += engine_traffic(e, w.tick) == ENGINE_COUNTED;
			if (n == 1000)
				before = mallinfo2().uordblks + mallinfo2().hblkhd;
		}
		assert_int_equal(counted, adopt ? 10 : 0);
		assert_true(mallinfo2().uordblks + mallinfo2().hblkhd <= before + 4096);
		engine_close(e);
	}
	world_close(&w);
}

static void assert_same_state(const struct world *a, const struct world *b)
{
	for (size_t n = 0; n < engine_service_count(a->e); n++) {
		uint8_t *x, *y;
		const char *id;
		size_t x_len, y_len;
		assert_int_equal(engine_write_service(a->e, n, &id, &x, &x_len), WD_OK);
		assert_int_equal(engine_write_service(b->e, n, &id, &y, &y_len), WD_OK);
		assert_int_equal(x_len, y_len);
		assert_memory_equal(x, y, x_len);
		free(x);
		free(y);
	}
}

static void a_restart_in_the_middle_of_an_incident_decides_the_same_to_the_byte(void **state)
{
	struct world a, b;
	(void)state;
	world_open(&a, 7);
	world_open(&b, 7);
	world_minutes(&a, 10, &(struct scene){"x", 4000, 0});
	world_play(&a, 20.5, &(struct scene){"x", 4000, 36000}, 1);
	assert_int_equal(a.opened, 1);
	world_restart(&a, &b);
	assert_same_state(&a, &b);
	buf_reset(&a.told);
	struct world *worlds[] = {&a, &b};
	for (int n = 0; n < 2; n++) {
		world_play(worlds[n], 40, &(struct scene){"x", 4000, 80000}, 1);
		world_minutes(worlds[n], 50, &(struct scene){"x", 4000, 0});
		assert_int_equal(worlds[n]->closed, 1);
	}
	assert_true(a.told.len > 1000);
	assert_string_equal(a.told.data, b.told.data);
	assert_same_state(&a, &b);
	world_close(&a);
	world_close(&b);
}

/* The state is from before the flood; the store knows the incident. */
static void an_incident_that_only_the_store_knows_goes_on(void **state)
{
	struct world a, b, c;
	(void)state;
	world_open(&a, 8);
	world_open(&b, 8);
	world_open(&c, 8);
	world_minutes(&a, 10, &(struct scene){"x", 4000, 0});
	world_restart(&a, &b);
	world_restart(&a, &c);
	world_play(&a, 20, &(struct scene){"x", 4000, 36000}, 1);
	struct incident known = a.last;
	assert_int_equal(known.state, INCIDENT_OPEN);

	/* Ticks go on: so does the incident, and ends. */
	assert_int_equal(engine_resume(b.e, &known), WD_OK);
	b.at_ms = a.at_ms + 5000;
	world_play(&b, 10, &(struct scene){"x", 4000, 36000}, 1);
	world_minutes(&b, 5, &(struct scene){"x", 4000, 0});
	assert_int_equal(b.opened, 0);
	assert_string_equal(b.last.id, known.id);
	assert_int_equal(b.last.state, INCIDENT_RECOVERING);

	/* Nobody watches any more: it does not stay open for ever. */
	assert_int_equal(engine_resume(c.e, &known), WD_OK);
	for (int n = 0; n < 60; n++) {
		engine_advance(c.e, wall_add(known.changed_at, span_s(60 * (n + 1))));
		world_collect(&c);
	}
	assert_int_equal(c.closed, 1);
	assert_string_equal(c.last.id, known.id);
	assert_int_equal(c.last.ended_at.ns, known.changed_at.ns);
	world_close(&a);
	world_close(&b);
	world_close(&c);
}

/* … and the first that is heard of it is that nothing came: no chart of it is there yet. */
static void an_incident_that_only_the_store_knows_may_be_followed_by_silence(void **state)
{
	struct world a, b;
	(void)state;
	world_open(&a, 8);
	world_open(&b, 8);
	world_play(&a, 2, &(struct scene){"x", 4000, 0}, 1);
	world_play(&a, 20, &(struct scene){"x", 4000, 36000}, 1);
	struct incident known = a.last;
	assert_int_equal(known.state, INCIDENT_OPEN);

	engine_advance(b.e, known.changed_at);
	assert_int_equal(engine_resume(b.e, &known), WD_OK);
	engine_traffic_until(b.e, wall_add(known.changed_at, span_s(30)));
	struct snapshot *s = engine_snapshot(b.e);
	assert_non_null(s);
	assert_int_equal(s->incident_count, 1);
	snapshot_release(s);
	world_close(&a);
	world_close(&b);
}

/* ---- requests ---- */

static void a_flood_of_requests_is_an_incident_with_its_finding(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 9);
	for (int n = 0; n < 1200; n++)
		world_web(&w, 40, 0);
	assert_int_equal(w.opened, 0);
	wd_wall flood = wall_add(wall_s(START_S), span_ms(w.at_ms));
	for (int n = 0; n < 60; n++)
		world_web(&w, 40, 800);
	wd_wall ended = wall_add(wall_s(START_S), span_ms(w.at_ms));
	assert_int_equal(w.opened, 1);
	assert_int_equal(w.last.kinds, INCIDENT_REQUESTS);
	assert_true(wall_sub(w.last.decided_at, flood).ns <= 5 * WD_NS_PER_S);
	assert_true(w.last.requests.finding_count >= 1);
	assert_memory_equal(w.last.requests.findings[0].id, "http.", 5);
	assert_non_null(strstr(w.last.requests.why[0], "/s (usual "));
	assert_true(w.last.requests.peak_requests_per_s > 800);
	for (int n = 0; n < 600; n++)
		world_web(&w, 40, 0);
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	assert_true(llabs(wall_sub(w.last.ended_at, ended).ns) <= 5 * WD_NS_PER_S);
	assert_true(w.traces >= 1 && w.trace->requests > 30000);
	struct snapshot *s = engine_snapshot(w.e);
	assert_true(s->services[0]->traffic->requests_per_s > 20);
	snapshot_release(s);
	world_close(&w);
}

/* Each has a peak of its own; which is the incident's does not hang on whose tick was the last. */
static void of_traffic_and_requests_the_peak_is_that_of_traffic(void **state)
{
	(void)state;
	for (int requests_last = 0; requests_last < 2; requests_last++) {
		struct world w;
		world_open(&w, 12);
		for (int n = 0; n < 640; n++) {
			bool flood = n >= 600;
			struct scene s = {"x", 4000, flood ? n == 605 ? 90000 : 36000 : 0};
			int requests = flood ? n == 615 ? 1600 : 800 : 0;
			if (requests_last) {
				world_play(&w, 1, &s, 1);
				w.at_ms -= 1000;
				world_web(&w, 40, requests);
			} else {
				world_web(&w, 40, requests);
				w.at_ms -= 1000;
				world_play(&w, 1, &s, 1);
			}
		}
		while (w.last.state == INCIDENT_OPEN) {
			world_play(&w, 1, &(struct scene){"x", 4000, 0}, 1);
			w.at_ms -= 1000;
			world_web(&w, 40, 0);
		}
		assert_int_equal(w.last.kinds, INCIDENT_TRAFFIC | INCIDENT_REQUESTS);
		assert_int_not_equal(w.last.requests.peak_at.ns, w.last.traffic.peak_at.ns);
		assert_int_equal(w.last.peak_at.ns, w.last.traffic.peak_at.ns);
		world_close(&w);
	}
}

static void where_the_ticks_stop_the_flood_is_over_when_it_is_known(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 10);
	world_minutes(&w, 10, &(struct scene){"x", 4000, 0});
	world_play(&w, 30, &(struct scene){"x", 4000, 36000}, 1);
	assert_int_equal(w.opened, 1);
	wd_wall ended = wall_add(wall_s(START_S), span_ms(w.at_ms));
	/* All traffic was seen, and there was none: the link is dead, but the flood is over. */
	for (int n = 0; n < 180; n++) {
		w.at_ms += 1000;
		wd_wall now = wall_add(wall_s(START_S), span_ms(w.at_ms));
		engine_advance(w.e, now);
		engine_traffic_until(w.e, now);
		world_collect(&w);
	}
	assert_int_equal(w.last.state, INCIDENT_RECOVERING);
	assert_true(llabs(wall_sub(w.last.ended_at, ended).ns) <= 3 * WD_NS_PER_S);
	world_close(&w);
}

/* Half a minute of what is usual is enough at a recording's end. */
static void what_is_calm_when_a_recording_ends_is_over(void **state)
{
	static const int after_s[] = {25, 40};
	(void)state;
	for (int n = 0; n < 4; n++) {
		struct world w;
		bool flows = n < 2, over = after_s[n % 2] > 30;
		world_open(&w, 11);
		for (int s = 0; s < 300 + 30 + after_s[n % 2]; s++) {
			bool flood = s >= 300 && s < 330;
			if (flows)
				world_play(&w, 1, &(struct scene){"x", 4000, flood ? 36000 : 0}, 1);
			else
				world_web(&w, 40, flood ? 800 : 0);
		}
		assert_int_equal(w.opened, 1);
		assert_int_equal(w.last.state, INCIDENT_OPEN);
		engine_finish(w.e);
		world_collect(&w);
		assert_int_equal(w.last.state, over ? INCIDENT_RECOVERING : INCIDENT_OPEN);
		wd_wall ended = flows ? w.last.traffic.ended_at : w.last.requests.ended_at;
		assert_int_equal(w.last.ended_at.ns, ended.ns);
		if (over)
			assert_true(llabs(wall_sub(ended, wall_s(START_S + 330)).ns) <= 5 * WD_NS_PER_S);
		else
			assert_int_equal(ended.ns, 0);
		world_close(&w);
	}
}

/* Version 1 of a service's state ended before its watch: here one byte before its checksum. */
static void state_from_before_there_was_traffic_is_read(void **state)
{
	struct world w, b;
	uint8_t *bytes, *again;
	const char *id;
	size_t len, again_len;
	(void)state;
	world_open(&w, 11);
	world_open(&b, 11);
	engine_advance(w.e, wall_s(START_S));
	for (int n = 0; n < 100; n++) {
		w.at_ms = n * 20000;
		world_report(&w, "x");
		engine_advance(w.e, wall_s(START_S + n * 20));
	}
	assert_int_equal(engine_write_service(w.e, 0, &id, &bytes, &len), WD_OK);
	bytes[4] = 1;
	len -= 1;
	uint32_t sum = (uint32_t)crc32_z(0, bytes, len - 4);
	memcpy(bytes + len - 4, &sum, 4); /* as on every machine this is tried on: little-endian */
	assert_int_equal(engine_read_service(b.e, bytes, len, NULL), WD_OK);
	free(bytes);
	assert_int_equal(engine_write_service(w.e, 0, &id, &bytes, &len), WD_OK);
	assert_int_equal(engine_write_service(b.e, 0, &id, &again, &again_len), WD_OK);
	assert_int_equal(len, again_len);
	assert_memory_equal(bytes, again, len);
	free(bytes);
	free(again);
	world_close(&w);
	world_close(&b);
}

/* However many packets a second there are beside. */
static void peaks_of_requests_are_told_beside_those_of_traffic(void **state)
{
	struct world w;
	(void)state;
	world_open(&w, 13);
	for (int n = 0; n < 640; n++) {
		bool flood = n >= 600;
		world_play(&w, 1, &(struct scene){"x", 4000, flood ? 36000 : 0}, 1);
		w.at_ms -= 1000;
		world_web(&w, 40, !flood ? 0 : n < 620 ? 800 : 2400);
	}
	assert_int_equal(w.last.kinds, INCIDENT_TRAFFIC | INCIDENT_REQUESTS);
	assert_true(w.last.requests.peak_requests_per_s > 2400);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_alone_opens_an_incident_within_a_second),
		cmocka_unit_test(reports_and_a_flood_are_one_incident_of_both_kinds),
		cmocka_unit_test(two_services_have_an_incident_each),
		cmocka_unit_test(ticks_out_of_time_are_counted_and_change_nothing),
		cmocka_unit_test(made_up_services_are_refused_and_take_no_memory),
		cmocka_unit_test(a_restart_in_the_middle_of_an_incident_decides_the_same_to_the_byte),
		cmocka_unit_test(an_incident_that_only_the_store_knows_goes_on),
		cmocka_unit_test(an_incident_that_only_the_store_knows_may_be_followed_by_silence),
		cmocka_unit_test(a_flood_of_requests_is_an_incident_with_its_finding),
		cmocka_unit_test(of_traffic_and_requests_the_peak_is_that_of_traffic),
		cmocka_unit_test(peaks_of_requests_are_told_beside_those_of_traffic),
		cmocka_unit_test(where_the_ticks_stop_the_flood_is_over_when_it_is_known),
		cmocka_unit_test(what_is_calm_when_a_recording_ends_is_over),
		cmocka_unit_test(state_from_before_there_was_traffic_is_read),
		cmocka_unit_test(an_incidents_evidence_is_the_highest_that_its_traffic_had),
		cmocka_unit_test(the_end_of_a_flood_is_told_and_then_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
