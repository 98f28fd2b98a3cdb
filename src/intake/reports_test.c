/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/reports.h"

#include "base/check.h"
#include "decode/report_fixture.h"
#include "intake/intake_testing.h"

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>
#include <sodium.h>

static const int64_t noon = 20000 * INT64_C(86400) + 43200;

static char *folder;
static struct catalogue *catalogue;
static struct persons *persons;
static struct places *places;
static struct reports *reports;
static struct reports_feeder feeder = {.name = "forum"};
static struct reports_refusal refusal;
static uint8_t frame[OBSERVATION_FRAME_MAX];
static struct observation taken; /* points into frame */

static struct reports_options options(void)
{
	return (struct reports_options){
		.catalogue = catalogue,
		.feeders = &feeder,
		.feeder_count = 1,
		.report_bytes_max = 4096,
		.batch_bytes_max = 1 << 20,
		.frames_bytes_max = 4 << 20,
	};
}

static struct reports_request request(enum reports_kind kind, const char *type, const char *body)
{
	static uint8_t address[16];
	testing_address("203.0.113.77", address);
	return (struct reports_request){
		.kind = kind,
		.content_type = type,
		.content_encoding = "",
		.authorization = kind == REPORTS_BATCH ? "Bearer a-feeder's-secret-token" : "",
		.idempotency_key = "",
		.address = address,
		.now = wall_add(wall_s(noon), (wd_span){123456789}),
		.mono = {5},
		.body = body,
		.body_len = strlen(body),
	};
}

static bool take(const struct reports_request *req)
{
	size_t len, used;
	if (!reports_begin(reports, req, &refusal) || !reports_take(reports, req, frame, &len, &refusal))
		return false;
	assert_int_equal(observation_decode(frame, len, &taken, &used, NULL), WD_OK);
	assert_int_equal(used, len);
	return true;
}

/* The refusal as JSON, judged by jansson. */
static void assert_problem(int status, const char *type, const char *pointer, const char *detail)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	reports_refusal_json(&b, &refusal);
	json_t *json = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "status")), status);
	assert_int_equal(refusal.status, status);
	assert_string_equal(json_string_value(json_object_get(json, "type")), type);
	assert_true(json_string_length(json_object_get(json, "title")) > 0);
	const json_t *where = json;
	if (pointer != NULL) {
		where = json_array_get(json_object_get(json, "errors"), 0);
		assert_string_equal(json_string_value(json_object_get(where, "pointer")), pointer);
	}
	assert_string_equal(json_string_value(json_object_get(where, "detail")), detail);
	json_decref(json);
	buf_done(&b);
}

static void a_report_becomes_an_observation_with_its_place_and_person(void **state)
{
	struct reports_request req = request(REPORTS_ONE, "application/json",
					     "{\"service\":\"twitter\",\"surface\":\"app\",\"comment\":\"<b>\"}");
	(void)state;
	assert_true(take(&req));
	assert_int_equal(taken.kind, OBSERVATION_REPORT);
	assert_int_equal(taken.at.ns, noon * WD_NS_PER_S + 123000000);
	assert_string_equal(taken.service, "x");
	assert_string_equal(taken.surface, "app");
	assert_string_equal(taken.comment, "<b>");
	assert_string_equal(taken.country, "GB");
	assert_string_equal(taken.region, "England");
	assert_string_equal(taken.city, "London");
	assert_int_equal(taken.network, 2856);
	assert_true(taken.person == persons_hash(persons, req.address, req.now));
	assert_true(observation_id_is_none(&taken.id));
	assert_string_equal(taken.feeder, "");
}

static void who_says_where_is_believed_about_the_place_but_not_the_network(void **state)
{
	struct reports_request req = request(REPORTS_ONE, "application/x-www-form-urlencoded",
					     "service=x&country=fr&city=Lyon");
	(void)state;
	assert_true(take(&req));
	assert_string_equal(taken.country, "FR");
	assert_string_equal(taken.region, "");
	assert_string_equal(taken.city, "Lyon");
	assert_int_equal(taken.network, 2856);
}

