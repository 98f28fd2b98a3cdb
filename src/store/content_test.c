/* SPDX-License-Identifier: Apache-2.0 */
/* The tables beside the journal: state, incidents, comments; and what retention leaves. */
#include "store/reader.h"
#include "store/sqlite.h"
#include "store/testing.h"

#include <stdio.h>

/* ---- state ---- */

struct told { char text[512]; size_t len; };

static enum wd_err tell(struct told *t, const char *what, const uint8_t *bytes, size_t len)
{
	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s %.*s\n", what, (int)len,
				   (const char *)bytes);
	assert_true(t->len < sizeof(t->text));
	return WD_OK;
}

static enum wd_err tell_whole(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	(void)why;
	return tell(ctx, "whole", bytes, len);
}

static enum wd_err tell_service(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	(void)why;
	return tell(ctx, "service", bytes, len);
}

static struct store_position read_state(struct store *s, struct told *t)
{
	struct store_position at = {99, {99}};
	*t = (struct told){.len = 0};
	assert_int_equal(store_read_state(s, &(struct store_state_handler){tell_whole, tell_service, t}, &at,
					  NULL), WD_OK);
	return at;
}

static void write_state(struct store *s, struct store_position at, const char *whole, const char *x,
			const char *y)
{
	struct store_state *w;
	assert_int_equal(store_state_begin(s, at, &w, NULL), WD_OK);
	assert_int_equal(store_state_add(w, "x", (const uint8_t *)x, strlen(x), NULL), WD_OK);
	assert_int_equal(store_state_add(w, "y", (const uint8_t *)y, strlen(y), NULL), WD_OK);
	assert_int_equal(store_state_end(w, (const uint8_t *)whole, strlen(whole), NULL), WD_OK);
}

static void run(struct store *s, const char *sql)
{
	struct wd_why why = {0};
	if (store_exec(s->db, sql, "", &why) != WD_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
}

static int64_t number(struct store *s, const char *sql)
{
	int64_t n = -1;
	assert_int_equal(store_exec_int(s->db, sql, &n, "", NULL), WD_OK);
	return n;
}

static void the_latest_whole_state_is_read(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct store_state *w;
	struct told t;
	(void)state;
	assert_int_equal(read_state(s, &t).seq, 0);
	assert_string_equal(t.text, "");
	append_reports(s, 100, 1, 2);
	append_reports(s, 101, 3, 2);
	write_state(s, (struct store_position){1, wall_s(100)}, "w1", "x1", "y1");
	write_state(s, (struct store_position){2, wall_s(103)}, "w2", "x2", "");
	/* One that was not finished does not count. */
	assert_int_equal(store_state_begin(s, (struct store_position){2, wall_s(104)}, &w, NULL), WD_OK);
	assert_int_equal(store_state_add(w, "x", (const uint8_t *)"x3", 2, NULL), WD_OK);
	store_state_drop(w);
	store_close(s);
	s = store_must_open(&f);
	struct store_position at = read_state(s, &t);
	assert_string_equal(t.text, "whole w2\nservice x2\nservice \n");
	assert_int_equal(at.seq, 2);
	assert_int_equal(at.clock.ns, wall_s(103).ns);
	/* No stamp may come before what the state has seen. */
	assert_int_equal(store_end(s).clock.ns, wall_s(103).ns);
	store_close(s);
	folder_remove(&f);
}

static void a_damaged_state_gives_way_to_the_one_before(void **state)
{
	(void)state;
	static const char *const damages[] = {
		"UPDATE state SET bytes = CAST('x!' AS BLOB) WHERE bytes = CAST('x2' AS BLOB)",
		"DELETE FROM state WHERE bytes = CAST('y2' AS BLOB)",
		"UPDATE state_whole SET bytes = CAST('w!' AS BLOB) WHERE bytes = CAST('w2' AS BLOB)",
		"UPDATE state SET service = 'z' WHERE bytes = CAST('x2' AS BLOB)",
	};
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct folder f = folder_make();
		struct store *s = store_must_open(&f);
		struct told t;
		append_reports(s, 100, 1, 2);
		append_reports(s, 101, 3, 2);
		write_state(s, (struct store_position){1, wall_s(100)}, "w1", "x1", "y1");
		write_state(s, (struct store_position){2, wall_s(101)}, "w2", "x2", "y2");
		run(s, damages[i]);
		assert_int_equal(number(s, "SELECT changes()"), 1);
		struct store_position at = read_state(s, &t);
		assert_string_equal(t.text, "whole w1\nservice x1\nservice y1\n");
		assert_int_equal(at.seq, 1);
		assert_int_equal(store_count(s).damages, 1);
		store_close(s);
		folder_remove(&f);
	}
}

