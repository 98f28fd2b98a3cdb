/* SPDX-License-Identifier: Apache-2.0 */
#include "command/top_view.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/text.h"
#include "command/top_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct top_view view;
static struct top_data data;
static struct top_page page;

static int begin(void **state)
{
	struct wd_why why;
	(void)state;
	memset(&view, 0, sizeof(view));
	memset(&data, 0, sizeof(data));
	snprintf(data.server, sizeof(data.server), "http://127.0.0.1:8080");
	assert_true(top_page_open(&page, TOP_ROWS_MAX));
	assert_int_equal(top_read_services(TOP_TESTING_SERVICES, strlen(TOP_TESTING_SERVICES),
					   (wd_wall){0}, &data.services, &why), WD_OK);
	assert_int_equal(top_read_open(TOP_TESTING_NOW, strlen(TOP_TESTING_NOW), &data.open, &why),
			 WD_OK);
	return 0;
}

static int end(void **state)
{
	(void)state;
	top_services_done(&data.services);
	top_page_close(&page);
	return 0;
}

static void draw(unsigned columns, unsigned rows)
{
	page.columns = columns;
	page.rows = rows;
	page.utf8 = true;
	top_view_draw(&view, &data, &page);
	assert_true(page.count <= rows);
	for (unsigned y = 0; y < page.count; y++) {
		const struct top_line *l = &page.lines[y];
		assert_true(l->columns <= columns);
		assert_true(text_is_utf8(l->text, l->len));
		for (unsigned i = 0; i < l->len; i++)
			assert_true((unsigned char)l->text[i] >= 0x20 && l->text[i] != 0x7f);
	}
}

/* The first line with this in it; NULL = none. */
static const char *line_with(const char *text)
{
	for (unsigned y = 0; y < page.count; y++) {
		if (strstr(page.lines[y].text, text) != NULL)
			return page.lines[y].text;
	}
	return NULL;
}

static void keys(const char *typed)
{
	for (; *typed != '\0'; typed++)
		top_view_key(&view, &data, *typed);
}

static void the_table_tells_rates_and_what_floods(void **state)
{
	(void)state;
	draw(120, 24);
	assert_non_null(strstr(page.lines[0].text, "16:21:21 UTC  1 incident, 1 unusual of 3"));
	const char *shop = line_with("Shop");
	assert_non_null(shop);
	/* ratio, packets, usual, bits, flows, sources, requests, reports */
	assert_non_null(strstr(shop, "incident      53    93k   1.8k   912M    36k    3.1k      -"
				     "       8 amp.dns 62 %"));
	assert_non_null(strstr(line_with("Bank"), "usual        1.2      -      -"));
	draw(120, 24);
	const char *flood = line_with("amp.dns 62 %, syn.spoof 30 %");
	assert_non_null(flood);
	assert_non_null(strstr(flood, "open       16:21:12    93k pkt/s  reflectors  amp.dns 62 %"));
}

static void sort_by(const char *name)
{
	for (int i = 0; strcmp(top_sort_name(view.sort), name) != 0; i++) {
		assert_true(i < 20);
		keys("s");
	}
	draw(120, 24);
}

static void what_is_worst_stands_first(void **state)
{
	(void)state;
	/* Whether or not its usual traffic is known. */
	data.services.rows[0].ratio = -1;
	draw(120, 24);
	assert_memory_equal(page.lines[3].text, "Shop ", 5);
	assert_memory_equal(page.lines[4].text, "x ", 2);    /* unusual */
	assert_memory_equal(page.lines[5].text, "Bank ", 5);
	sort_by("ratio");
	assert_memory_equal(page.lines[3].text, "x ", 2);    /* 3 times */
	assert_memory_equal(page.lines[4].text, "Bank ", 5); /* 1.2 times */
	assert_memory_equal(page.lines[5].text, "Shop ", 5);
	sort_by("requests");
	assert_memory_equal(page.lines[3].text, "Bank ", 5);
	sort_by("name");
	assert_memory_equal(page.lines[3].text, "Bank ", 5);
	assert_memory_equal(page.lines[5].text, "x ", 2);
	keys("s"); /* round */
	assert_string_equal(top_sort_name(view.sort), "status");
	keys("S");
	assert_string_equal(top_sort_name(view.sort), "name");
}

static void a_filter_leaves_what_has_it(void **state)
{
	(void)state;
	keys("/BAN");
	draw(100, 24);
	assert_non_null(line_with("/BAN_"));
	assert_non_null(line_with("Bank"));
	assert_int_equal(view.order_count, 1);
	keys("q"); /* typed, not obeyed */
	assert_false(view.quit);
	draw(100, 24);
	assert_non_null(line_with("No service fits"));
	top_view_key(&view, &data, TOP_KEY_BACKSPACE);
	top_view_key(&view, &data, TOP_KEY_ENTER);
	draw(100, 24);
	assert_non_null(line_with("filter: BAN"));
	top_view_key(&view, &data, TOP_KEY_ESCAPE);
	draw(100, 24);
	assert_int_equal(view.order_count, 3);
	keys("/");
	for (int i = 0; i < 500; i++)
		keys("y");
	assert_int_equal(strlen(view.filter), TOP_FILTER_MAX);
}

