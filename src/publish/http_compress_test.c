/* SPDX-License-Identifier: Apache-2.0 */
/* Compressing while each of its allocations fails in turn: the body stays as it is, nothing leaks and the
 * program goes on. The allocator is glibc's behind ours; sanitizers bring their own, and there the
 * test is skipped. */
#include "publish/http_compress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <brotli/encode.h>
#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define SANITIZED 1
#endif

static char text[8000];

static void write_text(void)
{
	for (size_t at = 0, n = 0; at + 40 < sizeof(text); n++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "line %zu of %zu, ", n * 7919 % 1000, n);
}

static void it_is_what_brotli_makes_by_itself(void **state)
{
	static const int qualities[] = {[HTTP_COMPRESS_FAST] = 1, [HTTP_COMPRESS_PAGE] = 5, [HTTP_COMPRESS_BEST] = 11};
	static uint8_t expected[sizeof(text)];
	(void)state;
	for (enum http_compress level = HTTP_COMPRESS_FAST; level <= HTTP_COMPRESS_BEST; level++) {
		size_t len, expected_len = sizeof(expected);
		char *made = http_compress(HTTP_BROTLI, level, text, sizeof(text), &len);
		assert_non_null(made);
		assert_true(BrotliEncoderCompress(qualities[level], BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT,
						  sizeof(text), (const uint8_t *)text, &expected_len, expected));
		assert_int_equal(len, expected_len);
		assert_memory_equal(made, expected, len);
		free(made);
	}
}

static void what_does_not_shrink_stays_as_it_is(void **state)
{
	char noise[4096];
	uint32_t x = 1;
	size_t len;
	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	for (enum http_compress level = HTTP_COMPRESS_FAST; level <= HTTP_COMPRESS_BEST; level++) {
		assert_null(http_compress(HTTP_BROTLI, level, noise, sizeof(noise), &len));
		assert_null(http_compress(HTTP_GZIP, level, noise, sizeof(noise), &len));
	}
}

#ifndef SANITIZED

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *p);

static long fail_in; /* this many allocations from now, one fails, and all after it; 0 = none */
static long live;    /* blocks allocated and not freed, while counting */
static bool counting;

static bool fails(void)
{
	if (!counting || fail_in == 0)
		return false;
	if (fail_in > 1) {
		fail_in--;
		return false;
	}
	return true;
}

void *malloc(size_t size)
{
	void *p = fails() ? NULL : __libc_malloc(size);
	live += counting && p != NULL;
	return p;
}

void free(void *p)
{
	live -= counting && p != NULL;
	__libc_free(p);
}

static void without_memory_the_body_stays_as_it_is(void **state)
{
	(void)state;
	for (enum http_compress level = HTTP_COMPRESS_FAST; level <= HTTP_COMPRESS_BEST; level++) {
		size_t failed = 0;
		for (long n = 1;; n++) {
			size_t len;
			live = 0;
			fail_in = n;
			counting = true;
			char *made = http_compress(HTTP_BROTLI, level, text, sizeof(text), &len);
			bool gone_well = made != NULL;
			free(made);
			counting = false;
			assert_int_equal(live, 0);
			if (gone_well)
				break;
			failed++;
		}
		assert_true(failed >= 3); /* the room, brotli's state and its tables */
	}
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_brotli_makes_by_itself),
		cmocka_unit_test(what_does_not_shrink_stays_as_it_is),
#ifndef SANITIZED
		cmocka_unit_test(without_memory_the_body_stays_as_it_is),
#endif
	};
	write_text();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