/* Then the journal tells all there is. It is noted once, also when it is still so at the next start. */
static void where_every_state_is_damaged_there_is_none(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story story;
	(void)state;
	append_reports(s, 100, 1, 1);
	write_state(s, (struct store_position){1, wall_s(100)}, "w1", "x1", "y1");
	append_reports(s, 101, 2, 1);
	write_state(s, (struct store_position){2, wall_s(101)}, "w2", "x2", "y2");
	append_reports(s, 102, 3, 1);
	run(s, "UPDATE state SET bytes = CAST('?' AS BLOB)");
	for (int start = 0; start < 2; start++) {
		struct told t = {.text = ""};
		struct store_position at = read_state(s, &t);
		assert_string_equal(t.text, "");
		assert_true(at.seq == 0 && at.clock.ns == 0);
		story_tell(s, &story, at);
		assert_int_equal(story.reports, 3);
		assert_int_equal(number(s, "SELECT count(*) FROM damage"), 2);
		store_close(s);
		s = store_must_open(&f);
	}
	wd_wall begin = {0};
	assert_int_equal(store_journal_begin(s, &begin, NULL), WD_OK);
	assert_true(begin.ns == wall_s(100).ns);
	store_close(s);
	folder_remove(&f);
}

static void a_state_larger_than_a_transaction_comes_back_whole(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct store_state *w;
	struct told *t = calloc(1, sizeof(*t));
	static uint8_t blob[700000];
	char id[16];
	(void)state;
	memset(blob, 'b', sizeof(blob));
	assert_int_equal(store_state_begin(s, (struct store_position){0, wall_s(5)}, &w, NULL), WD_OK);
	for (int i = 0; i < 5; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		assert_int_equal(store_state_add(w, id, blob, sizeof(blob), NULL), WD_OK);
	}
	assert_int_equal(store_state_end(w, blob, sizeof(blob), NULL), WD_OK);
	assert_int_equal(number(s, "SELECT sum(length(bytes)) FROM state"), 5 * sizeof(blob));
	assert_int_equal(number(s, "SELECT services FROM state_whole"), 5);
	store_close(s);
	free(t);
	folder_remove(&f);
}

/* ---- incidents ---- */

static struct incident make_incident(const char *id, int64_t began_s)
{
	struct incident i = {.began_at = wall_s(began_s), .decided_at = wall_s(began_s + 120),
			     .changed_at = wall_s(began_s + 120), .step = span_s(60), .state = INCIDENT_OPEN};
	snprintf(i.id, sizeof(i.id), "%s", id);
	snprintf(i.service, sizeof(i.service), "x");
	return i;
}

static void list_incident(void *ctx, const struct incident *i)
{
	struct told *t = ctx;
	char text[120];
	snprintf(text, sizeof(text), "%s %s %lld", i->id, incident_state_name(i->state),
		 (long long)wall_to_s(i->ended_at));
	(void)tell(t, "incident", (const uint8_t *)text, strlen(text));
}

static void list_version(void *ctx, const struct store_version *v)
{
	char text[64];
	assert_non_null(strstr(v->json, "x-1"));
	snprintf(text, sizeof(text), "%u %s %lld", v->number, v->change, (long long)wall_to_s(v->at));
	(void)tell(ctx, "version", (const uint8_t *)text, strlen(text));
}

