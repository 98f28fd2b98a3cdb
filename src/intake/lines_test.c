/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/lines.h"

#include "base/check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <zlib.h>

static char path[] = "/tmp/whydown-lines-XXXXXX";

static int make_file(void **state)
{
	(void)state;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int drop_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_plain(const char *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static struct lines *open_ok(void)
{
	struct lines *l = NULL;
	assert_int_equal(lines_open(path, &l, NULL), WD_OK);
	return l;
}

static void expect_line(struct lines *l, const char *text)
{
	char *line;
	size_t len;
	assert_int_equal(lines_next(l, &line, &len, NULL), WD_OK);
	assert_non_null(line);
	assert_int_equal(len, strlen(text));
	assert_memory_equal(line, text, len);
}

static void expect_end(struct lines *l)
{
	char *line;
	size_t len;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lines_next(l, &line, &len, NULL), WD_OK);
		assert_null(line);
	}
}

static void lines_end_with_lf_or_crlf_or_the_file(void **state)
{
	(void)state;
	write_plain("\xef\xbb\xbf" "one\r\n\ntwo\nthree", 18);
	struct lines *l = open_ok();
	int first;
	assert_int_equal(lines_peek(l, &first, NULL), WD_OK);
	assert_int_equal(first, 'o');
	expect_line(l, "one");
	assert_int_equal(lines_number(l), 1);
	expect_line(l, "");
	expect_line(l, "two");
	expect_line(l, "three");
	assert_int_equal(lines_number(l), 4);
	expect_end(l);
	assert_true(lines_progress(l) == 1);
	lines_close(l);
}

static void an_empty_file_has_no_line(void **state)
{
	(void)state;
	int first = 0;
	write_plain("", 0);
	struct lines *l = open_ok();
	assert_int_equal(lines_peek(l, &first, NULL), WD_OK);
	assert_int_equal(first, -1);
	expect_end(l);
	lines_close(l);
}

/* Line n is n letters long, over several fillings of the buffer, plain and compressed. */
static void many_lines_come_whole(void **state)
{
	(void)state;
	enum { COUNT = 3000 };
	static char text[COUNT + 2];
	for (int compressed = 0; compressed < 2; compressed++) {
		gzFile f = gzopen(path, compressed ? "wb" : "wbT");
		assert_non_null(f);
		for (int n = 0; n < COUNT; n++) {
			memset(text, 'a' + n % 26, (size_t)n);
			text[n] = '\n';
			assert_int_equal(gzwrite(f, text, (unsigned)n + 1), n + 1);
		}
		assert_int_equal(gzclose(f), Z_OK);
		struct lines *l = open_ok();
		for (int n = 0; n < COUNT; n++) {
			memset(text, 'a' + n % 26, (size_t)n);
			text[n] = '\0';
			expect_line(l, text);
		}
		expect_end(l);
		lines_close(l);
	}
}

static void a_line_that_is_too_long_is_told_and_passed_over(void **state)
{
	(void)state;
	static const size_t lengths[] = {LINES_LEN_MAX, LINES_LEN_MAX + 1, 1 << 20, 5 << 20};
	for (size_t i = 0; i < WD_COUNT(lengths); i++) {
		char *text = malloc(lengths[i] + 16), *line;
		size_t len;
		struct wd_why why;
		assert_non_null(text);
		memset(text, 'x', lengths[i] + 3);
		text[1] = text[lengths[i] + 2] = '\n';
		memcpy(text + lengths[i] + 3, "last\n", 5);
		write_plain(text, lengths[i] + 8);
		struct lines *l = open_ok();
		expect_line(l, "x");
		enum wd_err err = lines_next(l, &line, &len, &why);
		assert_int_equal(err, lengths[i] > LINES_LEN_MAX ? WD_MALFORMED : WD_OK);
		assert_int_equal(lines_number(l), 2);
		expect_line(l, "last");
		assert_int_equal(lines_number(l), 3);
		expect_end(l);
		lines_close(l);
		free(text);
	}
}

static void a_gzip_file_that_ends_early_or_is_damaged_is_told(void **state)
{
	(void)state;
	static char bytes[1 << 20];
	unsigned long seed = 1;
	gzFile f = gzopen(path, "wb");
	assert_non_null(f);
	for (int i = 0; i < 100000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		assert_true(gzprintf(f, "%lu\n", seed >> 33) > 0);
	}
	assert_int_equal(gzclose(f), Z_OK);
	FILE *in = fopen(path, "rb");
	assert_non_null(in);
	size_t size = fread(bytes, 1, sizeof(bytes), in);
	fclose(in);
	for (int damaged = 0; damaged < 2; damaged++) {
		if (damaged)
			memset(bytes + size / 2, 0xff, 64);
		write_plain(bytes, damaged ? size : size / 2);
		struct lines *l = open_ok();
		char *line = bytes;
		size_t len;
		enum wd_err err = WD_OK;
		struct wd_why why;
		while (err == WD_OK && line != NULL)
			err = lines_next(l, &line, &len, &why);
		assert_int_equal(err, damaged ? WD_MALFORMED : WD_SHORT);
		lines_close(l);
	}
}

static void a_file_that_is_not_there_says_so(void **state)
{
	(void)state;
	struct lines *l = NULL;
	struct wd_why why;
	assert_int_equal(lines_open("/nonexistent/x", &l, &why), WD_OS);
	assert_int_equal(why.os_errno, ENOENT);
	assert_int_equal(lines_open("/", &l, &why), WD_OS);
	assert_int_equal(why.os_errno, EISDIR);
	assert_null(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_lf_or_crlf_or_the_file),
		cmocka_unit_test(an_empty_file_has_no_line),
		cmocka_unit_test(many_lines_come_whole),
		cmocka_unit_test(a_line_that_is_too_long_is_told_and_passed_over),
		cmocka_unit_test(a_gzip_file_that_ends_early_or_is_damaged_is_told),
		cmocka_unit_test(a_file_that_is_not_there_says_so),
	};
	return cmocka_run_group_tests(tests, make_file, drop_file);
}
