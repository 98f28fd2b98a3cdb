/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/budget.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void weights_sum_to_one(void **state)
{
	(void)state;
	for (size_t n = 1; n < 200; n++) {
		double sum = 0;

		for (size_t i = 0; i < n; i++)
			sum += pow(10, budget_log10_weight(i, n));
		assert_true(fabs(sum - 1) < 1e-4);
	}
}

static void one_false_incident_a_month_is_one_in_43200_minutes(void **state)
{
	(void)state;
	assert_true(fabs(budget_threshold(span_s(60), 1, 1, 1) - log10(43200)) < 1e-9);
	assert_true(fabs(budget_threshold(span_s(60), 5000, 5, 1) - log10(43.2e6)) < 1e-9);
	assert_true(fabs(budget_threshold(span_s(900), 1, 1, 1) - log10(2880)) < 1e-9);
	assert_true(budget_threshold(span_s(60), 1, NAN, 1) >= 1);
	assert_true(budget_threshold(span_s(0), 0, 0, 0) >= 1);
}

static void the_total_carries_unless_a_part_is_far_stronger(void **state)
{
	(void)state;
	float a[50] = {5, [7] = 6};
	size_t carrier = 99;

	assert_true(budget_service(a, 50, &carrier) > 4.8F);
	assert_int_equal(carrier, 0);
	a[7] = 9;
	assert_true(budget_service(a, 50, &carrier) < 7);
	assert_int_equal(carrier, 7);
	assert_true(budget_service(a, 0, NULL) == 0);
}

static void more_services_at_once_need_less_each(void **state)
{
	(void)state;
	double one = budget_threshold(span_s(60), 100, 1, 1);
	float headroom[100];

	for (int i = 0; i < 100; i++)
		headroom[i] = -(float)one; /* no evidence */
	assert_int_equal(budget_open(headroom, 0), 0);
	headroom[3] = -0.5F;
	assert_int_equal(budget_open(headroom, 100), 0);
	for (int i = 10; i < 14; i++) /* five of them: each may be log10(5) = 0.7 lower */
		headroom[i] = -0.6F;
	assert_int_equal(budget_open(headroom, 100), 5);
	assert_true(fabs(budget_threshold(span_s(60), 100, 1, 5) - (one - log10(5))) < 1e-6);
	headroom[13] = -0.75F;
	assert_int_equal(budget_open(headroom, 100), 4); /* four: log10(4) = 0.602 */
	headroom[50] = 0;
	assert_int_equal(budget_open(headroom, 100), 6); /* log10(6) = 0.778 */
}

static void the_scope_names_only_what_is_significant_itself(void **state)
{
	(void)state;
	float a[20] = {9, 8, 0.5F, 2, 7};
	bool named[20];

	assert_int_equal(budget_scope(a, 20, 10, named), 3);
	assert_true(named[0] && named[1] && named[4]);
	assert_false(named[2] || named[3]);
	assert_int_equal(budget_scope(a, 0, 10, named), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights_sum_to_one),
		cmocka_unit_test(one_false_incident_a_month_is_one_in_43200_minutes),
		cmocka_unit_test(the_total_carries_unless_a_part_is_far_stronger),
		cmocka_unit_test(more_services_at_once_need_less_each),
		cmocka_unit_test(the_scope_names_only_what_is_significant_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
