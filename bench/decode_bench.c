/* SPDX-License-Identifier: Apache-2.0 */
/* decode_bench: how fast a core reads what comes in. Prints rows for the bench table:
 * name, unit, ours, peer's name, peer's figure, ratio. The peer, jansson, reads the same
 * lines into the same struct; each figure is the median of ROUNDS, ours and the peer's in turn. */
#include "base/check.h"
#include "base/hash.h"
#include "decode/counts.h"
#include "decode/ndjson.h"
#include "decode/ndjson_reference.h"
#include "decode/report.h"
#include "decode/report_fixture.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES = 100000, ROUNDS = 5 };

static void row(const char *name, const char *unit, double *ours, const char *peer, double *theirs)
{
	double a = median(ours, ROUNDS), b = median(theirs, ROUNDS);
	printf("%s\t%s\t%.0f\t%s\t%.0f\t%.2f\n", name, unit, a, peer, b, a / b);
}

struct lines { char *text, *copy; size_t len; uint32_t at[LINES + 1]; };

static void lines_make(struct lines *l, bool full)
{
	struct buf b;
	buf_init(&b, 1 << 28);
	for (size_t i = 0; i < LINES; i++) {
		struct observation o =
			observation_blank(full ? OBSERVATION_REPORT : OBSERVATION_COUNT);
		uint64_t r = hash_mix(i + 1);
		o.at = wall_add(wall_s(1741599900), span_ms((int64_t)i));
		o.service = i % 2 ? "x" : "barclays";
		if (full) {
			memcpy(o.id.bytes, &r, sizeof(r));
			o.person = r;
			o.network = (uint32_t)(r % 60000);
			o.surface = "app";
			o.problem = "not-loading";
			memcpy(o.country, "GB", 3);
			o.city = "London";
		} else {
			o.step = span_s(60);
			o.count = (uint32_t)(r % 1000);
		}
		l->at[i] = (uint32_t)b.len;
		observation_to_json(&b, &o, (wd_wall){0});
	}
	l->at[LINES] = (uint32_t)b.len;
	l->text = buf_take(&b, &l->len);
	l->copy = malloc(l->len + 1);
	WD_CHECK(l->text != NULL && l->copy != NULL);
}

/* Lines a second; the copy that our reader writes into is part of the cost. */
static double ndjson_by_us(struct lines *l)
{
	double begin = cpu_s();
	uint64_t sum = 0;
	for (size_t i = 0; i < LINES; i++) {
		struct ndjson n;
		size_t len = l->at[i + 1] - l->at[i];
		memcpy(l->copy + l->at[i], l->text + l->at[i], len);
		WD_CHECK(ndjson_read(l->copy + l->at[i], len, &n, NULL) == WD_OK);
		sum += n.observation.count;
	}
	WD_CHECK(sum > 0);
	return LINES / (cpu_s() - begin);
}

static double ndjson_by_jansson(struct lines *l)
{
	double begin = cpu_s();
	uint64_t sum = 0;
	for (size_t i = 0; i < LINES; i++) {
		struct ndjson n;
		json_t *json;
		WD_CHECK(ndjson_reference_read(l->text + l->at[i], l->at[i + 1] - l->at[i], &n,
					       &json));
		sum += n.observation.count;
		json_decref(json);
	}
	WD_CHECK(sum > 0);
	return LINES / (cpu_s() - begin);
}

static void bench_ndjson(const char *name, bool full)
{
	struct lines *l = malloc(sizeof(*l));
	double ours[ROUNDS], theirs[ROUNDS];
	WD_CHECK(l != NULL);
	lines_make(l, full);
	for (size_t i = 0; i < ROUNDS; i++) {
		ours[i] = ndjson_by_us(l);
		theirs[i] = ndjson_by_jansson(l);
	}
	row(name, "lines/s", ours, "jansson", theirs);
	free(l->text);
	free(l->copy);
	free(l);
}

