/* SPDX-License-Identifier: Apache-2.0 */
#include "command/vectors_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct vector_book book;
static struct vector_classes classes;
static struct problems problems;

#define DOCUMENTS "sources: {d: {document: A paper, date: 2014-02}}\nvectors:\n"

static enum wd_err read_text(const char *text)
{
	problems_init(&problems);
	book.count = 0;
	return vectors_read("v.yaml", text, strlen(text), &book, &problems);
}

static void assert_problem(const char *text, uint32_t line, const char *what)
{
	assert_int_equal(read_text(text), WD_MALFORMED);
	assert_true(problems.count > 0);
	if (problems.items[0].line != line || strstr(problems.items[0].what, what) == NULL)
		fail_msg("%u: %s", problems.items[0].line, problems.items[0].what);
	assert_int_equal(book.count, 0);
	problems_done(&problems);
}

static void the_rows_that_come_with_the_program_are_read(void **state)
{
	(void)state;
	vectors_builtin(&book);
	assert_true(book.count > 100);
	for (uint32_t i = 0; i < book.count; i++) {
		const struct vector_row *row = &book.rows[i];
		assert_true(row->source[0] != '\0' && row->date[0] != '\0');
		assert_int_equal(row->unverified && strncmp(row->source, "general", 7) != 0 &&
				 strcmp(row->id, "amp.tftp") != 0, 0);
		assert_int_equal(!row->unverified && strncmp(row->source, "general", 7) == 0, 0);
		/* An amplifier's port is never also matched as a destination of the same row. */
		assert_true(row->from_count == 0 || row->to_count == 0);
	}
	vector_book_compile(&book, &classes);
	assert_true(classes.count <= VECTOR_CLASSES_MAX);
	struct flow f = {.protocol = 17, .sport = 123, .dport = 443};
	assert_string_equal(classes.id[vector_class(&classes, &f)], "amp.ntp");
	f = (struct flow){.protocol = 17, .sport = 40000, .dport = 443};
	assert_string_equal(classes.id[vector_class(&classes, &f)], "quic.flood");
	f = (struct flow){.protocol = 17, .sport = 40000, .dport = 27015};
	assert_string_equal(classes.id[vector_class(&classes, &f)], "udp.vse");
	assert_int_equal(classes.status[vector_class_find(&classes, "amp.rare")], SOURCE_REFLECTOR);
	assert_int_equal(classes.status[vector_class_find(&classes, "tcp.syn")], SOURCE_UNKNOWN);
	print_message("%u rows, %u classes\n", book.count, classes.count);
}

static void every_key_of_a_row_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_text(DOCUMENTS
		" - {id: a.b, name: A b, family: amplification, protocol: udp, from: [53, 60-62], any_port: true,\n"
		"    payload: \"ff 80\", mask: \"f0 80\", at: 2, length: 28-1500, status: reflector, factor: 2-3.5,\n"
		"    unverified: true, source: d}\n"
		" - {id: c, name: C, family: flood, protocol: icmp, class: icmp.unreachable, type: 3, code: 0,\n"
		"    signs: [few-sources, no-data], status: unknown, source: [d, d]}\n"), WD_OK);
	assert_int_equal(book.count, 2);
	const struct vector_row *a = &book.rows[0];
	assert_string_equal(a->class, "a.b");
	assert_int_equal(a->from_count, 2);
	assert_int_equal(a->from[1].low, 60);
	assert_int_equal(a->from[1].high, 62);
	assert_int_equal(a->payload[0], 0xf0);
	assert_int_equal(a->mask[1], 0x80);
	assert_int_equal(a->payload_len, 2);
	assert_int_equal(a->payload_at, 2);
	assert_int_equal(a->length_max, 1500);
	assert_int_equal(a->status, SOURCE_REFLECTOR);
	assert_float_equal(a->factor_max, 3.5, 0);
	assert_true(a->unverified && a->any_port);
	assert_string_equal(a->source, "A paper");
	assert_string_equal(a->date, "2014-02");
	assert_int_equal(book.rows[1].icmp_type, 3);
	assert_int_equal(book.rows[1].icmp_code, 0);
	assert_int_equal(book.rows[1].signs, SIGN_FEW_SOURCES | SIGN_NO_DATA);
	assert_string_equal(book.rows[1].source, "A paper; A paper");
	problems_done(&problems);
}