static void the_address_is_in_nothing_that_is_kept(void **state)
{
	uint8_t address[16];
	struct reports_request req = request(REPORTS_ONE, "application/json", "{\"service\":\"x\",\"problem\":\"login\"}");
	struct reports_request wrong = request(REPORTS_ONE, "application/json", "{\"service\":\"y\"}");
	struct buf b;
	(void)state;
	testing_address("203.0.113.77", address);
	req.idempotency_key = "k1";
	assert_true(take(&req));
	assert_null(memmem(frame, sizeof(frame), address + 12, 4));
	assert_null(memmem(frame, sizeof(frame), "203.0.113.77", 12));
	assert_false(testing_folder_holds(folder, address + 12, 4));
	assert_false(testing_folder_holds(folder, "203.0.113.77", 12));
	assert_false(take(&wrong));
	buf_init(&b, 1 << 16);
	reports_refusal_json(&b, &refusal);
	assert_null(strstr(b.data, "203.0.113"));
	buf_done(&b);
}

static void the_same_key_of_the_same_person_is_the_same_report(void **state)
{
	struct reports_request req = request(REPORTS_ONE, "application/json", "{\"service\":\"x\"}");
	uint8_t other[16];
	(void)state;
	req.idempotency_key = "retry-1";
	assert_true(take(&req));
	struct observation_id first = taken.id;
	assert_false(observation_id_is_none(&first));
	assert_true(take(&req));
	assert_memory_equal(&taken.id, &first, sizeof(first));
	testing_address("203.0.113.78", other);
	req.address = other;
	assert_true(take(&req));
	assert_memory_not_equal(&taken.id, &first, sizeof(first));
}

static void in_a_folder_whose_time_is_beyond_all_observations_a_report_has_the_last_moment(void **state)
{
	struct reports_request req = request(REPORTS_ONE, "application/json", "{\"service\":\"x\"}");
	(void)state;
	req.now = wall_s(OBSERVATION_AT_MAX_S + 86400);
	assert_true(take(&req));
	assert_int_equal(taken.at.ns, OBSERVATION_AT_MAX_S * WD_NS_PER_S - 1000000);
}

static void every_refusal_is_a_problem_document_and_is_counted(void **state)
{
	static const char huge[5000] = {'{'};
	static const struct {
		const char *type, *authorization, *key, *body;
		size_t body_len;
		int status;
		const char *problem, *pointer, *detail;
	} cases[] = {
		{"text/plain", "", "", "{}", 0, 415, "/problems/content-type", NULL,
		 "A report is application/json or application/x-www-form-urlencoded."},
		{"application/json", "", "", huge, 4097, 413, "/problems/size", NULL, "A report is a few hundred bytes."},
		{"application/json", "Bearer wrong", "", "{}", 0, 401, "/problems/token", NULL,
		 "The header must be \"Authorization: Bearer \" and a feeder's token."},
		{"application/json", "Basic YTpi", "", "{}", 0, 401, "/problems/token", NULL,
		 "The header must be \"Authorization: Bearer \" and a feeder's token."},
		{"application/json", "", "a b", "{}", 0, 400, "/problems/idempotency-key", NULL,
		 "The key is 1 to 64 printable ASCII characters without spaces."},
		{"application/json", "", "", "{", 0, 400, "/problems/syntax", "",
		 "the body is not JSON: it ends early (line 1, column 1)"},
		{"application/json", "", "", "{\"service\":\"x\",\"surface\":\"</script>\"}", 0, 422, "/problems/field", "/surface",
		 "X has no surface \"</script>\"; it has: app, website"},
		{"application/x-www-form-urlencoded", "", "", "service=x%0d%0aSet-Cookie:+a", 0, 422, "/problems/field",
		 "/service", "service is not one line of plain UTF-8 text"},
		{"application/json", "", "", "{\"service\":\"x\",\"country\":\"ZZ\"}", 0, 422, "/problems/field", "/country",
		 "there is no country \"ZZ\"; it is two letters, like GB (ISO 3166-1 alpha-2)"},
		{"application/x-www-form-urlencoded", "", "", "service=x&country=uk", 0, 422, "/problems/field",
		 "/country", "there is no country \"uk\"; it is two letters, like GB (ISO 3166-1 alpha-2)"},
	};
	(void)state;
	for (size_t i = 0; i < WD_COUNT(cases); i++) {
		struct reports_request req = request(REPORTS_ONE, cases[i].type, cases[i].body);
		req.authorization = cases[i].authorization;
		req.idempotency_key = cases[i].key;
		if (cases[i].body_len > 0)
			req.body_len = cases[i].body_len;
		assert_false(take(&req));
		assert_problem(cases[i].status, cases[i].problem, cases[i].pointer, cases[i].detail);
		assert_int_equal(refusal.from_form, strstr(cases[i].type, "form") != NULL);
		assert_int_equal(refusal.challenge, cases[i].status == 401);
	}
	struct reports_counters c = reports_count(reports);
	assert_int_equal(c.refused_type, 1);
	assert_int_equal(c.refused_size, 1);
	assert_int_equal(c.refused_token, 2);
	assert_int_equal(c.refused_key, 1);
	assert_int_equal(c.refused_syntax, 1);
	assert_int_equal(c.refused_fields, 4);
	assert_int_equal(c.reports, 0);
}

