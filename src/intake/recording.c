/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/recording.h"

#include "base/check.h"
#include "decode/counts.h"
#include "decode/ndjson.h"
#include "intake/lines.h"
#include "intake/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the work on a CSV file, for the progress. */
static const double READING_PART = 0.4;

struct recording {
	struct recording_options options;
	struct lines *lines; /* NULL when a CSV file is read whole */
	bool csv;
	bool metric;
	bool is_one; /* recording_is_one */
	struct rows *rows; /* of CSV */
	uint64_t handed_out;
	wd_wall clock;
	uint64_t line; /* of what was handed out or is at fault */
	char service[SERVICE_ID_MAX + 1]; /* of a CSV file without that column */
	struct recording_counters counters;
};

/* The file's name without folder and endings, for a file of one service that does not name it. */
static void name_of_file(const char *path, char *dst, size_t dst_size)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	const char *dot = strchr(name, '.');
	size_t len = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
	snprintf(dst, dst_size, "%.*s", (int)(len < dst_size ? len : dst_size - 1), name);
}

enum wd_err recording_open(const struct recording_options *options,
			   struct recording **ret_recording, struct wd_why *why)
{
	struct recording *r = calloc(1, sizeof(*r));
	int first;
	enum wd_err err;

	if (r == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	r->options = *options;
	if (r->options.rows_max == 0)
		r->options.rows_max = RECORDING_ROWS_MAX;
	name_of_file(options->path, r->service, sizeof(r->service));
	err = lines_open(options->path, &r->lines, why);
	if (err != WD_OK)
		goto fail;
	err = lines_peek(r->lines, &first, why);
	if (err != WD_OK)
		goto fail;
	if (first < 0) {
		err = wd_fail(why, WD_SHORT, 0,
			      "the file is empty: a recording is NDJSON, or CSV with a header");
		goto fail;
	}
	if (first == '[') {
		err = wd_fail(why, WD_MALFORMED, 0,
			      "a JSON array: of our recordings each line is an object, as "
			      "jq -c '.[]' writes them");
		goto fail;
	}
	r->csv = first != '{';
	*ret_recording = r;
	return WD_OK;
fail:
	recording_close(r);
	return err;
}

void recording_close(struct recording *r)
{
	if (r == NULL)
		return;
	lines_close(r->lines);
	rows_close(r->rows);
	free(r);
}

static bool is_inside(const struct recording *r, wd_wall at)
{
	const struct recording_options *o = &r->options;
	return (o->from.ns == 0 || at.ns >= o->from.ns) && (o->to.ns == 0 || at.ns < o->to.ns);
}

/* A line that is wrong is passed over. */
static void pass_over(struct recording *r, uint64_t line, uint32_t column, const char *what)
{
	if (r->counters.bad++ > 0)
		return;
	r->counters.bad_line = line;
	r->counters.bad_column = column;
	r->counters.bad_what = what;
}

/* ---- NDJSON ---- */

static bool is_blank(const char *line, size_t len)
{
	return strspn(line, " \t") == len;
}

static enum wd_err next_line(struct recording *r, struct recorded *ret_o, bool *ret_more,
			     struct wd_why *why)
{
	char *line;
	size_t len;
	struct ndjson n;

	for (;;) {
		enum wd_err err = lines_next(r->lines, &line, &len, why);
		r->line = lines_number(r->lines);
		if (err == WD_OK && line == NULL) {
			*ret_more = false;
			return WD_OK;
		}
		if (err == WD_OK && is_blank(line, len))
			continue;
		bool broken_file = err != WD_OK && why->at == 0;
		if (err == WD_OK) {
			err = ndjson_read(line, len, &n, why);
			if (err != WD_OK)
				why->at++;
		}
		if (err != WD_OK && r->options.skip_bad && !broken_file) {
			pass_over(r, r->line, why->at, why->what);
			continue;
		}
		if (err != WD_OK)
			return err;
		r->counters.read++;
		r->is_one = true;
		if (!is_inside(r, n.observation.at)) {
			r->counters.outside++;
			continue;
		}
		break;
	}
	wd_wall clock = n.received.ns != 0 ? n.received : n.observation.at;
	if (wall_before(r->clock, clock))
		r->clock = clock;
	ret_o->observation = n.observation;
	ret_o->clock = r->clock;
	*ret_more = true;
	return WD_OK;
}

/* ---- CSV ---- */

/* Wrong lines are passed over if that was asked for. */
static enum wd_err wrong(struct recording *r, enum wd_err err, const struct wd_why *why)
{
	if (!r->options.skip_bad || err != WD_MALFORMED)
		return err;
	pass_over(r, r->line, why->at, why->what);
	return WD_OK;
}

static enum wd_err read_rows(struct recording *r, struct wd_why *why)
{
	struct counts c;
	struct counts_row row;
	char *line;
	size_t len;
	bool end, header = true;
	struct counts_options options = {.service = r->service,
					 .value_is_reports = r->options.value_is_reports};

