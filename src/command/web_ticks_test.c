/* SPDX-License-Identifier: Apache-2.0 */
#include "command/web_ticks.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 2 * WEB_TICKS_SHARED };

static void there_is_a_maximum_and_it_comes_back(void **state)
{
	struct web_tick *out[MANY];
	struct web_ticks *t = NULL;
	size_t n = 0;
	(void)state;

	assert_int_equal(web_ticks_open(&t), WD_OK);
	for (int round = 0; round < 2; round++) {
		for (n = 0; n < MANY && (out[n] = web_ticks_take(t)) != NULL; n++) {
			assert_int_equal(web_ticks_scarce(t), n >= WEB_TICKS_SHARED / 2);
			for (size_t i = 0; i < n; i++)
				assert_ptr_not_equal(out[i], out[n]);
		}
		assert_int_equal(n, WEB_TICKS_SHARED);
		while (n > 0)
			web_ticks_give(t, out[--n]);
		assert_false(web_ticks_scarce(t));
	}
	web_ticks_close(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_a_maximum_and_it_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