static void who_sends_too_many_is_told_when_to_come_back(void **state)
{
	struct reports_options o = options();
	struct reports_request req = request(REPORTS_ONE, "application/json", "{\"service\":\"x\"}");
	uint8_t other[16];
	char said[128];
	(void)state;
	o.reports_per_client_per_min = 6;
	o.reports_burst_per_client = 3;
	o.reports_per_s = 4;
	assert_int_equal(reports_configure(reports, &o), WD_OK);
	for (int i = 0; i < 3; i++)
		assert_true(take(&req));
	assert_false(take(&req));
	assert_in_range(refusal.retry_after_s, 2, 10);
	snprintf(said, sizeof(said),
		 "You have sent many reports in a short time. Please wait %u seconds and send it again.",
		 refusal.retry_after_s);
	assert_problem(429, "/problems/rate", NULL, said);
	testing_address("203.0.113.78", other);
	req.address = other;
	assert_true(take(&req));
	assert_false(take(&req));
	assert_problem(429, "/problems/rate", NULL,
		       "Very many people are reporting right now. Please wait 1 second and send it again.");
	struct reports_counters c = reports_count(reports);
	assert_int_equal(c.reports, 4);
	assert_int_equal(c.refused_client_rate, 1);
	assert_int_equal(c.refused_all_rate, 1);
}

static void a_feeder_reports_for_others_at_their_time(void **state)
{
	struct reports_request req = request(REPORTS_ONE, "application/json",
					     "{\"service\":\"x\",\"at\":\"2024-10-04T11:59:00Z\"}");
	(void)state;
	req.authorization = "bearer a-feeder's-secret-token";
	req.idempotency_key = "post-17";
	assert_true(take(&req));
	assert_string_equal(taken.feeder, "forum");
	assert_int_equal(taken.person, 0);
	assert_int_equal(taken.network, 0);
	assert_string_equal(taken.country, "");
	assert_int_equal(taken.at.ns, (noon - 60) * WD_NS_PER_S);
	assert_false(observation_id_is_none(&taken.id));
	struct reports_request early = request(REPORTS_ONE, "application/json",
					       "{\"service\":\"x\",\"at\":\"2024-10-04T12:11:00Z\"}");
	early.authorization = req.authorization;
	assert_false(take(&early));
	assert_problem(422, "/problems/field", "/at", "at is in the future");
}

static bool take_batch(const char *body, struct reports_batch *batch)
{
	struct reports_request req = request(REPORTS_BATCH, "application/x-ndjson", body);
	return reports_begin(reports, &req, &refusal) && reports_take_batch(reports, &req, batch, &refusal);
}

