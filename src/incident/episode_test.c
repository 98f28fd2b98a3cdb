/* SPDX-License-Identifier: Apache-2.0 */
#include "incident/episode.h"
#include "incident/lifecycle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool never_taken(void *ctx, const char *id)
{
	(void)ctx;
	(void)id;
	return false;
}

static bool first_two_taken(void *ctx, const char *id)
{
	(void)ctx;
	return strcmp(id, "x-19700101-0100") == 0 || strcmp(id, "x-19700101-0100-2") == 0;
}

static wd_wall minute(int n)
{
	return wall_s(3600 + n * 60);
}

/* Minutes from 0 on, with the given counts where 2 is usual. */
static void play(struct episode *e, const float *counts, int count)
{
	for (int n = 0; n < count; n++) {
		struct episode_bucket b = {minute(n), counts[n], 2, 6};
		episode_add(e, &b, minute(n + 1));
	}
}

static void each_hump_is_a_wave_with_its_own_peak(void **state)
{
	float counts[180];
	struct episode e;
	(void)state;
	for (int n = 0; n < 180; n++) {
		float height = n < 60 ? 200 : n < 120 ? 400 : 300; /* per minute, at the peaks */
		counts[n] = 2 + height * powf(sinf((float)(n % 60) / 60 * 3.14159f), 4);
	}
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	play(&e, counts, 180);
	assert_int_equal(e.incident.wave_count, 3);
	assert_true(fabsf(e.incident.waves[0].peak_observed - 202) < 1);
	assert_true(fabsf(e.incident.waves[1].peak_observed - 402) < 1);
	assert_true(fabsf(e.incident.waves[2].peak_observed - 302) < 1);
	assert_int_equal(e.incident.waves[1].peak_at.ns, minute(90).ns);
	assert_int_equal(e.incident.peak_at.ns, minute(90).ns);
	assert_true(e.incident.waves[0].ended_at.ns <= e.incident.waves[1].began_at.ns);
}

/* A history that comes at once goes on after the outage, and what was an outage becomes usual. */
static void what_is_high_but_usual_after_the_wave_is_not_the_peak(void **state)
{
	struct episode e;
	(void)state;
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	for (int n = 0; n < 90; n++) {
		struct episode_bucket b = n < 30   ? (struct episode_bucket){minute(n), 470, 31, 45}
					  : n < 60 ? (struct episode_bucket){minute(n), 30, 31, 45}
						   : (struct episode_bucket){minute(n), 527, 430, 480};
		episode_add(&e, &b, minute(90));
	}
	assert_true(e.incident.peak_observed == 470 && e.incident.peak_expected == 31);
	assert_int_equal(e.incident.wave_count, 1);
	assert_int_equal(e.incident.peak_at.ns, e.incident.waves[0].peak_at.ns);
	/* Far above what is usual by then is another wave, and the peak. */
	for (int n = 90; n < 100; n++) {
		struct episode_bucket b = {minute(n), 4000, 430, 480};
		episode_add(&e, &b, minute(100));
	}
	assert_int_equal(e.incident.wave_count, 2);
	assert_true(e.incident.peak_observed == 4000);
}

static void a_noisy_plateau_is_one_wave(void **state)
{
	float counts[120];
	struct episode e;
	unsigned seed = 1;
	(void)state;
	for (int n = 0; n < 120; n++) {
		seed = seed * 1103515245u + 12345u;
		counts[n] = 100 + (float)(seed >> 16 & 63);
	}
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	play(&e, counts, 120);
	assert_int_equal(e.incident.wave_count, 1);
	assert_int_equal(e.incident.waves[0].ended_at.ns, 0);
}