static void enter_shows_the_marked_service(void **state)
{
	struct wd_why why;
	(void)state;
	draw(100, 40);
	top_view_key(&view, &data, TOP_KEY_DOWN);
	top_view_key(&view, &data, TOP_KEY_UP);
	top_view_key(&view, &data, TOP_KEY_ENTER);
	assert_string_equal(view.service, "shop");
	draw(100, 40);
	assert_non_null(line_with("Shop: incident"));
	assert_non_null(line_with("Asking for more."));
	view.paused = true;
	draw(100, 40);
	assert_non_null(line_with("Paused: no more was asked for."));
	snprintf(data.detail.service, sizeof(data.detail.service), "shop");
	assert_int_equal(top_read_traffic(TOP_TESTING_TRAFFIC, strlen(TOP_TESTING_TRAFFIC),
					  &data.detail, &why), WD_OK);
	draw(100, 40);
	assert_non_null(line_with("packets/s       93k   usual 1.8k, 53 x"));
	assert_non_null(line_with("reports/min       8   usual 2, 4 x"));
	assert_non_null(line_with("highest 4.0G"));
	assert_non_null(line_with("Incident shop-20261121-1621: open, began 16:21:12 UTC"));
	assert_non_null(line_with("Nothing is known of its traffic."));
	top_view_key(&view, &data, TOP_KEY_ESCAPE);
	assert_string_equal(view.service, "");
}

static struct trace *known_trace(void)
{
	struct trace *t = &data.detail.trace;
	snprintf(data.detail.service, sizeof(data.detail.service), "shop");
	snprintf(view.service, sizeof(view.service), "shop");
	data.detail.has_trace = true;
	snprintf(t->incident, sizeof(t->incident), "shop-20261121-1621");
	t->vector_count = 1;
	t->vectors[0] = (struct trace_vector){
		.id = "amp.dns", .name = "DNS amplification", .why = "because", .status = SOURCE_SPOOFED,
		.share = 0.62f, .peak_packets_per_s = 93000, .peak_bits_per_s = 1e9, .sources = 3000,
		.seen = 1000, .new_share = -1, .rule = "udp from 53",
	};
	t->source_count = 1;
	t->sources_top[0] = (struct trace_place){.name = "192.0.2.7", .share = 0.002f};
	t->country_count = 1;
	t->countries[0] = (struct trace_place){.name = "DE", .share = 0.5f};
	return t;
}

static void what_sources_prove_is_told_before_any_place(void **state)
{
	struct trace *t = known_trace();
	(void)state;
	snprintf(t->not_mappable, sizeof(t->not_mappable), "they are forged");
	draw(100, 60);
	assert_non_null(line_with(" 1  DNS amplification  62 % of packets"));
	assert_non_null(line_with("sources forged: the addresses prove nothing"));
	assert_non_null(line_with("peak 93k packets/s, 1.0G bits/s; sources: 3.0k"));
	assert_non_null(line_with("Where from is not known: they are forged."));
	assert_non_null(line_with("addresses: 192.0.2.7 0.2 %"));
	assert_null(line_with("countries")); /* of forged addresses: nothing */
	t->mappable = true;
	t->vectors[0].seen = 29;
	draw(100, 60);
	assert_non_null(line_with("Where the proved sources are"));
	assert_non_null(line_with("countries: DE 50 %"));
	assert_non_null(line_with("seen, not measured:"));
	/* Another incident's trace is not this one's. */
	snprintf(t->incident, sizeof(t->incident), "shop-20250101-0000");
	draw(100, 60);
	assert_null(line_with("DNS amplification"));
}

/* All a server can put into names, at all sizes: draw() checks each line. */
static void hostile_names_and_any_size_make_lines_that_fit(void **state)
{
	static const char evil[] = "\x1b]0;x\a\r\n\t\xe2\x80\xae\x9b" "東京";
	struct trace *t = known_trace();
	(void)state;
	for (size_t i = 0; i < data.services.count; i++) {
		(void)text_copy(data.services.rows[i].name, sizeof(data.services.rows[i].name), evil);
		(void)text_copy(data.services.rows[i].part, sizeof(data.services.rows[i].part), evil);
		data.services.rows[i].sources = 1e17;
	}
	(void)text_copy(data.trouble, sizeof(data.trouble), evil);
	(void)text_copy(data.server, sizeof(data.server), evil);
	(void)text_copy(data.open.rows[0].service, sizeof(data.open.rows[0].service), "shop");
	(void)text_copy(data.open.rows[0].traffic.vectors[0].id, VECTOR_ID_MAX + 1, evil);
	(void)text_copy(t->vectors[0].name, sizeof(t->vectors[0].name), evil);
	(void)text_copy(t->vectors[0].why, sizeof(t->vectors[0].why), evil);
	memset(t->vectors[0].rule, 'x', TRACE_TEXT_MAX);
	t->vectors[0].peak_packets_per_s = 1e30;
	t->source_count = TRACE_PLACES_MAX;
	for (size_t i = 0; i < TRACE_PLACES_MAX; i++) {
		memset(t->sources_top[i].name, '\x1b', TRACE_PLACE_MAX);
		t->sources_top[i].share = 1e30f;
	}
	for (unsigned columns = 1; columns <= TOP_COLUMNS_MAX; columns += columns < 40 ? 1 : 37) {
		for (unsigned rows = 0; rows <= 60; rows += rows < 12 ? 1 : 16) {
			view.service[0] = '\0';
			draw(columns, rows);
			view.help = true;
			draw(columns, rows);
			view.help = false;
			snprintf(view.service, sizeof(view.service), "shop");
			draw(columns, rows);
		}
	}
}