static void each_line_of_a_batch_is_taken_or_refused_on_its_own(void **state)
{
	static const char body[] =
		"{\"service\":\"twitter\",\"at\":\"2024-10-04T11:59:00Z\",\"id\":\"a\",\"surface\":\"app\",\"feeder\":\"liar\"}\r\n"
		"\n"
		"{\"service\":\"x\",\"at\":\"2024-10-04T11:59:00Z\"}\n"
		"{\"service\":\"x\",\"at\":\"2024-10-04T11:59:00Z\",\"id\":\"b\",\"surface\":\"fax\"}\n"
		"{\"service\":\"x\",\"at\":\"2024-10-04T11:59:00Z\",\"id\":\"b\",\"problem\":\"bored\"}\n"
		"{\"service\":\"y\",\"at\":\"2024-10-04T11:59:00Z\",\"id\":\"b\"}\n"
		"{\"service\":\"x\",\"at\":\"2034-10-04T11:59:00Z\",\"id\":\"b\"}\n"
		"{\"service\":\"x\",\"at\":\"2024-10-04T11:59:00Z\",\"id\":\"b\",\"country\":\"QQ\"}\n"
		"not json\n"
		"{\"kind\":\"count\",\"service\":\"barclays\",\"at\":\"2024-10-04T11:00:00Z\",\"step\":900,\"count\":7}";
	struct reports_batch batch;
	struct observation o;
	struct buf b;
	size_t used, used_too;
	(void)state;
	assert_true(take_batch(body, &batch));
	assert_int_equal(batch.count, 2);
	assert_int_equal(batch.refused, 7);
	assert_int_equal(observation_decode(batch.frames.bytes, batch.frames.len, &o, &used, NULL), WD_OK);
	assert_string_equal(o.service, "x");
	assert_string_equal(o.feeder, "forum");
	assert_int_equal(observation_decode(batch.frames.bytes + used, batch.frames.len - used, &o, &used_too, NULL), WD_OK);
	assert_int_equal(used + used_too, batch.frames.len);
	assert_string_equal(o.service, "barclays");
	assert_int_equal(o.count, 7);
	assert_false(observation_id_is_none(&o.id));
	buf_init(&b, 1 << 16);
	reports_batch_json(&b, &batch, 1);
	assert_string_equal(b.data,
		"{\"accepted\":1,\"duplicates\":1,\"refused\":7,\"lines\":["
		"{\"line\":3,\"at\":0,\"detail\":\"id is missing: without one a report that is sent again counts again\"},"
		"{\"line\":4,\"at\":0,\"detail\":\"the service has no such surface; GET /api/v1/services lists all\"},"
		"{\"line\":5,\"at\":0,\"detail\":\"the service has no such problem; GET /api/v1/services lists all\"},"
		"{\"line\":6,\"at\":0,\"detail\":\"there is no such service here; GET /api/v1/services lists all\"},"
		"{\"line\":7,\"at\":0,\"detail\":\"at is in the future\"},"
		"{\"line\":8,\"at\":0,\"detail\":\"there is no such country; country is a code of "
		"ISO 3166-1 alpha-2, like \\\"GB\\\"\"},"
		"{\"line\":9,\"at\":0,\"detail\":\"the line is not a JSON object\"}]}\n");
	buf_done(&b);
	reports_batch_done(&batch);
}

static void counts_of_parts_of_a_service_are_not_the_same_bucket(void **state)
{
#define COUNT_OF(more) "{\"kind\":\"count\",\"service\":\"x\",\"at\":\"2024-10-04T11:00:00Z\",\"step\":60,\"count\":7" more "}\n"
	static const char body[] = COUNT_OF("") COUNT_OF(",\"surface\":\"app\"") COUNT_OF(",\"surface\":\"website\"")
		COUNT_OF(",\"problem\":\"login\"") COUNT_OF(",\"country\":\"GB\"") COUNT_OF(",\"country\":\"GB\",\"city\":\"Leeds\"")
		COUNT_OF(",\"network\":2856") COUNT_OF("") COUNT_OF(",\"surface\":\"app\"");
	struct reports_batch batch;
	struct observation_id ids[9];
	size_t at = 0, len;
	(void)state;
	assert_true(take_batch(body, &batch));
	assert_int_equal(batch.count, 9);
	for (int i = 0; i < 9; i++, at += len) {
		struct observation o;
		assert_int_equal(observation_decode(batch.frames.bytes + at, batch.frames.len - at, &o, &len, NULL), WD_OK);
		ids[i] = o.id;
	}
	for (int i = 0; i < 9; i++)
		for (int k = 0; k < i; k++)
			assert_int_equal(memcmp(&ids[i], &ids[k], sizeof(ids[i])) == 0, i == k + 7);
	reports_batch_done(&batch);
}

