/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/logtail.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64], path[96], other[96];
	char got[8192]; /* lines with '|' behind each */
	size_t longest;
	struct logtail *tail;
	wd_mono now;
};

static void take(void *context, const char *text, size_t len)
{
	struct fixture *f = context;
	size_t have = strlen(f->got);

	f->longest = len > f->longest ? len : f->longest;
	if (have + len + 2 < sizeof(f->got))
		snprintf(f->got + have, sizeof(f->got) - have, "%.*s|", (int)len, text);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/logtail_test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/access.log", f->dir);
	snprintf(f->other, sizeof(f->other), "%s/access.log.1", f->dir);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	logtail_close(f->tail);
	unlink(f->path);
	unlink(f->other);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void write_to(const char *path, int flags, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void add(struct fixture *f, const char *text) { write_to(f->path, O_APPEND, text); }

static void start(struct fixture *f, enum logtail_from from)
{
	assert_int_equal(logtail_open(f->path, from, &f->tail, NULL), WD_OK);
}

/* What has come since the last time, after so much time. */
static void expect(struct fixture *f, int64_t ms, const char *lines)
{
	f->now = mono_add(f->now, span_ms(ms));
	f->got[0] = '\0';
	while (logtail_poll(f->tail, f->now, take, f))
		;
	assert_string_equal(f->got, lines);
}

static void lines_come_when_they_are_whole(void **state)
{
	struct fixture *f = *state;
	start(f, LOGTAIL_BEGIN);
	expect(f, 0, "");
	assert_false(logtail_is_there(f->tail));
	add(f, "one\ntw");
	expect(f, 10, "one|");
	add(f, "o\r\n\nthree\n");
	expect(f, 10, "two||three|");
	expect(f, 10, "");
	assert_int_equal(logtail_counters(f->tail).lines, 4);
}

static void the_end_is_where_it_was(void **state)
{
	struct fixture *f = *state;
	add(f, "old\nbegun");
	start(f, LOGTAIL_END);
	expect(f, 0, "");
	add(f, " before\nnew\n");
	expect(f, 10, "new|");
}

static void a_renamed_file_is_read_out(void **state)
{
	struct fixture *f = *state;
	add(f, "one\n");
	start(f, LOGTAIL_BEGIN);
	expect(f, 0, "one|");
	assert_int_equal(rename(f->path, f->other), 0);
	write_to(f->other, O_APPEND, "two\n");
	expect(f, 100, "two|");
	add(f, "four\n"); /* the new one */
	expect(f, 100, "");
	write_to(f->other, O_APPEND, "three\nlast"); /* the writer has not changed over yet */
	expect(f, 900, "three|");
	expect(f, 500, "");
	expect(f, 600, "last|");
	expect(f, 0, "four|");
	add(f, "five\n");
	expect(f, 0, "five|");
	assert_int_equal(logtail_counters(f->tail).rotations, 1);
}

static void a_truncated_file_begins_anew(void **state)
{
	struct fixture *f = *state;
	add(f, "one\ntwo\n");
	start(f, LOGTAIL_BEGIN);
	expect(f, 0, "one|two|");
	write_to(f->path, O_TRUNC, "x\n");
	expect(f, 0, "x|");
	/* Truncated, and longer again than it was before we looked. */
	write_to(f->path, O_TRUNC, "a line that is longer\nand another\n");
	expect(f, 0, "a line that is longer|and another|");
	assert_int_equal(logtail_counters(f->tail).truncated, 2);
}

static void long_lines_are_cut(void **state)
{
	struct fixture *f = *state;
	char *line = malloc(1 << 20);
	assert_non_null(line);
	memset(line, 'x', 1 << 20);
	line[(1 << 20) - 1] = '\0';
	start(f, LOGTAIL_BEGIN);
	add(f, line);
	add(f, "\nshort\n");
	f->got[0] = '\0';
	while (logtail_poll(f->tail, f->now, take, f))
		;
	assert_string_equal(f->got, "short|");
	assert_int_equal(f->longest, LOGTAIL_LINE_MAX);
	assert_int_equal(logtail_counters(f->tail).cut, 1);
	assert_int_equal(logtail_counters(f->tail).lines, 2);
	line[LOGTAIL_LINE_MAX] = '\0';
	add(f, line); /* just as long as a line may be, and comes in two */
	logtail_poll(f->tail, f->now, take, f);
	add(f, "\n");
	logtail_poll(f->tail, f->now, take, f);
	assert_int_equal(logtail_counters(f->tail).cut, 1);
	assert_int_equal(logtail_counters(f->tail).lines, 3);
	free(line);
}

/* … and "from now on" is when it was opened, not when it is looked at. */
static void a_file_that_is_made_later_is_new(void **state)
{
	struct fixture *f = *state;
	start(f, LOGTAIL_END);
	add(f, "one\n");
	expect(f, 0, "one|");
	logtail_close(f->tail);
	start(f, LOGTAIL_END);
	add(f, "two\n");
	expect(f, 0, "two|");
}

static void what_is_no_file_is_not_read(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(logtail_open(f->dir, LOGTAIL_BEGIN, &f->tail, NULL), WD_OK);
	expect(f, 0, "");
	assert_false(logtail_is_there(f->tail));
	assert_int_equal(logtail_counters(f->tail).errors, 2); /* as it was opened, and now */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_come_when_they_are_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_end_is_where_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_renamed_file_is_read_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_truncated_file_begins_anew, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_lines_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_is_made_later_is_new, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_not_read, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