static void an_incident_that_cannot_be_read_is_noted(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct incident first = make_incident("x-1", 1000), second = make_incident("x-2", 5000);
	(void)state;
	assert_int_equal(store_put_incident(s, &first, &(struct store_change){"opened", wall_s(1120)}, NULL), WD_OK);
	assert_int_equal(store_put_incident(s, &second, &(struct store_change){"opened", wall_s(5120)}, NULL), WD_OK);
	run(s, "UPDATE incident SET json = substr(json, 9) WHERE id = 'x-1'");
	for (int twice = 0; twice < 2; twice++) {
		struct told t = {.len = 0};
		assert_int_equal(store_each_incident(s, list_incident, &t, NULL), WD_OK);
		assert_string_equal(t.text, "incident x-2 open 0\n");
	}
	assert_int_equal(number(s, "SELECT count(*) FROM damage WHERE text ="
				   " 'incident x-1 cannot be read and is left out'"), 1);
	store_close(s);
	folder_remove(&f);
}

static void every_version_of_an_incident_is_kept_once(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct told t = {.len = 0};
	uint8_t *series = NULL;
	size_t series_len = 0;
	(void)state;
	struct incident second = make_incident("x-2", 5000), first = make_incident("x-1", 1000);
	assert_int_equal(store_put_incident(s, &second, &(struct store_change){"opened", wall_s(5120)}, NULL), WD_OK);
	assert_int_equal(store_put_incident(s, &first, &(struct store_change){
		"opened", wall_s(1120), (const uint8_t *)"chart", 5}, NULL), WD_OK);
	first.state = INCIDENT_CLOSED;
	first.ended_at = wall_s(3000);
	for (int twice = 0; twice < 2; twice++)
		assert_int_equal(store_put_incident(s, &first, &(struct store_change){"closed", wall_s(3600)},
						    NULL), WD_OK);
	store_close(s);
	s = store_must_open(&f);
	assert_int_equal(store_each_incident(s, list_incident, &t, NULL), WD_OK);
	assert_string_equal(t.text, "incident x-1 closed 3000\nincident x-2 open 0\n");
	t = (struct told){.len = 0};
	struct store_versions which = {"x-1", 0, 10};
	assert_int_equal(store_each_version(s, &which, list_version, &t, NULL), WD_OK);
	assert_string_equal(t.text, "version 1 opened 1120\nversion 2 closed 3600\n");
	t = (struct told){.len = 0};
	which.limit = 1;
	assert_int_equal(store_each_version(s, &which, list_version, &t, NULL), WD_OK);
	which.after = 1;
	assert_int_equal(store_each_version(s, &which, list_version, &t, NULL), WD_OK);
	which.after = 2;
	assert_int_equal(store_each_version(s, &which, list_version, &t, NULL), WD_OK);
	assert_string_equal(t.text, "version 1 opened 1120\nversion 2 closed 3600\n");
	assert_int_equal(store_incident_series(s, "x-1", &series, &series_len, NULL), WD_OK);
	assert_int_equal(series_len, 5);
	assert_memory_equal(series, "chart", 5);
	free(series);
	assert_int_equal(store_incident_series(s, "x-2", &series, &series_len, NULL), WD_UNKNOWN);
	store_close(s);
	folder_remove(&f);
}

static void evidence_of_coordination_is_kept_escaped(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct coordinated c = {.began_at = wall_s(10), .last_at = wall_s(20), .observed = 50, .persons = 3};
	(void)state;
	snprintf(c.service, sizeof(c.service), "x");
	snprintf(c.top_network, sizeof(c.top_network), "AS\"1");
	assert_int_equal(store_put_coordinated(s, &c, wall_s(21), NULL), WD_OK);
	assert_int_equal(number(s, "SELECT json_extract(json, '$.persons') FROM effect WHERE"
				   " json_extract(json, '$.top_network') = 'AS\"1' AND kind = 'coordinated'"), 3);
	store_close(s);
	folder_remove(&f);
}

/* ---- traces ---- */

static void list_trace(void *ctx, const struct trace *t)
{
	(void)tell(ctx, "trace", (const uint8_t *)t->incident, strlen(t->incident));
}

