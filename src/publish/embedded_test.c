/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/embedded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_file_that_the_build_lacked_is_not_found(void **state)
{
	(void)state;
	assert_null(embedded_find("nothing.js"));
	assert_null(embedded_find(""));
}

static void every_file_is_found_by_its_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < embedded_count; i++) {
		const struct embedded *file = embedded_find(embedded_files[i].name);
		assert_ptr_equal(file, &embedded_files[i]);
		assert_true(file->len > 0);
		assert_non_null(strchr(file->type, '/'));
	}
}

static bool holds(const struct embedded *file, const char *text)
{
	return memmem(file->bytes, file->len, text, strlen(text)) != NULL;
}

static void the_page_script_is_htmx_then_our_settings_then_event_streams(void **state)
{
	(void)state;
	const struct embedded *script = embedded_find("htmx.js");
	if (script == NULL) {
		print_message("skipped: the build had no node_modules (scripts/setup)\n");
		skip();
	}
	assert_true(holds(script, "allowEval = false"));
	assert_true(holds(script, "defineExtension(\"sse\""));
	assert_true(script->len > 40000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_that_the_build_lacked_is_not_found),
		cmocka_unit_test(every_file_is_found_by_its_name),
		cmocka_unit_test(the_page_script_is_htmx_then_our_settings_then_event_streams),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