static void the_marked_row_stays_in_sight(void **state)
{
	struct wd_why why;
	struct buf b;
	(void)state;
	buf_init(&b, 1 << 20);
	buf_str(&b, "{\"services\":[");
	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "%s{\"id\":\"s%03d\"}", i > 0 ? "," : "", i);
	buf_str(&b, "]}");
	top_services_done(&data.services);
	assert_int_equal(top_read_services(b.data, b.len, (wd_wall){0}, &data.services, &why), WD_OK);
	buf_done(&b);
	data.open.count = TOP_OPEN_MAX; /* a third of the screen at most */
	draw(80, 30);
	assert_int_equal(page.count, 30);
	assert_non_null(line_with("(93 more)")); /* 28 / 3 = 9: a blank line, the titles, 7 */
	for (int i = 0; i < 700; i++) {
		top_view_key(&view, &data, i % 3 == 0 ? TOP_KEY_PAGE_DOWN : TOP_KEY_UP);
		draw(80, 30);
		unsigned marked = 0;
		for (unsigned y = 0; y < page.count; y++)
			marked += page.lines[y].chosen;
		assert_int_equal(marked, 1);
	}
	top_view_key(&view, &data, TOP_KEY_END);
	draw(80, 30);
	assert_string_equal(view.chosen, "s999");
	assert_non_null(line_with("s999"));
	top_view_key(&view, &data, TOP_KEY_HOME);
	draw(80, 30);
	assert_string_equal(view.chosen, "s000");
	/* The service goes: the mark goes to the first. */
	keys("/s5");
	top_view_key(&view, &data, TOP_KEY_ENTER);
	draw(80, 30);
	assert_true(page.lines[3].chosen);
}

static void help_scrolls_no_further_than_its_end(void **state)
{
	(void)state;
	keys("?");
	for (int i = 0; i < 100; i++) {
		draw(80, 10);
		top_view_key(&view, &data, TOP_KEY_DOWN);
	}
	draw(80, 10);
	assert_true(view.scroll < 20);
	assert_non_null(line_with("not known, or nothing came"));
	top_view_key(&view, &data, TOP_KEY_HOME);
	assert_int_equal(view.scroll, 0);
	keys("?q");
	assert_true(!view.help && view.quit);
}

static void trouble_and_silence_are_told(void **state)
{
	(void)state;
	data.age_s = 12;
	snprintf(data.trouble, sizeof(data.trouble), "Connection refused");
	draw(80, 10);
	assert_string_equal(page.lines[1].text, "12 s old, trying again: Connection refused");
	data.trouble[0] = '\0';
	data.waiting_s = 5;
	draw(80, 10);
	assert_string_equal(page.lines[1].text, "The server has not answered for 5 s.");
	keys("p");
	draw(80, 10);
	assert_string_equal(page.lines[1].text, "Paused, 12 s old; p goes on.");
	keys("p");
	data.waiting_s = 0;
	data.services.rows[0].silent = true;
	draw(120, 10);
	assert_non_null(line_with("nothing comes in"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_table_tells_rates_and_what_floods, begin, end),
		cmocka_unit_test_setup_teardown(what_is_worst_stands_first, begin, end),
		cmocka_unit_test_setup_teardown(a_filter_leaves_what_has_it, begin, end),
		cmocka_unit_test_setup_teardown(enter_shows_the_marked_service, begin, end),
		cmocka_unit_test_setup_teardown(what_sources_prove_is_told_before_any_place, begin,
						end),
		cmocka_unit_test_setup_teardown(hostile_names_and_any_size_make_lines_that_fit, begin,
						end),
		cmocka_unit_test_setup_teardown(the_marked_row_stays_in_sight, begin, end),
		cmocka_unit_test_setup_teardown(help_scrolls_no_further_than_its_end, begin, end),
		cmocka_unit_test_setup_teardown(trouble_and_silence_are_told, begin, end),
	};
	setenv("LC_ALL", "C.UTF-8", 1);
	WD_CHECK(top_line_locale());
	return cmocka_run_group_tests(tests, NULL, NULL);
}
