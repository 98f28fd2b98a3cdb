/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reader.h"
#include "store/sqlite.h"
#include "store/testing.h"

#include <stdio.h>
#include <unistd.h>

struct told { char text[8192]; size_t len; struct store *writer; };

static bool tell(void *ctx, wd_wall received, const struct observation *o)
{
	struct told *t = ctx;
	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%lld %llu %s\n",
				   (long long)wall_to_s(received), (unsigned long long)o->person, o->comment);
	assert_true(t->len < sizeof(t->text));
	/* A server that writes meanwhile is neither waited for nor kept waiting. */
	if (t->writer != NULL)
		append_reports(t->writer, 5000, 999, 1);
	t->writer = NULL;
	return true;
}

/* The width, too, where it is not a minute. */
static bool tell_count(void *ctx, const struct reader_count *c)
{
	struct told *t = ctx;
	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%lld %s %llu",
				   (long long)wall_to_s(c->at), c->service, (unsigned long long)c->reports);
	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len,
				   c->step.ns == 60 * WD_NS_PER_S ? "\n" : " in %lld s\n",
				   (long long)span_to_s(c->step));
	assert_true(t->len < sizeof(t->text));
	return true;
}

static struct store *reader_must_open(const struct folder *f)
{
	struct store *r = NULL;
	struct wd_why why = {0};
	if (reader_open(f->path, &r, &why) != WD_OK)
		fail_msg("reader_open: %s (%d)", why.what, why.os_errno);
	return r;
}

static void it_reads_beside_a_server_that_writes(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct told t = {.writer = s};
	uint64_t damaged = 9;
	(void)state;
	append_reports(s, 100, 1, 2);
	append_reports(s, 101, 3, 1);
	struct store *r = reader_must_open(&f);
	assert_int_equal(reader_each(r, &(struct reader_query){.service = "x"}, tell, &t, &damaged, NULL), WD_OK);
	assert_string_equal(t.text, "100 1 \n100 2 \n101 3 \n");
	assert_int_equal(damaged, 0);
	t = (struct told){.len = 0};
	assert_int_equal(reader_each(r, &(struct reader_query){.service = "y"}, tell, &t, &damaged, NULL), WD_OK);
	assert_string_equal(t.text, "");
	/* What was written since is seen, too. */
	assert_int_equal(reader_each(r, &(struct reader_query){{0}}, tell, &t, &damaged, NULL), WD_OK);
	assert_string_equal(t.text, "100 1 \n100 2 \n101 3 \n5000 999 \n");
	/* It cannot write. */
	struct frames none = {.len = 0};
	struct comment_decision d;
	struct store_batch b = frames_batch(&none, 9000, 0);
	assert_int_equal(store_append(r, &b, NULL, NULL, NULL), WD_OS);
	assert_int_equal(store_decide_comment(r, 1, COMMENT_PUBLISHED, wall_s(1), &d, NULL), WD_OS);
	store_close(r);
	store_close(s);
	folder_remove(&f);
}