static void an_id_is_the_feeders_own(void **state)
{
	static const char body[] = "{\"service\":\"x\",\"at\":\"2024-10-04T11:59:00Z\",\"id\":\"a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5\"}";
	struct reports_feeder two[2] = {feeder, {.name = "other"}};
	struct reports_options o = options();
	struct reports_batch batch;
	struct observation_id ids[3];
	struct observation seen;
	size_t used;
	(void)state;
	crypto_generichash(two[1].token_hash, 32, (const uint8_t *)"another-token", 13, NULL, 0);
	o.feeders = two;
	o.feeder_count = 2;
	assert_int_equal(reports_configure(reports, &o), WD_OK);
	for (int i = 0; i < 3; i++) {
		struct reports_request req = request(REPORTS_BATCH, "application/x-ndjson", body);
		if (i == 2)
			req.authorization = "Bearer another-token";
		assert_true(reports_begin(reports, &req, &refusal));
		assert_true(reports_take_batch(reports, &req, &batch, &refusal));
		assert_int_equal(observation_decode(batch.frames.bytes, batch.frames.len, &seen, &used, NULL), WD_OK);
		ids[i] = seen.id;
		reports_batch_done(&batch);
	}
	assert_memory_equal(&ids[0], &ids[1], sizeof(ids[0]));
	assert_memory_not_equal(&ids[0], &ids[2], sizeof(ids[0]));
	assert_int_not_equal(ids[0].bytes[5], 0xa5); /* not the id it asked for: that may be another's */
}

static void a_batch_needs_a_token_and_pays_for_its_lines(void **state)
{
	static const char body[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";
	struct reports_request req = request(REPORTS_BATCH, "application/x-ndjson", body);
	struct reports_options o = options();
	struct reports_batch batch;
	(void)state;
	req.authorization = "";
	assert_false(reports_begin(reports, &req, &refusal));
	assert_problem(401, "/problems/token", NULL, "The header must be \"Authorization: Bearer \" and a feeder's token.");
	o.observations_per_feeder_per_s = 10;
	assert_int_equal(reports_configure(reports, &o), WD_OK);
	assert_true(take_batch(body, &batch));
	reports_batch_done(&batch);
	assert_false(take_batch(body, &batch));
	assert_int_equal(refusal.status, 429);
	assert_in_range(refusal.retry_after_s, 1, 3);
}

/* A batch as gzip; what it is answered stands in `refusal`. */
static bool take_packed(const char *coding, const char *body, size_t len, size_t cut,
			struct reports_batch *ret_batch)
{
	static char packed[1 << 16];
	struct reports_request req = request(REPORTS_BATCH, "application/x-ndjson", "");
	z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)body, .avail_in = (uInt)len,
		      .next_out = (Bytef *)packed, .avail_out = sizeof(packed)};
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	req.content_encoding = coding;
	req.mono.ns = 1000 * WD_NS_PER_S; /* what others sent is forgotten */
	req.body = packed;
	req.body_len = sizeof(packed) - z.avail_out - cut;
	return reports_begin(reports, &req, &refusal) &&
	       reports_take_batch(reports, &req, ret_batch, &refusal);
}

static void a_batch_may_be_gzip_up_to_what_a_plain_one_may_have(void **state)
{
	enum { MAX = 1 << 20 };
	static const char body[] = "{\"at\":\"1\",\"id\":\"a\",\"service\":\"x\"}\n{}\n"
				   "{\"at\":\"1\",\"id\":\"b\",\"service\":\"x\"}";
	static char large[MAX + 1];
	struct reports_batch batch;
	struct observation seen;
	size_t used;
	struct reports_options o = options();
	(void)state;
	assert_int_equal(reports_configure(reports, &o), WD_OK);
	assert_true(take_packed("X-GZip", body, strlen(body), 0, &batch));
	assert_int_equal(batch.count, 2);
	assert_int_equal(batch.refused, 1);
	assert_int_equal(batch.lines[0].line, 2);
	assert_int_equal(observation_decode(batch.frames.bytes, batch.frames.len, &seen, &used, NULL), WD_OK);
	assert_string_equal(seen.service, "x");
	reports_batch_done(&batch);
	memset(large, ' ', sizeof(large));
	assert_true(take_packed("gzip", large, MAX, 0, &batch));
	assert_int_equal(batch.count + batch.refused, 0);
	reports_batch_done(&batch);
	assert_false(take_packed("gzip", large, MAX + 1, 0, &batch));
	assert_problem(413, "/problems/size", NULL, "Send the observations in smaller batches.");
	assert_false(take_packed("gzip", body, strlen(body), 1, &batch));
	assert_problem(400, "/problems/gzip", NULL, "the gzip body ends early");
	assert_null(refusal.accept_encoding);
}