static void a_later_file_replaces_a_row_and_adds_others(void **state)
{
	static const char more[] = DOCUMENTS
		" - {id: amp.dns, name: Ours, family: amplification, protocol: udp, from: [53], status: reflector, source: d}\n"
		" - {id: amp.ours, name: Ours, family: amplification, protocol: udp, from: [9], status: reflector, source: d}\n";
	(void)state;
	vectors_builtin(&book);
	uint32_t before = book.count;
	problems_init(&problems);
	assert_int_equal(vectors_read("m", more, sizeof(more) - 1, &book, &problems), WD_OK);
	assert_int_equal(book.count, before + 1);
	assert_string_equal(vector_book_find(&book, "amp.dns")->name, "Ours");
	problems_done(&problems);
}

static void mistakes_are_told_with_their_line(void **state)
{
	(void)state;
	assert_problem("vectors: 5\n", 1, "`vectors` is `5`");
	assert_problem("vektors: []\n", 1, "unknown key `vektors`");
	assert_problem(DOCUMENTS " - {name: A, family: flood, status: unknown, source: d}\n", 3, "without an id");
	assert_problem(DOCUMENTS " - {id: a, family: flood, status: unknown, source: d}\n", 3, "the name of `a`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flud, status: unknown, source: d}\n", 3, "`flud`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, status: unknown}\n", 3, "without a source");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, status: unknown, source: e}\n", 3, "`source` is `e`");
	assert_problem(DOCUMENTS " - id: a\n   name: A\n   family: flood\n   status: unknown\n   source: d\n   port: 5\n",
		       8, "unknown key `port`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, protocol: udp, from: [0], status: unknown, source: d}\n",
		       3, "is `0`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, protocol: udp, from: [9-8], status: unknown, source: d}\n",
		       3, "is `9-8`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, class: b, status: unknown, source: d}\n", 3, "nothing would");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, payload: f, status: unknown, source: d}\n", 3, "`payload`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, text: abcd, at: 21, status: unknown, source: d}\n", 3, "`at`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, factor: 3-2, status: unknown, source: d}\n", 3, "`factor`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, signs: [x], status: unknown, source: d}\n", 3, "`x`");
	assert_problem(DOCUMENTS " - {id: a, name: A, family: flood, status: unknown, source: d}\n"
				 " - {id: a, name: A, family: flood, status: unknown, source: d}\n", 4, "twice");
	assert_problem("sources: {d: {document: A, date: May}}\n", 1, "`d`");
}

static void a_file_without_rows_is_fine(void **state)
{
	(void)state;
	assert_int_equal(read_text(""), WD_OK);
	assert_int_equal(book.count, 0);
	problems_done(&problems);
}

static void every_prefix_of_a_file_is_read_or_refused(void **state)
{
	static const char text[] = DOCUMENTS
		" - {id: a, name: A, family: amplification, protocol: udp, from: [53], payload: \"80\", status: reflector,"
		" source: d}\n";
	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len + 1);
		memcpy(copy, text, len);
		problems_init(&problems);
		book.count = 0;
		enum wd_err err = vectors_read("p", copy, len, &book, &problems);
		assert_true((err == WD_OK) == (problems.errors == 0));
		problems_done(&problems);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rows_that_come_with_the_program_are_read),
		cmocka_unit_test(every_key_of_a_row_is_read),
		cmocka_unit_test(a_later_file_replaces_a_row_and_adds_others),
		cmocka_unit_test(mistakes_are_told_with_their_line),
		cmocka_unit_test(a_file_without_rows_is_fine),
		cmocka_unit_test(every_prefix_of_a_file_is_read_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