static void comments_that_nobody_approved_are_left_out(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct frames frames;
	struct comment_decision d;
	struct told t = {.len = 0};
	uint64_t damaged;
	(void)state;
	frames = (struct frames){.len = 0};
	frames_add(&frames, 1, 0, "good");
	frames_add(&frames, 2, 0, "bad");
	struct store_batch b = frames_batch(&frames, 100, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	assert_int_equal(store_decide_comment(s, 1, COMMENT_PUBLISHED, wall_s(101), &d, NULL), WD_OK);
	struct store *r = reader_must_open(&f);
	assert_int_equal(reader_each(r, &(struct reader_query){{0}}, tell, &t, &damaged, NULL), WD_OK);
	assert_string_equal(t.text, "100 1 good\n100 2 \n");
	t = (struct told){.len = 0};
	assert_int_equal(reader_each(r, &(struct reader_query){.all_comments = true}, tell, &t, &damaged, NULL),
			 WD_OK);
	assert_string_equal(t.text, "100 1 good\n100 2 bad\n");
	store_close(r);
	store_close(s);
	folder_remove(&f);
}

static int64_t fed_step_s = 60;

static void add_at(struct frames *f, int64_t at_s, const char *service, enum observation_kind kind,
		   uint32_t count)
{
	struct observation o = observation_blank(kind);
	o.at = wall_s(at_s);
	o.service = service;
	o.count = count;
	if (kind != OBSERVATION_REPORT)
		o.step = span_s(fed_step_s);
	f->len += observation_encode(&o, f->bytes + f->len);
	f->count++;
}

static void append_at(struct store *s, int64_t stamp_s, int64_t at_s, const char *service,
		      enum observation_kind kind, uint32_t count)
{
	static struct frames f;
	f = (struct frames){.len = 0};
	if (service != NULL)
		add_at(&f, at_s, service, kind, count);
	struct store_batch b = frames_batch(&f, stamp_s, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
}

static void counts_have_zeros_where_somebody_watched(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct told t = {.len = 0};
	struct reader_counted counted;
	(void)state;
	append_at(s, 600, 600, "x", OBSERVATION_REPORT, 1);
	append_at(s, 630, 630, "x", OBSERVATION_REPORT, 1);
	append_at(s, 690, 0, NULL, OBSERVATION_REPORT, 0); /* quiet, but there */
	append_at(s, 750, 745, "y", OBSERVATION_COUNT, 5);
	append_at(s, 770, 770, "x", OBSERVATION_METRIC, 0); /* no report */
	append_at(s, 1210, 1205, "x", OBSERVATION_REPORT, 1); /* after an absence */
	struct store *r = reader_must_open(&f);
	assert_int_equal(reader_each_count(r, &(struct reader_query){{0}}, span_s(60), tell_count, &t, &counted,
					   NULL), WD_OK);
	/* A feeder that sent nothing said nothing of y. */
	assert_string_equal(t.text, "600 x 2\n660 x 0\n720 x 0\n720 y 5\n1200 x 1\n");
	t = (struct told){.len = 0};
	assert_int_equal(reader_each_count(r, &(struct reader_query){.from = wall_s(660), .to = wall_s(780)},
					   span_s(900), tell_count, &t, &counted, NULL), WD_OK);
	assert_string_equal(t.text, "0 y 5 in 900 s\n");
	assert_int_equal(counted.left_out + counted.damaged, 0);
	store_close(r);
	store_close(s);
	folder_remove(&f);
}

static void what_was_fed_in_wider_buckets_is_told_in_those(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct told t = {.len = 0};
	struct reader_counted counted;
	(void)state;
	fed_step_s = 900;
	append_at(s, 2000, 1024, "fed", OBSERVATION_COUNT, 40);
	append_at(s, 2010, 124, "fed", OBSERVATION_COUNT, 30);
	append_at(s, 2020, 1930, "fed", OBSERVATION_REPORT, 1); /* joins the bucket it falls into */
	append_at(s, 2030, 2029, "both", OBSERVATION_REPORT, 1);
	append_at(s, 2040, 1800, "both", OBSERVATION_COUNT, 90); /* late for the engine, too */
	fed_step_s = 300;
	append_at(s, 2050, 1324, "fed", OBSERVATION_COUNT, 2);
	fed_step_s = 60;
	append_at(s, 2060, 1980, "both", OBSERVATION_COUNT, 7);
	struct store *r = reader_must_open(&f);
	assert_int_equal(reader_each_count(r, &(struct reader_query){{0}}, span_s(60), tell_count, &t, &counted,
					   NULL), WD_OK);
	assert_string_equal(t.text, "124 fed 30 in 900 s\n1024 fed 42 in 900 s\n1924 fed 1 in 900 s\n"
				    "1980 both 8\n2040 both 0\n");
	assert_int_equal(counted.left_out, 1);
	t = (struct told){.len = 0};
	assert_int_equal(reader_each_count(r, &(struct reader_query){{0}}, span_s(1800), tell_count, &t, &counted,
					   NULL), WD_OK);
	assert_string_equal(t.text, "0 fed 72 in 1800 s\n1800 both 98 in 1800 s\n1800 fed 1 in 1800 s\n");
	assert_int_equal(counted.left_out, 0);
	store_close(r);
	store_close(s);
	folder_remove(&f);
}

static void damage_is_counted_and_the_rest_is_told(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct told t = {.len = 0};
	uint64_t damaged = 0;
	(void)state;
	append_reports(s, 100, 1, 1);
	append_reports(s, 101, 2, 1);
	append_reports(s, 102, 3, 1);
	assert_int_equal(store_exec(s->db, "UPDATE journal SET body = zeroblob(70) WHERE seq = 2", "", NULL), WD_OK);
	struct store *r = reader_must_open(&f);
	assert_int_equal(reader_each(r, &(struct reader_query){{0}}, tell, &t, &damaged, NULL), WD_OK);
	assert_string_equal(t.text, "100 1 \n102 3 \n");
	assert_int_equal(damaged, 1);
	store_close(r);
	store_close(s);
	folder_remove(&f);
}

static void what_is_not_ours_is_refused(void **state)
{
	struct folder f = folder_make();
	struct store *r = NULL;
	struct wd_why why = {0};
	(void)state;
	assert_int_equal(reader_open(f.path, &r, &why), WD_UNKNOWN);
	assert_string_equal(why.what, "there is no whydown.db");
	assert_int_equal(folder_count(&f, ""), 2); /* "." and "..": it made nothing */
	struct store *s = store_must_open(&f);
	assert_int_equal(store_exec(s->db, "PRAGMA user_version = 1000", "", NULL), WD_OK);
	store_close(s);
	assert_int_equal(reader_open(f.path, &r, &why), WD_UNKNOWN);
	assert_int_equal(why.at, 1000);
	assert_null(r);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_beside_a_server_that_writes),
		cmocka_unit_test(comments_that_nobody_approved_are_left_out),
		cmocka_unit_test(counts_have_zeros_where_somebody_watched),
		cmocka_unit_test(what_was_fed_in_wider_buckets_is_told_in_those),
		cmocka_unit_test(damage_is_counted_and_the_rest_is_told),
		cmocka_unit_test(what_is_not_ours_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