static void lines_that_were_packed_are_paid_for_as_well(void **state)
{
	static char lines[100];
	struct reports_options o = options();
	struct reports_batch batch;
	(void)state;
	o.observations_per_feeder_per_s = 50;
	assert_int_equal(reports_configure(reports, &o), WD_OK);
	memset(lines, '\n', sizeof(lines));
	assert_true(take_packed("gzip", lines, sizeof(lines), 0, &batch));
	reports_batch_done(&batch);
	assert_false(take_packed("gzip", lines, sizeof(lines), 0, &batch));
	assert_int_equal(refusal.status, 429);
	o = options();
	assert_int_equal(reports_configure(reports, &o), WD_OK);
}

static void other_codings_are_refused_before_the_body(void **state)
{
	static const char *const others[] = {"br", "deflate", "zstd", "gzip, gzip", "gzip;q=1", "?"};
	struct reports_request req = request(REPORTS_BATCH, "application/x-ndjson", "");
	(void)state;
	for (size_t i = 0; i < WD_COUNT(others); i++) {
		req.content_encoding = others[i];
		assert_false(reports_begin(reports, &req, &refusal));
		assert_problem(415, "/problems/content-encoding", NULL,
			       "A batch is sent as it is, or with Content-Encoding: gzip.");
		assert_string_equal(refusal.accept_encoding, "gzip");
	}
	req.content_encoding = "identity";
	assert_true(reports_begin(reports, &req, &refusal));
	req = request(REPORTS_ONE, "application/json", "{\"service\":\"x\"}");
	req.content_encoding = "Identity";
	assert_true(take(&req));
	req.content_encoding = "gzip";
	assert_false(reports_begin(reports, &req, &refusal));
	assert_problem(415, "/problems/content-encoding", NULL,
		       "A report is sent as it is, without a Content-Encoding.");
	assert_string_equal(refusal.accept_encoding, "identity");
}

static void the_shortest_lines_have_room(void **state)
{
	enum { LINES = 20000 };
	static const char line[] = "{\"at\":\"1\",\"id\":\"a\",\"service\":\"x\"}\n";
	char *body = malloc(LINES * (sizeof(line) - 1) + 1);
	struct reports_batch batch;
	(void)state;
	assert_non_null(body);
	for (size_t i = 0; i <= LINES; i++)
		memcpy(body + i * (sizeof(line) - 1), line, i < LINES ? sizeof(line) - 1 : 0);
	body[LINES * (sizeof(line) - 1)] = '\0';
	assert_true(take_batch(body, &batch));
	assert_int_equal(batch.count, LINES);
	reports_batch_done(&batch);
	free(body);
}

/* Sent again it would never find room, which 503 would promise. */
static void a_batch_that_the_journal_never_has_room_for_is_too_large(void **state)
{
	static const char body[] = "{\"at\":\"1\",\"id\":\"a\",\"service\":\"x\"}\n"
				   "{\"at\":\"1\",\"id\":\"b\",\"service\":\"x\"}\n";
	struct reports_options o = options();
	struct reports_batch batch;
	(void)state;
	assert_true(take_batch(body, &batch));
	o.frames_bytes_max = batch.frames.len;
	reports_batch_done(&batch);
	assert_int_equal(reports_configure(reports, &o), WD_OK);
	assert_true(take_batch(body, &batch));
	reports_batch_done(&batch);
	o.frames_bytes_max--;
	assert_int_equal(reports_configure(reports, &o), WD_OK);
	assert_false(take_batch(body, &batch));
	assert_problem(413, "/problems/size", NULL, "Send the observations in smaller batches.");
	o = options();
	assert_int_equal(reports_configure(reports, &o), WD_OK);
}

static void made_up_services_and_places_do_not_grow_memory(void **state)
{
	char body[128];
	struct reports_request req = request(REPORTS_ONE, "application/json", body);
	(void)state;
	size_t before = 0;
	for (int i = 0; i < 100000; i++) {
		if (i == 1000)
			before = mallinfo2().uordblks;
		req.body_len = (size_t)snprintf(body, sizeof(body), "{\"service\":\"%s%d\",\"city\":\"c%d\"}",
						i % 2 ? "x\\u0020" : "s", i, i);
		assert_false(take(&req));
		req.body_len = (size_t)snprintf(body, sizeof(body), "{\"service\":\"x\",\"city\":\"c%d\"}", i);
		assert_true(take(&req));
	}
	assert_int_equal(mallinfo2().uordblks, before);
}