	r->rows = rows_open(r->options.rows_max);
	if (r->rows == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	for (;;) {
		enum wd_err err = lines_next(r->lines, &line, &len, why);
		r->line = lines_number(r->lines);
		if (err != WD_OK && (why->at == 0 || header || wrong(r, err, why) != WD_OK))
			return err;
		if (err != WD_OK)
			continue;
		if (line == NULL)
			break;
		if (is_blank(line, len))
			continue;
		if (header) {
			err = counts_begin(&c, line, len, &options, why);
			header = false;
			r->is_one = counts_name_times(&c);
			if (err != WD_OK) {
				why->at = (uint32_t)c.column;
				return err;
			}
			continue;
		}
		counts_more(&c, line, len);
		err = counts_next(&c, &row, &end, why);
		if (err != WD_OK) {
			why->at = (uint32_t)c.column;
			err = wrong(r, err, why);
			if (err != WD_OK)
				return err;
			continue;
		}
		if (end) /* its number is empty: not known */
			continue;
		if (r->line > UINT32_MAX)
			return wd_fail(why, WD_FULL, 0, "a file has at most 4294967295 lines");
		r->metric = row.metric;
		const struct row as_kept = {
			.at_ns = row.at.ns,
			.value = row.metric ? row.value : row.reports,
			.line = (uint32_t)r->line,
		};
		err = rows_add(r->rows, row.service, &as_kept, row.step, why);
		if (err != WD_OK && wrong(r, err, why) != WD_OK)
			return err;
		r->counters.read += err == WD_OK;
	}
	return WD_OK;
}

static enum wd_err read_and_sort(struct recording *r, struct wd_why *why)
{
	uint32_t twice = 0;
	static const char again[] = "a row of this service and time stands above; if that is when "
				    "summer time ended, write times with their offset";
	enum wd_err err = read_rows(r, why);

	if (err != WD_OK)
		return err;
	lines_close(r->lines);
	r->lines = NULL;
	if (r->counters.read == 0)
		return wd_fail(why, WD_SHORT, 0,
			       r->counters.bad > 0 ? "no row of the file is right"
						   : "the file has a header and no row");
	err = rows_sort(r->rows, &twice, why);
	if (err != WD_OK)
		return err;
	if (twice != 0 && !r->options.skip_bad) {
		r->line = twice;
		return wd_fail(why, WD_MALFORMED, 1, again);
	}
	r->counters.read -= rows_dropped(r->rows);
	for (size_t i = 0; i < rows_dropped(r->rows); i++)
		pass_over(r, twice, 1, again);
	return WD_OK;
}

static enum wd_err next_row(struct recording *r, struct recorded *ret_o, bool *ret_more,
			    struct wd_why *why)
{
	const struct row *row;
	if (r->rows == NULL) {
		enum wd_err err = read_and_sort(r, why);
		if (err != WD_OK)
			return err;
	}
	for (;;) {
		row = rows_next(r->rows);
		if (row == NULL) {
			*ret_more = false;
			return WD_OK;
		}
		r->handed_out++;
		if (is_inside(r, (wd_wall){row->at_ns}))
			break;
		r->counters.outside++;
	}
	r->line = row->line;
	wd_span step = rows_step(r->rows, row->service);
	if (step.ns > OBSERVATION_STEP_MAX_S * WD_NS_PER_S)
		return wd_fail(why, WD_MALFORMED, 1,
			       "this service's rows are more than 31 days apart");
	struct counts_row as_read = {
		.at = {row->at_ns},
		.service = rows_service(r->rows, row->service),
		.metric = r->metric,
		.reports = r->metric ? 0 : (uint32_t)row->value,
		.value = r->metric ? row->value : 0,
	};
	ret_o->observation = counts_observation(&as_read, step);
	ret_o->clock = as_read.at;
	*ret_more = true;
	return WD_OK;
}

enum wd_err recording_next(struct recording *r, struct recorded *ret_o, bool *ret_more,
			   struct wd_why *why)
{
	struct wd_why local;
	if (why == NULL)
		why = &local;
	return r->csv ? next_row(r, ret_o, ret_more, why) : next_line(r, ret_o, ret_more, why);
}

bool recording_is_one(const struct recording *r) { return r->is_one; }
uint64_t recording_line(const struct recording *r) { return r->line; }
const char *recording_path(const struct recording *r) { return r->options.path; }
struct recording_counters recording_counters(const struct recording *r) { return r->counters; }

double recording_progress(struct recording *r)
{
	if (r->lines != NULL && (!r->csv || lines_progress(r->lines) < 0))
		return lines_progress(r->lines);
	if (r->lines != NULL)
		return READING_PART * lines_progress(r->lines);
	return READING_PART +
	       (1 - READING_PART) * (double)r->handed_out / (double)rows_count(r->rows);
}