static const char report_body[] = "{\"service\":\"twitter\",\"surface\":\"app\",\"problem\":\"not-"
				  "loading\",\"comment\":\"The "
				  "timeline stays empty since ten; \\\"something went wrong\\\" is "
				  "all it says, on two phones.\","
				  "\"country\":\"GB\",\"city\":\"London\"}";

/* Reports a second, from the body to the frame for the journal. */
static double report_by_us(const struct catalogue *catalogue)
{
	static struct report report;
	static struct report_errors errors;
	uint8_t frame[OBSERVATION_FRAME_MAX];
	struct report_source source = {
		REPORT_JSON, report_body, sizeof(report_body) - 1, catalogue, false,
	};
	double begin = cpu_s();
	for (size_t i = 0; i < LINES; i++) {
		WD_CHECK(report_read(&source, &report, &errors) == WD_OK);
		WD_CHECK(observation_encode(&report.observation, frame) > 0);
	}
	return LINES / (cpu_s() - begin);
}

/* What jansson takes of that: the bound. */
static double report_by_jansson(void)
{
	double begin = cpu_s();
	for (size_t i = 0; i < LINES; i++) {
		json_t *json = json_loadb(report_body, sizeof(report_body) - 1,
					  JSON_REJECT_DUPLICATES, NULL);
		WD_CHECK(json != NULL);
		json_decref(json);
	}
	return LINES / (cpu_s() - begin);
}

static void bench_report(void)
{
	struct catalogue *catalogue = fixture_catalogue();
	double ours[ROUNDS], theirs[ROUNDS];
	for (size_t i = 0; i < ROUNDS; i++) {
		ours[i] = report_by_us(catalogue);
		theirs[i] = report_by_jansson();
	}
	row("report: JSON body to frame", "reports/s", ours, "jansson, parse only", theirs);
	catalogue_release(catalogue);
}

/* Frames a second that a restart reads from the journal. */
static void bench_frame(void)
{
	uint8_t frame[OBSERVATION_FRAME_MAX];
	struct observation o = observation_blank(OBSERVATION_REPORT), back;
	double rounds[ROUNDS];
	size_t len = 0, used;

	o.service = "x";
	o.surface = "app";
	o.city = "London";
	for (size_t k = 0; k < ROUNDS; k++) {
		double begin = cpu_s();
		for (size_t i = 0; i < LINES; i++) {
			o.person = i;
			len = observation_encode(&o, frame);
			WD_CHECK(observation_decode(frame, len, &back, &used, NULL) == WD_OK);
		}
		rounds[k] = LINES / (cpu_s() - begin);
	}
	printf("frame: encoded and decoded\tframes/s\t%.0f\t-\t-\t-\n", median(rounds, ROUNDS));
}

static void bench_counts(void)
{
	struct buf b;
	double rounds[ROUNDS];
	buf_init(&b, 1 << 26);
	buf_str(&b, "time,service,reports\n");
	for (size_t i = 0; i < LINES; i++)
		buf_fmt(&b, "2025-03-%02zuT%02zu:%02zu:00Z,x,%zu\n", 1 + i / 1440 % 28, i / 60 % 24,
			i % 60, i % 997);
	WD_CHECK(!b.bad);
	for (size_t k = 0; k < ROUNDS; k++) {
		struct counts_options options = {0};
		struct counts c;
		struct counts_row counted;
		bool end = false;
		double begin = cpu_s();
		WD_CHECK(counts_begin(&c, b.data, b.len, &options, NULL) == WD_OK);
		while (!end)
			WD_CHECK(counts_next(&c, &counted, &end, NULL) == WD_OK);
		rounds[k] = LINES / (cpu_s() - begin);
	}
	printf("csv: counts of 30 bytes\tlines/s\t%.0f\t-\t-\t-\n", median(rounds, ROUNDS));
	buf_done(&b);
}

int main(void)
{
	bench_ndjson("ndjson: reports of 240 bytes", true);
	bench_ndjson("ndjson: counts of 90 bytes", false);
	bench_counts();
	bench_report();
	bench_frame();
	return 0;
}