static void *report_on_and_on(void *arg)
{
	static const char body[] = "{\"service\":\"x\",\"surface\":\"app\",\"comment\":\"a\"}";
	struct reports_request req = *(const struct reports_request *)arg;
	req.body = body;
	req.body_len = strlen(body);
	for (int i = 0; i < 5000; i++) {
		uint8_t bytes[OBSERVATION_FRAME_MAX];
		struct reports_refusal why_not;
		struct observation o;
		size_t len, used;
		WD_CHECK(reports_begin(reports, &req, &why_not));
		WD_CHECK(reports_take(reports, &req, bytes, &len, &why_not));
		WD_CHECK(observation_decode(bytes, len, &o, &used, NULL) == WD_OK);
		WD_CHECK(strcmp(o.service, "x") == 0 && strcmp(o.city, "London") == 0);
	}
	return NULL;
}

static void a_reload_disturbs_nobody_who_reports(void **state)
{
	enum { THREADS = 3 };
	struct reports_request req = request(REPORTS_ONE, "application/json", "");
	pthread_t threads[THREADS];
	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, report_on_and_on, &req), 0);
	for (int i = 0; i < 200; i++) {
		struct reports_options o = options();
		o.catalogue = fixture_catalogue(); /* another one each time; the old must live on */
		assert_int_equal(reports_configure(reports, &o), WD_OK);
		catalogue_release(o.catalogue);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(reports_count(reports).reports, THREADS * 5000);
}

static int setup(void **state)
{
	static const struct testing_prefix prefixes[] = {
		{"203.0.113.0", 24, "country.iso_code=GB;city.names.en=London;subdivisions.0.names.en=England;"
				    "autonomous_system_number=#2856"},
	};
	char path[4096];
	(void)state;
	folder = testing_folder();
	snprintf(path, sizeof(path), "%s/city.mmdb", folder);
	testing_mmdb(path, prefixes, 1);
	struct place_files files = {.city = path};
	assert_int_equal(places_open(&files, &places, NULL), WD_OK);
	unlink(path); /* it has the address in its tree; the data folder has not */
	assert_int_equal(persons_open(folder, wall_s(noon), &persons, NULL), WD_OK);
	catalogue = fixture_catalogue();
	crypto_generichash(feeder.token_hash, 32, (const uint8_t *)"a-feeder's-secret-token", 23, NULL, 0);
	struct reports_parts parts = {.persons = persons, .places = places, .clients = 1024};
	struct reports_options o = options();
	return reports_open(&parts, &o, &reports) == WD_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	reports_close(reports);
	places_close(places);
	persons_close(persons);
	catalogue_release(catalogue);
	testing_folder_remove(folder);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_report_becomes_an_observation_with_its_place_and_person),
		TEST(who_says_where_is_believed_about_the_place_but_not_the_network),
		TEST(the_address_is_in_nothing_that_is_kept),
		TEST(the_same_key_of_the_same_person_is_the_same_report),
		TEST(in_a_folder_whose_time_is_beyond_all_observations_a_report_has_the_last_moment),
		TEST(every_refusal_is_a_problem_document_and_is_counted),
		TEST(who_sends_too_many_is_told_when_to_come_back),
		TEST(a_feeder_reports_for_others_at_their_time),
		TEST(each_line_of_a_batch_is_taken_or_refused_on_its_own),
		TEST(counts_of_parts_of_a_service_are_not_the_same_bucket),
		TEST(an_id_is_the_feeders_own),
		TEST(a_batch_needs_a_token_and_pays_for_its_lines),
		TEST(a_batch_may_be_gzip_up_to_what_a_plain_one_may_have),
		TEST(lines_that_were_packed_are_paid_for_as_well),
		TEST(other_codings_are_refused_before_the_body),
		TEST(the_shortest_lines_have_room),
		TEST(a_batch_that_the_journal_never_has_room_for_is_too_large),
		TEST(made_up_services_and_places_do_not_grow_memory),
		TEST(a_reload_disturbs_nobody_who_reports),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