/* Hours are not smoothed: the low one is known to be low, and no part of the wave. */
static void a_wave_ends_before_its_first_low_bucket_and_never_after_the_incident(void **state)
{
	static const float counts[] = {200, 210, 20, 20, 300, 310};
	struct episode e;
	(void)state;
	episode_open(&e, "x", span_s(3600), wall_s(0), wall_s(0), 8, never_taken, NULL);
	for (int n = 0; n < 6; n++) {
		struct episode_bucket b = {wall_s(n * 3600), counts[n], 20, 40};
		episode_add(&e, &b, wall_s(n * 3600));
	}
	assert_int_equal(e.incident.wave_count, 2);
	assert_int_equal(e.incident.waves[0].ended_at.ns, wall_s(2 * 3600).ns);
	assert_int_equal(e.incident.waves[1].began_at.ns, wall_s(4 * 3600).ns);

	struct episode minutes;
	static const float falls[] = {100, 100, 100, 100, 100, 2, 2, 2, 2, 2};
	episode_open(&minutes, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	play(&minutes, falls, 10);
	episode_recover(&minutes, minute(5), minute(10));
	assert_int_equal(minutes.incident.ended_at.ns, minute(5).ns);
	assert_int_equal(minutes.incident.waves[0].ended_at.ns, minute(5).ns);
}

static void excess_and_severity_follow_the_counts(void **state)
{
	float counts[60];
	struct episode e;
	(void)state;
	for (int n = 0; n < 60; n++)
		counts[n] = 14; /* seven times usual for an hour */
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	play(&e, counts, 60);
	assert_true(fabsf(e.incident.excess - 60 * 12) < 0.01f);
	assert_true(fabsf(e.incident.severity - 3) < 0.01f); /* log2(1 + 7) x 1 h */
	episode_recover(&e, minute(30), minute(60));
	assert_true(fabsf(e.incident.severity - 1.5f) < 0.01f);
	assert_int_equal(e.incident.ended_at.ns, minute(30).ns);
}

static void an_id_in_use_gets_a_number(void **state)
{
	struct episode e;
	(void)state;
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, first_two_taken, NULL);
	assert_string_equal(e.incident.id, "x-19700101-0100-3");
}

static void more_waves_and_scopes_than_fit_are_counted(void **state)
{
	struct episode e;
	(void)state;
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	for (int n = 0; n < INCIDENT_WAVES_MAX + 4; n++) {
		episode_recover(&e, minute(n * 10 + 5), minute(n * 10 + 6));
		episode_reopen(&e, minute(n * 10 + 10), minute(n * 10 + 11));
	}
	assert_int_equal(e.incident.wave_count, INCIDENT_WAVES_MAX);
	assert_int_equal(e.incident.waves_dropped, 5);
	for (int n = 0; n < INCIDENT_SCOPE_MAX + 3; n++) {
		char value[8] = {'A', (char)('A' + n % 26), (char)('A' + n / 26), 0};
		episode_scope(&e, DIMENSION_CITY, value, 1, 0, 1);
		episode_scope(&e, DIMENSION_CITY, value, 1, 0, 2);
	}
	assert_int_equal(e.incident.scope_count, INCIDENT_SCOPE_MAX);
	assert_int_equal(e.incident.scope_dropped, 6);
	assert_true(e.incident.scopes[0].observed == 2 && e.incident.scopes[0].log10_return == 2);
}

static void the_scope_is_told_with_the_most_reports_first(void **state)
{
	struct episode e;
	(void)state;
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	episode_scope(&e, DIMENSION_CITY, "GB/London", 50, 1, 1);
	episode_scope(&e, DIMENSION_SURFACE, "website", 10, 1, 1);
	episode_scope(&e, DIMENSION_SURFACE, "app", 30, 1, 1);
	episode_order_scope(&e);
	assert_string_equal(e.incident.scopes[0].value, "app");
	assert_string_equal(e.incident.scopes[1].value, "website");
	assert_string_equal(e.incident.scopes[2].value, "GB/London");
}