static void a_trace_is_kept_in_its_latest_form_and_forgotten_after_its_time(void **state)
{
	struct folder f = folder_make();
	struct told t = {.len = 0};
	struct trace *trace = calloc(1, sizeof(*trace)), *back = calloc(1, sizeof(*back));
	struct store_policy policy = store_policy_default();
	struct wd_why why;
	bool more;
	(void)state;
	struct store *s = store_must_open(&f);
	assert_true(trace != NULL && back != NULL);
	snprintf(trace->incident, sizeof(trace->incident), "x-1");
	trace->changed_at = wall_s(1000);
	trace->packets = 5;
	assert_int_equal(store_trace_get(s, "x-1", back, &why), WD_UNKNOWN);
	assert_int_equal(store_trace_put(s, trace, NULL), WD_OK);
	trace->packets = 7;
	trace->changed_at = wall_s(3000);
	assert_int_equal(store_trace_put(s, trace, NULL), WD_OK);
	snprintf(trace->incident, sizeof(trace->incident), "x-2");
	trace->changed_at = wall_s(2000);
	assert_int_equal(store_trace_put(s, trace, NULL), WD_OK);
	assert_int_equal(store_trace_get(s, "x-1", back, NULL), WD_OK);
	assert_true(back->packets == 7 && back->changed_at.ns == wall_s(3000).ns);
	assert_int_equal(store_each_trace(s, 0, list_trace, &t, NULL), WD_OK);
	assert_string_equal(t.text, "trace x-2\ntrace x-1\n");
	t.len = 0;
	assert_int_equal(store_each_trace(s, 1, list_trace, &t, NULL), WD_OK);
	assert_string_equal(t.text, "trace x-1\n");

	wd_wall now = wall_add(wall_s(2500), policy.traces_kept);
	assert_int_equal(store_retain(s, now, &policy, &more, NULL), WD_OK);
	assert_int_equal(store_trace_get(s, "x-2", back, &why), WD_UNKNOWN);
	assert_int_equal(store_trace_get(s, "x-1", back, NULL), WD_OK);
	assert_int_equal(store_count(s).deleted_traces, 1);
	store_close(s);
	folder_remove(&f);
	free(trace);
	free(back);
}

/* ---- comments ---- */

static void list_comment(void *ctx, const struct comment *c)
{
	char text[100];
	snprintf(text, sizeof(text), "%lld %s %s", (long long)c->number, c->service, c->text);
	(void)tell(ctx, "comment", (const uint8_t *)text, strlen(text));
}

