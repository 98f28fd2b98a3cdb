/* SPDX-License-Identifier: Apache-2.0 */
#include "config/doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct doc *read_well(const char *text)
{
	struct problems p;
	struct doc *doc = NULL;
	problems_init(&p);
	if (doc_read("t.yaml", text, strlen(text), &doc, &p) != WD_OK)
		fail_msg("%s", p.count > 0 ? p.items[0].what : "no problem told");
	problems_done(&p);
	return doc;
}

static void nodes_know_their_lines(void **state)
{
	(void)state;
	struct doc *doc = read_well("# first\na: 1\n\nb:\n  - x\n  - \"2\"\nc: {d: e}\n");
	const struct doc_node *root = doc_root(doc), *b = doc_member(root, "b");
	assert_int_equal(root->kind, DOC_MAP);
	assert_int_equal(root->count, 3);
	assert_int_equal(doc_member(root, "a")->at.line, 2);
	assert_string_equal(doc_member(root, "a")->at.file, "t.yaml");
	assert_int_equal(b->at.line, 4);
	assert_int_equal(b->count, 2);
	assert_int_equal(b->first->next->at.line, 6);
	assert_string_equal(b->first->next->text, "2");
	assert_false(b->first->next->plain);
	assert_true(b->first->plain);
	assert_string_equal(doc_member(doc_member(root, "c"), "d")->text, "e");
	assert_null(doc_member(root, "d"));
	doc_free(doc);
}

static void an_empty_file_is_an_empty_mapping(void **state)
{
	static const char *const texts[] = {"", "# nothing\n", "---\n", "~\n", "\n\n"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct doc *doc = read_well(texts[i]);
		assert_int_equal(doc_root(doc)->kind, DOC_MAP);
		assert_int_equal(doc_root(doc)->count, 0);
		doc_free(doc);
	}
}

static void a_key_twice_is_told_and_the_first_stays(void **state)
{
	static const char text[] = "a: 1\nb: 2\na: {c: 3}\nd: 4\n";
	struct problems p;
	struct doc *doc;
	(void)state;
	problems_init(&p);
	assert_int_equal(doc_read("t", text, strlen(text), &doc, &p), WD_OK);
	assert_int_equal(p.errors, 1);
	assert_int_equal(p.items[0].line, 3);
	assert_string_equal(p.items[0].what, "`a` stands here and in line 1");
	assert_int_equal(doc_root(doc)->count, 3);
	assert_string_equal(doc_member(doc_root(doc), "a")->text, "1");
	assert_string_equal(doc_member(doc_root(doc), "d")->text, "4");
	doc_free(doc);
	problems_done(&p);
}

static void refused(const char *text, size_t len, unsigned line, const char *part)
{
	struct problems p;
	struct doc *doc = (struct doc *)&p;
	problems_init(&p);
	assert_int_equal(doc_read("t", text, len, &doc, &p), WD_MALFORMED);
	assert_ptr_equal(doc, &p);
	assert_int_equal(p.errors, 1);
	if (p.items[0].line != line || strstr(p.items[0].what, part) == NULL)
		fail_msg("line %u: %s", p.items[0].line, p.items[0].what);
	assert_true(p.items[0].right[0] != '\0');
	problems_done(&p);
}

static void what_a_configuration_has_no_use_for_is_refused(void **state)
{
	static const struct { const char *text; unsigned line; const char *part; } cases[] = {
		{"a: &x 1\n", 1, "anchors"},
		{"a: &x [1]\n", 1, "anchors"},
		{"a: 1\nb: *x\n", 2, "aliases"},
		{"a: !!str 1\n", 1, "tags"},
		{"a: !x {b: 1}\n", 1, "tags"},
		{"[a, b]: 1\n", 1, "key that is not a word"},
		{"a: 1\n---\nb: 2\n", 2, "second YAML document"},
		{"a: \"\\0\"\n", 1, "not allowed"},
		{"a: \"\\uFFFF\"\n", 1, "not allowed"},
		{"a:\n\tb: 1\n", 2, "not YAML"},
		{"a: [1, 2\n", 2, "not YAML"},
		{"a: 1\n b: 2\n", 2, "not YAML"},
		{"a: \"x\n", 2, "not YAML"},
		{"a: \xff\n", 1, "not readable as text"},
		{"\xff\xfe" "a", 0, "the file is UTF-16"},
		{"\xfe\xff", 0, "the file is UTF-16"},
		{"\xff", 1, "not readable as text"},
		{"a: 1\nb: 2\nc: \x01\n", 3, "control characters are not allowed at byte 13"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		refused(cases[i].text, strlen(cases[i].text), cases[i].line, cases[i].part);
}

static void depth_has_a_limit(void **state)
{
	char text[100000];
	(void)state;
	memset(text, '[', sizeof(text));
	refused(text, sizeof(text), 1, "too deep");
	/* Block style, one level a line. */
	size_t len = 0;
	for (size_t i = 0; i < 40; i++) {
		memset(text + len, ' ', i);
		memcpy(text + len + i, "a:\n", 3);
		len += i + 3;
	}
	refused(text, len, DOC_DEPTH_MAX + 1, "too deep");
}

static void a_mapping_has_a_limit_of_keys(void **state)
{
	char text[16 * (DOC_MAP_MAX + 1)];
	size_t len = 0;
	(void)state;
	for (int i = 0; i <= DOC_MAP_MAX; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "k%d: 1\n", i);
	refused(text, len, DOC_MAP_MAX + 1, "too many keys");
}

static void aliases_cannot_make_a_small_file_large(void **state)
{
	static const char text[] = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n";
	(void)state;
	refused(text, strlen(text), 1, "anchors");
}

static void a_node_is_described_in_few_words(void **state)
{
	struct buf b;
	(void)state;
	struct doc *doc = read_well("a: [1]\nb: {c: 1}\nc:\nd: word\ne: \"5\"\n"
				    "f: 0123456789012345678901234567890123456789012345678901234567890123\n");
	buf_init(&b, 1000);
	for (const struct doc_node *n = doc_root(doc)->first; n != NULL; n = n->next) {
		doc_describe(&b, n);
		buf_char(&b, ' ');
	}
	assert_string_equal(b.data, "a list a mapping nothing `word` `\"5\"` "
				    "`012345678901234567890123456789012345678901234567890123456789…` ");
	buf_done(&b);
	doc_free(doc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nodes_know_their_lines),
		cmocka_unit_test(an_empty_file_is_an_empty_mapping),
		cmocka_unit_test(a_key_twice_is_told_and_the_first_stays),
		cmocka_unit_test(what_a_configuration_has_no_use_for_is_refused),
		cmocka_unit_test(depth_has_a_limit),
		cmocka_unit_test(a_mapping_has_a_limit_of_keys),
		cmocka_unit_test(aliases_cannot_make_a_small_file_large),
		cmocka_unit_test(a_node_is_described_in_few_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