static void an_episode_survives_writing_and_every_cut_is_noticed(void **state)
{
	float counts[30];
	struct episode e, back;
	struct out o, again;
	(void)state;
	for (int n = 0; n < 30; n++)
		counts[n] = (float)(n * n);
	episode_open(&e, "x", span_s(60), minute(0), minute(3), 8, never_taken, NULL);
	play(&e, counts, 30);
	episode_scope(&e, DIMENSION_SURFACE, "app", 10, 1, 5);
	out_init(&o, 1 << 20);
	out_init(&again, 1 << 20);
	episode_write(&e, &o);
	struct cur c = cur_over(o.bytes, o.len);
	episode_read(&back, &c);
	assert_false(c.bad);
	episode_write(&back, &again);
	assert_int_equal(o.len, again.len);
	assert_memory_equal(o.bytes, again.bytes, o.len);
	for (size_t len = 0; len < o.len; len++) {
		c = cur_over(o.bytes, len);
		episode_read(&back, &c);
		assert_true(c.bad);
		assert_int_equal(back.state, INCIDENT_CLOSED);
	}
	out_done(&o);
	out_done(&again);
}

static void nothing_but_significance_opens(void **state)
{
	(void)state;
	for (int s = 0; s < 4; s++) {
		for (int ev = 0; ev < LIFE_EVENTS; ev++) {
			enum incident_state after = incident_after((enum incident_state)s, (enum lifecycle_event)ev);
			if (after == INCIDENT_OPEN && s != INCIDENT_OPEN)
				assert_int_equal(ev, LIFE_SIGNIFICANT);
			if (after == INCIDENT_CLOSED && s == INCIDENT_RECOVERING)
				assert_int_equal(ev, LIFE_CALM_LONG);
			if (s == INCIDENT_OPEN)
				assert_true(after == INCIDENT_OPEN || after == INCIDENT_RECOVERING);
		}
	}
}

static float weight_of_metric(float observed, float expected)
{
	struct incident i = {.kinds = INCIDENT_REPORTS, .metric = true, .step = span_s(3600),
			     .state = INCIDENT_CLOSED, .began_at = minute(0), .ended_at = minute(60),
			     .peak_observed = observed, .peak_expected = expected};
	return episode_severity(&i, minute(60));
}

/* An hour at twice the usual, in seconds, milliseconds and nanoseconds: log2(1 + 2) x 1 h. */
static void a_metric_is_as_severe_in_one_unit_as_in_another(void **state)
{
	static const struct { float observed, expected, ratio; } cases[] = {
		{0.1f, 0.05f, 2}, {100, 50, 2}, {1e8f, 5e7f, 2}, {1e-9f, 5e-10f, 2},
		{0.05f, 0.1f, 2}, {-100, -50, 2}, {-50, -100, 2}, {-50, 50, 3}, {0, 50, 1000},
		{50, 0, 1000}, {5e4f, 0.001f, 1000}, {0.0001f, 90, 1000},
	};
	(void)state;
	for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
		float weight = weight_of_metric(cases[n].observed, cases[n].expected);
		if (fabsf(weight - log2f(1 + cases[n].ratio)) > 0.001f)
			fail_msg("%g of %g: %g", (double)cases[n].observed, (double)cases[n].expected,
				 (double)weight);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hump_is_a_wave_with_its_own_peak),
		cmocka_unit_test(what_is_high_but_usual_after_the_wave_is_not_the_peak),
		cmocka_unit_test(a_noisy_plateau_is_one_wave),
		cmocka_unit_test(a_wave_ends_before_its_first_low_bucket_and_never_after_the_incident),
		cmocka_unit_test(excess_and_severity_follow_the_counts),
		cmocka_unit_test(a_metric_is_as_severe_in_one_unit_as_in_another),
		cmocka_unit_test(an_id_in_use_gets_a_number),
		cmocka_unit_test(more_waves_and_scopes_than_fit_are_counted),
		cmocka_unit_test(the_scope_is_told_with_the_most_reports_first),
		cmocka_unit_test(an_episode_survives_writing_and_every_cut_is_noticed),
		cmocka_unit_test(nothing_but_significance_opens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
