/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { PACKED_MAX = 1 << 17 };

static char packed[PACKED_MAX];

/* One member, behind what is in `packed` already; its end there. */
static size_t pack(size_t at, const void *bytes, size_t len)
{
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)bytes, .avail_in = (uInt)len,
		      .next_out = (Bytef *)packed + at, .avail_out = (uInt)(PACKED_MAX - at)};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return PACKED_MAX - z.avail_out;
}

static enum wd_err unpack(size_t len, size_t max, const char *wanted, size_t wanted_len)
{
	char *exact = malloc(len > 0 ? len : 1), *bytes = NULL; /* so that a read past it is seen */
	size_t got = 0;
	memcpy(exact, packed, len);
	enum wd_err err = inflate_body(exact, len, max, &bytes, &got, NULL);
	free(exact);
	if (err == WD_OK) {
		assert_int_equal(got, wanted_len);
		assert_memory_equal(bytes, wanted, wanted_len);
		assert_int_equal(bytes[got], '\0');
	} else {
		assert_null(bytes);
		assert_int_equal(got, 0);
	}
	free(bytes);
	return err;
}

static void what_was_packed_comes_out_up_to_its_limit(void **state)
{
	static char text[100000];
	uint32_t word = 1;
	(void)state;
	for (size_t i = 0; i < sizeof(text); i++) {
		word = word * 1664525 + 1013904223;
		text[i] = (char)("0123456789abcdef"[word >> 28]);
	}
	size_t end = pack(0, text, sizeof(text));
	assert_int_equal(unpack(end, sizeof(text), text, sizeof(text)), WD_OK);
	assert_int_equal(unpack(end, sizeof(text) + 1, text, sizeof(text)), WD_OK);
	assert_int_equal(unpack(end, sizeof(text) - 1, NULL, 0), WD_FULL);
	/* Sizes at which the memory grows. */
	for (size_t len = (1 << 14) - 2; len <= (1 << 14) + 2; len++) {
		end = pack(0, text, len);
		assert_int_equal(unpack(end, len, text, len), WD_OK);
		assert_int_equal(unpack(end, 1 << 20, text, len), WD_OK);
		assert_int_equal(unpack(end, len - 1, NULL, 0), WD_FULL);
	}
	end = pack(0, "", 0);
	assert_int_equal(unpack(end, 0, "", 0), WD_OK);
}

static void members_follow_each_other_and_nothing_else_does(void **state)
{
	(void)state;
	size_t end = pack(pack(pack(0, "one\n", 4), "", 0), "two\n", 4);
	assert_int_equal(unpack(end, 8, "one\ntwo\n", 8), WD_OK);
	assert_int_equal(unpack(end, 7, NULL, 0), WD_FULL);
	assert_int_equal(unpack(end, 4, NULL, 0), WD_FULL);
	packed[end] = 'x';
	assert_int_equal(unpack(end + 1, 8, NULL, 0), WD_SHORT); /* or a header's begin */
	memset(packed + end, 'x', 20);
	assert_int_equal(unpack(end + 20, 8, NULL, 0), WD_MALFORMED);
}

static void what_would_be_huge_costs_little(void **state)
{
	static char zeros[1 << 20];
	size_t end = 0;
	(void)state;
	while (end + 2000 < PACKED_MAX)
		end = pack(end, zeros, sizeof(zeros)); /* about a kilobyte each */
	assert_int_equal(unpack(end, 1 << 16, NULL, 0), WD_FULL);
	/* Members without content cost what they weigh. */
	for (end = 0; end + 100 < PACKED_MAX;)
		end = pack(end, "", 0);
	assert_int_equal(unpack(end, 10, "", 0), WD_OK);
}

static void every_prefix_is_short_and_no_changed_bit_changes_what_comes_out(void **state)
{
	static const char line[] = "{\"kind\":\"count\",\"service\":\"x\",\"count\":412}\n";
	(void)state;
	size_t end = pack(0, line, sizeof(line) - 1);
	for (size_t len = 0; len < end; len++)
		assert_int_equal(unpack(len, 1000, NULL, 0), WD_SHORT);
	/* It is refused, but for bits that say nothing: the time, what fills up the last byte. */
	size_t taken = 0;
	for (size_t bit = 0; bit < 8 * end; bit++) {
		packed[bit / 8] = (char)(packed[bit / 8] ^ 1 << bit % 8);
		taken += unpack(end, 1000, line, sizeof(line) - 1) == WD_OK;
		packed[bit / 8] = (char)(packed[bit / 8] ^ 1 << bit % 8);
	}
	assert_in_range(taken, 32 + 16, 32 + 16 + 8 + 7);
	memcpy(packed, line, sizeof(line) - 1);
	assert_int_equal(unpack(sizeof(line) - 1, 1000, NULL, 0), WD_MALFORMED); /* not packed */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_packed_comes_out_up_to_its_limit),
		cmocka_unit_test(members_follow_each_other_and_nothing_else_does),
		cmocka_unit_test(what_would_be_huge_costs_little),
		cmocka_unit_test(every_prefix_is_short_and_no_changed_bit_changes_what_comes_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