static void commented(struct store *s, int64_t stamp_s, const char *const *texts, size_t count)
{
	static struct frames frames;
	frames = (struct frames){.len = 0};
	for (size_t i = 0; i < count; i++)
		frames_add(&frames, i + 1, 0, texts[i]);
	struct store_batch b = frames_batch(&frames, stamp_s, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
}

static struct comment_decision decided(struct store *s, int64_t comment, enum comment_status status,
				       int64_t at_s)
{
	struct comment_decision d = {.changed = false};
	assert_int_equal(store_decide_comment(s, comment, status, wall_s(at_s), &d, NULL), WD_OK);
	return d;
}

static void told_are(struct store *s, const struct comment_query *query, const char *text)
{
	struct told t = {.len = 0};
	assert_int_equal(store_each_comment(s, query, list_comment, &t, NULL), WD_OK);
	assert_string_equal(t.text, text);
}

static void a_comment_is_held_until_it_is_decided(void **state)
{
	static const char *const texts[] = {"cannot log in", "", "buy my <b>pills</b>", "app, too"};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct comment_decision d;
	(void)state;
	commented(s, 2000, texts, 4);
	told_are(s, &(struct comment_query){COMMENT_PUBLISHED}, "");
	told_are(s, &(struct comment_query){COMMENT_HELD},
		 "comment 1 x cannot log in\ncomment 2 x buy my <b>pills</b>\ncomment 3 x app, too\n");
	told_are(s, &(struct comment_query){COMMENT_HELD, .after = 1, .limit = 1}, "comment 2 x buy my <b>pills</b>\n");
	d = decided(s, 1, COMMENT_PUBLISHED, 2100);
	assert_true(d.changed && d.status == COMMENT_PUBLISHED && d.at.ns == wall_s(2100).ns);
	assert_string_equal(d.service, "x");
	d = decided(s, 2, COMMENT_REJECTED, 2100);
	assert_true(d.changed);
	assert_int_equal(store_decide_comment(s, 4, COMMENT_PUBLISHED, wall_s(2100), &d, NULL), WD_UNKNOWN);
	assert_int_equal(store_decide_comment(s, -1, COMMENT_REJECTED, wall_s(2100), &d, NULL), WD_UNKNOWN);
	told_are(s, &(struct comment_query){COMMENT_PUBLISHED, "x"}, "comment 1 x cannot log in\n");
	told_are(s, &(struct comment_query){COMMENT_PUBLISHED, "y"}, "");
	told_are(s, &(struct comment_query){COMMENT_HELD, "x"}, "comment 3 x app, too\n");
	store_close(s);
	folder_remove(&f);
}

static void a_decision_is_made_once_and_can_be_changed_while_there_is_a_text(void **state)
{
	static const char *const texts[] = {"one", "two"};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	(void)state;
	commented(s, 2000, texts, 2);
	(void)decided(s, 1, COMMENT_PUBLISHED, 2100);
	struct comment_decision d = decided(s, 1, COMMENT_PUBLISHED, 2200);
	assert_true(!d.changed && d.at.ns == wall_s(2100).ns);
	d = decided(s, 1, COMMENT_REJECTED, 2300);
	assert_true(d.changed && d.status == COMMENT_REJECTED);
	d = decided(s, 1, COMMENT_PUBLISHED, 2400);
	assert_true(!d.changed && d.status == COMMENT_REJECTED && d.at.ns == wall_s(2300).ns);
	told_are(s, &(struct comment_query){COMMENT_REJECTED}, "comment 1 x \n");
	store_close(s);
	folder_remove(&f);
}

static void the_latest_published_of_a_window_come_first(void **state)
{
	static const char *const texts[] = {"a", "b", "c", "d"};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct told t = {.len = 0};
	(void)state;
	commented(s, 2000, texts, 4);
	run(s, "UPDATE comment SET at_ns = (10 - number) * 1000000000");
	for (int64_t n = 1; n < 4; n++)
		(void)decided(s, n, COMMENT_PUBLISHED, 2100);
	assert_int_equal(store_each_published(s, &(struct comment_window){"x", wall_s(0), wall_s(9), 20},
					      list_comment, &t, NULL), WD_OK);
	assert_string_equal(t.text, "comment 2 x b\ncomment 3 x c\n"); /* 1 is of 9 s, 4 is held */
	t = (struct told){.len = 0};
	assert_int_equal(store_each_published(s, &(struct comment_window){"x", wall_s(0), wall_s(99), 1},
					      list_comment, &t, NULL), WD_OK);
	assert_int_equal(store_each_published(s, &(struct comment_window){"y", wall_s(0), wall_s(99), 1},
					      list_comment, &t, NULL), WD_OK);
	assert_string_equal(t.text, "comment 1 x a\n");
	store_close(s);
	folder_remove(&f);
}

/* What the journal has of comments, in its order. */
static bool list_text(void *ctx, wd_wall received, const struct observation *o)
{
	(void)received;
	(void)tell(ctx, "journal", (const uint8_t *)o->comment, strlen(o->comment));
	return true;
}

static void journal_has(const struct folder *f, const char *text)
{
	struct store *r = NULL;
	struct told t = {.len = 0};
	uint64_t damaged = 0;
	assert_int_equal(reader_open(f->path, &r, NULL), WD_OK);
	assert_int_equal(reader_each(r, &(struct reader_query){.all_comments = true}, list_text, &t, &damaged,
				     NULL), WD_OK);
	assert_string_equal(t.text, text);
	assert_int_equal(damaged, 0);
	store_close(r);
}

static bool folder_holds(const struct folder *f, const char *text)
{
	FILE *file = fopen(folder_file(f, "whydown.db"), "rb");
	size_t len = (size_t)file_size(folder_file(f, "whydown.db"));
	char *bytes = malloc(len + 1);
	assert_non_null(file);
	assert_int_equal(fread(bytes, 1, len, file), len);
	bool holds = memmem(bytes, len, text, strlen(text)) != NULL;
	free(bytes);
	fclose(file);
	return holds;
}

static void a_rejected_text_is_nowhere_any_more(void **state)
{
	/* Enough of it for a row of several pages. */
	static char secret[OBSERVATION_COMMENT_MAX + 1];
	const char *texts[40];
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	static struct story before, after;
	(void)state;
	memset(secret, 'k', sizeof(secret) - 1);
	memcpy(secret, "MY NUMBER IS", 12);
	for (size_t i = 0; i < 40; i++)
		texts[i] = i == 20 ? secret : "it is slow";
	commented(s, 2000, texts, 40);
	(void)story_tell(s, &before, (struct store_position){0, {0}});
	(void)decided(s, 21, COMMENT_REJECTED, 2100);
	(void)story_tell(s, &after, (struct store_position){0, {0}});
	assert_string_equal(before.text, after.text);
	store_close(s);
	assert_false(folder_holds(&f, "MY NUMBER IS"));
	assert_true(folder_holds(&f, "it is slow"));
	assert_int_equal(folder_count(&f, "damaged"), 0);
	s = store_must_open(&f);
	assert_int_equal(store_count(s).damages, 0);
	store_close(s);
	folder_remove(&f);
}

static void one_of_two_in_a_batch_is_forgotten(void **state)
{
	static const char *const texts[] = {"stays", "goes", "", "goes"};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	(void)state;
	commented(s, 2000, texts, 4);
	(void)decided(s, 2, COMMENT_REJECTED, 2100);
	/* The same words once more, still held: they cannot be told apart in the journal. */
	journal_has(&f, "journal stays\njournal goes\njournal \njournal goes\n");
	(void)decided(s, 3, COMMENT_REJECTED, 2100);
	journal_has(&f, "journal stays\njournal \njournal \njournal \n");
	store_close(s);
	folder_remove(&f);
}

static void a_damaged_batch_is_left_as_it_is(void **state)
{
	static const char *const texts[] = {"goes"};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	(void)state;
	commented(s, 2000, texts, 1);
	run(s, "UPDATE journal SET checksum = checksum + 1");
	assert_true(decided(s, 1, COMMENT_REJECTED, 2100).changed);
	assert_int_equal(number(s, "SELECT instr(body, CAST('goes' AS BLOB)) > 0 FROM journal"), 1);
	store_close(s);
	folder_remove(&f);
}

/* ---- retention ---- */

static void retain_all(struct store *s, int64_t now_s, const struct store_policy *policy)
{
	bool more = true;
	for (int i = 0; more; i++) {
		assert_true(i < 10000);
		assert_int_equal(store_retain(s, wall_s(now_s), policy, &more, NULL), WD_OK);
	}
}

static void the_journal_goes_only_as_far_as_two_states_include_it(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct store_policy policy = {span_s(100), span_s(100), span_s(100)};
	(void)state;
	for (int i = 1; i <= 6; i++)
		append_reports(s, 1000 + i, (uint64_t)i, 1);
	retain_all(s, 900000, &policy);
	assert_int_equal(number(s, "SELECT count(*) FROM journal"), 6);
	write_state(s, (struct store_position){5, wall_s(1005)}, "w", "x", "y");
	retain_all(s, 900000, &policy);
	assert_int_equal(number(s, "SELECT count(*) FROM journal"), 6);
	write_state(s, (struct store_position){6, wall_s(1006)}, "w", "x", "y");
	/* Not yet old. */
	retain_all(s, 1050, &policy);
	assert_int_equal(number(s, "SELECT count(*) FROM journal"), 6);
	retain_all(s, 900000, &policy);
	assert_int_equal(number(s, "SELECT min(seq) FROM journal"), 6);
	/* With all included the last one stays: it says where numbers and stamps go on. */
	write_state(s, (struct store_position){6, wall_s(1006)}, "w", "x", "y");
	retain_all(s, 900000, &policy);
	assert_int_equal(number(s, "SELECT count(*) FROM journal"), 1);
	assert_int_equal(number(s, "SELECT count(*) FROM state_whole"), 2);
	assert_int_equal(number(s, "SELECT count(*) FROM state"), 4);
	store_close(s);
	s = store_must_open(&f);
	assert_int_equal(store_end(s).seq, 6);
	store_close(s);
	folder_remove(&f);
}

/* A clock that is years ahead deletes a day in an hour, also of those who start again. */
static void a_wrong_clock_does_not_make_everything_old(void **state)
{
	const struct store_policy policy = {span_s(100), span_s(100), span_s(30 * 86400)};
	const int64_t day = 86400, wrong = 4000 * day;
	static const char *const texts[] = {"hm"};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	wd_wall time = {0};
	(void)state;
	commented(s, day, texts, 1);
	assert_int_equal(store_retain_time(s, wall_s(2 * day), span_s(60), &time, NULL), WD_OK);
	assert_true(time.ns == wall_s(2 * day).ns);
	for (int hour = 1; hour <= 20; hour++) {
		store_close(s);
		s = store_must_open(&f);
		assert_int_equal(store_retain_time(s, wall_s(wrong), span_s(3600), &time, NULL), WD_OK);
		assert_true(time.ns == wall_s((2 + hour) * day).ns);
		retain_all(s, wall_to_s(time), &policy);
	}
	assert_int_equal(number(s, "SELECT count(*) FROM comment"), 1);
	/* Also where nothing tells how far it had come, as in a database of an earlier version. */
	run(s, "DELETE FROM retained");
	append_reports(s, 2 * day, 1, 1);
	store_close(s);
	s = store_must_open(&f);
	assert_int_equal(store_retain_time(s, wall_s(wrong), span_s(3600), &time, NULL), WD_OK);
	assert_true(time.ns == wall_s(3 * day).ns);
	/* It is right again, and two months go by in which nobody was there. */
	assert_int_equal(store_retain_time(s, wall_s(3 * day), span_s(60), &time, NULL), WD_OK);
	assert_true(time.ns == wall_s(3 * day).ns);
	for (int hour = 1; hour <= 60; hour++)
		assert_int_equal(store_retain_time(s, wall_s(63 * day), span_s(3600), &time, NULL), WD_OK);
	assert_true(time.ns == wall_s(63 * day).ns);
	retain_all(s, wall_to_s(time), &policy);
	assert_int_equal(number(s, "SELECT count(*) FROM comment"), 0);
	store_close(s);
	folder_remove(&f);
}

static void space_is_given_back(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct store_policy policy = {span_s(100), span_s(100), span_s(100)};
	(void)state;
	for (int i = 0; i < 600; i++)
		append_reports(s, 1000 + i, (uint64_t)i, 60);
	write_state(s, (struct store_position){600, wall_s(2000)}, "w", "x", "y");
	write_state(s, (struct store_position){600, wall_s(2000)}, "w", "x", "y");
	uint64_t full = store_count(s).file_bytes;
	assert_true(full > 3 << 20);
	retain_all(s, 900000, &policy);
	assert_true(store_count(s).file_bytes < 300000);
	run(s, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_true(file_size(folder_file(&f, "whydown.db")) < 300000);
	store_close(s);
	folder_remove(&f);
}

static void old_ids_and_comments_are_forgotten_and_new_ones_kept(void **state)
{
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct store_policy policy = {span_s(100), span_s(3 * 86400), span_s(100 * 86400)};
	static struct frames frames;
	(void)state;
	for (int day = 1; day <= 10; day++) {
		frames = (struct frames){.len = 0};
		for (uint64_t i = 0; i < 60; i++)
			frames_add(&frames, i, (uint64_t)day * 1000 + i, i == 0 ? "hm" : "");
		struct store_batch b = frames_batch(&frames, day * 86400, 0);
		assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	}
	(void)decided(s, 1, COMMENT_REJECTED, 900);
	retain_all(s, 10 * 86400, &policy);
	assert_int_equal(number(s, "SELECT min(day) FROM seen"), 7);
	assert_int_equal(number(s, "SELECT count(*) FROM seen"), 4 * 60);
	assert_int_equal(number(s, "SELECT count(*) FROM comment"), 10);
	retain_all(s, 12 * 86400, &policy);
	assert_int_equal(number(s, "SELECT count(*) FROM comment"), 9);
	assert_int_equal(number(s, "SELECT count(*) FROM comment WHERE number = 1"), 0);
	retain_all(s, 105 * 86400, &policy);
	assert_int_equal(number(s, "SELECT min(number) FROM comment"), 5);
	/* The journal is kept longer here, but not what its observations said. */
	assert_int_equal(number(s, "SELECT count(*) FROM journal"), 10);
	assert_int_equal(number(s, "SELECT count(*) FROM journal WHERE instr(body, CAST('hm' AS BLOB)) > 0"), 6);
	store_close(s);
	folder_remove(&f);
}

/* Who decides about number 2 must not meet another text under it; who asks for what came after it
 * must not miss one. */
static void numbers_of_comments_that_are_gone_are_not_given_again(void **state)
{
	static const char *const texts[] = {"old", "older"}, *const later[] = {"new"};
	const struct store_policy policy = {span_s(1000000), span_s(1000000), span_s(1000)};
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	(void)state;
	commented(s, 2000, texts, 2);
	retain_all(s, 5000, &policy);
	assert_int_equal(number(s, "SELECT count(*) FROM comment"), 0);
	commented(s, 6000, later, 1);
	told_are(s, &(struct comment_query){.after = 2}, "comment 3 x new\n");
	retain_all(s, 9000, &policy);
	store_close(s);
	s = store_must_open(&f);
	assert_int_equal(store_repair(s, wall_s(9500), NULL), WD_OK);
	commented(s, 10000, later, 1);
	told_are(s, &(struct comment_query){.after = 3}, "comment 4 x new\n");
	store_close(s);
	folder_remove(&f);
}

static void journal_has_not(struct store *s, const char *text, int64_t batches)
{
	char sql[200];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM journal WHERE seq = 1 AND instr(body, CAST('%s' AS BLOB)) = 0",
		 text);
	assert_int_equal(number(s, sql), batches);
}

static void the_oldest_held_ones_make_room(void **state)
{
	static const char *texts[50];
	struct folder f = folder_make();
	struct store *s = store_must_open(&f);
	struct store_policy policy = store_policy_default();
	(void)state;
	for (size_t i = 0; i < 50; i++)
		texts[i] = "in the flood";
	commented(s, 1999, (const char *[]){"before the flood"}, 1);
	run(s, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
	       " INSERT INTO comment SELECT NULL, 1, 2000000000000, 'x', '', '', '', 'flood', 0, 0, 0 FROM n");
	for (int i = 0; i < 20; i++) /* at the thousandth since the start it is looked at */
		commented(s, 2000 + i, texts, 50);
	assert_int_equal(number(s, "SELECT count(*) FROM comment WHERE status = 0"), STORE_HELD_MAX + 1);
	assert_int_equal(number(s, "SELECT status FROM comment WHERE number = 1"), COMMENT_DROPPED);
	journal_has_not(s, "before the flood", 0);
	retain_all(s, 3000, &policy);
	journal_has_not(s, "before the flood", 1);
	assert_int_equal(number(s, "SELECT count(*) FROM comment"), STORE_HELD_MAX + 1);
	assert_int_equal(store_count(s).deleted_comments, 1000);
	store_close(s);
	folder_remove(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_whole_state_is_read),
		cmocka_unit_test(a_damaged_state_gives_way_to_the_one_before),
		cmocka_unit_test(where_every_state_is_damaged_there_is_none),
		cmocka_unit_test(a_state_larger_than_a_transaction_comes_back_whole),
		cmocka_unit_test(a_trace_is_kept_in_its_latest_form_and_forgotten_after_its_time),
		cmocka_unit_test(an_incident_that_cannot_be_read_is_noted),
		cmocka_unit_test(every_version_of_an_incident_is_kept_once),
		cmocka_unit_test(evidence_of_coordination_is_kept_escaped),
		cmocka_unit_test(a_comment_is_held_until_it_is_decided),
		cmocka_unit_test(a_decision_is_made_once_and_can_be_changed_while_there_is_a_text),
		cmocka_unit_test(the_latest_published_of_a_window_come_first),
		cmocka_unit_test(a_rejected_text_is_nowhere_any_more),
		cmocka_unit_test(one_of_two_in_a_batch_is_forgotten),
		cmocka_unit_test(a_damaged_batch_is_left_as_it_is),
		cmocka_unit_test(the_oldest_held_ones_make_room),
		cmocka_unit_test(the_journal_goes_only_as_far_as_two_states_include_it),
		cmocka_unit_test(a_wrong_clock_does_not_make_everything_old),
		cmocka_unit_test(space_is_given_back),
		cmocka_unit_test(numbers_of_comments_that_are_gone_are_not_given_again),
		cmocka_unit_test(old_ids_and_comments_are_forgotten_and_new_ones_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
