/* SPDX-License-Identifier: Apache-2.0 */
#include "command/web_ticks.h"

#include "base/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MANY = 1000 };

static void there_is_a_maximum_and_it_comes_back(void **state)
{
	static struct web_tick *out[MANY];
	struct web_ticks *t = NULL;
	(void)state;

	assert_int_equal(web_ticks_open(&t), WD_OK);
	for (int round = 0; round < 2; round++) {
		size_t n = 0, bytes = 0, whole = 0;
		for (uint32_t samples = 0; n < MANY; n++) {
			bool scarce = web_ticks_scarce(t);
			if ((out[n] = web_ticks_take(t, &samples)) == NULL)
				break;
			assert_int_equal(samples, scarce ? WEB_TICKS_SMALL : WEB_SAMPLES);
			web_clear_small(out[n], "shop", wall_s(1), samples);
			memset(out[n]->sample, 0xa5, samples * sizeof(out[n]->sample[0]));
			bytes += web_tick_bytes(samples);
			whole += !scarce;
		}
		assert_true(bytes <= WEB_TICKS_BYTES && bytes > WEB_TICKS_BYTES * 9 / 10);
		assert_true(whole >= 50 && n - whole >= 250 && n < MANY);
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
