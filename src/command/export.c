/* SPDX-License-Identifier: Apache-2.0 */
#include "command/export.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/timetext.h"
#include "command/usage.h"
#include "store/reader.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: whydown export --data FOLDER [OPTION…]\n"
	"Writes what a data folder holds to standard output. A server may be using the folder.\n"
	"\n"
	"  --what reports     every observation of the journal (default)\n"
	"  --what counts      reports a bucket and service: replay reads it\n"
	"  --what incidents   every incident, as it was when it last changed\n"
	"  --what traces      what the traffic of incidents was (NDJSON only)\n"
	"  --format ndjson    one JSON object a line (default)\n"
	"  --format csv       with a line of names on top\n"
	"  --from TIME        that happened at this time or later, like 2025-03-10T09:00Z\n"
	"  --to TIME          that happened before this time\n"
	"  --service ID       of this service only\n"
	"  --bucket TIME      width of a bucket of counts, like 15m or 1h (default 1m); what was\n"
	"                     fed in wider ones stays in those\n"
	"  --all-comments     also comments that nobody published\n"
	"  --help             this text\n";

enum what { WHAT_REPORTS, WHAT_COUNTS, WHAT_INCIDENTS, WHAT_TRACES };
enum { FLUSH_AT = 1 << 15, LINE_MAX_BYTES = FLUSH_AT + TRACE_JSON_MAX };

struct job {
	const char *folder;
	enum what what;
	bool csv, help;
	wd_span bucket;
	struct reader_query query;
	struct buf out;
	bool failed; /* to write */
};

/* ---- output ---- */

static bool flush(struct job *job)
{
	if (job->out.bad || fwrite(job->out.data, 1, job->out.len, stdout) != job->out.len)
		job->failed = true;
	buf_reset(&job->out);
	return !job->failed;
}

static bool end_line(struct job *job)
{
	buf_char(&job->out, '\n');
	return job->out.len < FLUSH_AT || flush(job);
}

static void csv_text(struct job *job, const char *text)
{
	buf_char(&job->out, ',');
	buf_csv(&job->out, text);
}

/* "" for 0, which is no time of ours. */
static void csv_time(struct job *job, wd_wall at)
{
	char text[TIMETEXT_LEN_MAX] = "";
	if (at.ns != 0)
		timetext_write(text, at);
	csv_text(job, text);
}

static const char report_names[] = "time,received,kind,id,service,surface,problem,count,value,step,"
				   "country,region,city,network,comment,feeder\n";

static bool write_report(void *ctx, wd_wall received, const struct observation *o)
{
	struct job *job = ctx;
	struct buf *b = &job->out;
	char text[64] = "";

	if (!job->csv) {
		observation_to_json(b, o, received);
		return end_line(job);
	}
	timetext_write(text, o->at);
	buf_str(b, text);
	csv_time(job, received);
	csv_text(job, observation_kind_name(o->kind));
	text[0] = '\0';
	if (!observation_id_is_none(&o->id))
		observation_id_text(&o->id, text);
	csv_text(job, text);
	csv_text(job, o->service);
	csv_text(job, o->surface);
	csv_text(job, o->problem);
	buf_fmt(b, ",%u,", o->count);
	if (o->kind == OBSERVATION_METRIC)
		buf_fmt(b, "%.17g", o->value);
	buf_fmt(b, ",%.10g", (double)o->step.ns / (double)WD_NS_PER_S);
	csv_text(job, o->country);
	csv_text(job, o->region);
	csv_text(job, o->city);
	buf_char(b, ',');
	if (o->network != 0)
		buf_fmt(b, "AS%u", o->network);
	csv_text(job, o->comment);
	csv_text(job, o->feeder);
	return end_line(job);
}

static const char count_names[] = "time,service,reports,step\n";

static bool write_count(void *ctx, const struct reader_count *c)
{
	struct job *job = ctx;
	double step_s = (double)c->step.ns / (double)WD_NS_PER_S;
	char time[TIMETEXT_LEN_MAX];

	timetext_write(time, c->at);
	if (job->csv) {
		buf_str(&job->out, time);
		csv_text(job, c->service);
		buf_char(&job->out, ',');
		buf_u64(&job->out, c->reports);
		buf_fmt(&job->out, ",%.10g", step_s);
		return end_line(job);
	}
	buf_fmt(&job->out,
		"{\"v\":1,\"kind\":\"count\",\"at\":\"%s\",\"step\":%.10g,\"service\":\"",
		time, step_s);
	buf_json(&job->out, c->service);
	buf_str(&job->out, "\",\"count\":");
	buf_u64(&job->out, c->reports);
	buf_char(&job->out, '}');
	return end_line(job);
}

static const char incident_names[] = "id,service,state,severity,began_at,decided_at,ended_at,peak_"
				     "at,peak_observed,peak_expected,"
				     "excess,log10_return,persons,networks,waves,reconstruction\n";

static void write_incident(void *ctx, const struct incident *i)
{
	struct job *job = ctx;
	const struct reader_query *q = &job->query;
	struct buf *b = &job->out;

	if (job->failed || wall_before(i->began_at, q->from) ||
	    (q->to.ns != 0 && !wall_before(i->began_at, q->to)) ||
	    (q->service != NULL && strcmp(q->service, i->service) != 0))
		return;
	if (!job->csv) {
		incident_to_json(b, i);
		(void)end_line(job);
		return;
	}
	buf_csv(b, i->id);
	csv_text(job, i->service);
	csv_text(job, incident_state_name(i->state));
	csv_text(job, severity_name(incident_severity_word(i)));
	csv_time(job, i->began_at);
	csv_time(job, i->decided_at);
	csv_time(job, i->ended_at);
	csv_time(job, i->peak_at);
	buf_fmt(b, ",%.9g,%.9g,%.9g,%.9g,%u,%u,%u,%s", (double)i->peak_observed,
		(double)i->peak_expected, (double)i->excess, (double)i->log10_return, i->persons,
		i->networks, i->wave_count, i->reconstruction ? "true" : "false");
	(void)end_line(job);
}

/* An incident's id is its service's, then the time of its begin: "x-20250310-0945". */
static bool is_of_service(const char *incident, const char *service)
{
	size_t len = strlen(service);
	return strncmp(incident, service, len) == 0 && incident[len] == '-' &&
	       strspn(incident + len + 1, "0123456789") == 8;
}

static void write_trace(void *ctx, const struct trace *t)
{
	struct job *job = ctx;
	const struct reader_query *q = &job->query;
	if (job->failed || wall_before(t->begin, q->from) ||
	    (q->to.ns != 0 && !wall_before(t->begin, q->to)) ||
	    (q->service != NULL && !is_of_service(t->incident, q->service)))
		return;
	trace_to_json(&job->out, t);
	(void)end_line(job);
}

/* ---- options ---- */

static int refuse(const char *option, const char *right)
{
	return usage_refuse("export", option, optarg, right);
}

static int read_option(struct job *job, int c)
{
	static const char *const whats[] = {"reports", "counts", "incidents", "traces"};
	static const char *const formats[] = {"ndjson", "csv"};
	static const char time_like[] = "a time like 2025-03-10T09:00Z, or a day (UTC)";
	size_t index = 0;

	switch (c) {
	case 'd':
		job->folder = optarg;
		return 0;
	case 'w':
		if (!usage_word(optarg, whats, WD_COUNT(whats), &index))
			return refuse("--what", "reports, counts, incidents, traces");
		job->what = (enum what)index;
		return 0;
	case 'f':
		if (!usage_word(optarg, formats, WD_COUNT(formats), &index))
			return refuse("--format", "ndjson, csv");
		job->csv = index == 1;
		return 0;
	case 'F':
		return usage_time(optarg, &job->query.from) ? 0 : refuse("--from", time_like);
	case 'T':
		return usage_time(optarg, &job->query.to) ? 0 : refuse("--to", time_like);
	case 's':
		job->query.service = optarg;
		return 0;
	case 'b':
		return usage_width(optarg, &job->bucket)
			       ? 0
			       : refuse("--bucket", "a width like 90s, 15m, 1h or 1d, at most 31d");
	case 'c':
		job->query.all_comments = true;
		return 0;
	case 'h':
		job->help = true;
		return 0;
	default:
		return usage_wrong("export", NULL);
	}
}

static int read_options(struct job *job, int argc, char **argv)
{
	static const struct option options[] = {
		{"data", required_argument, NULL, 'd'},   {"what", required_argument, NULL, 'w'},
		{"format", required_argument, NULL, 'f'}, {"from", required_argument, NULL, 'F'},
		{"to", required_argument, NULL, 'T'},     {"service", required_argument, NULL, 's'},
		{"bucket", required_argument, NULL, 'b'}, {"all-comments", no_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
	};
	int c, status = 0;

	optind = 1;
	while (status == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1)
		status = read_option(job, c);
	if (status != 0 || job->help)
		return status;
	if (optind < argc)
		return usage_wrong("export", "it takes options only");
	if (job->query.from.ns != 0 && job->query.to.ns != 0 &&
	    !wall_before(job->query.from, job->query.to))
		return usage_wrong("export", "--to is no later than --from");
	if (job->what == WHAT_TRACES && job->csv)
		return usage_refuse("export", "--format", "csv", "ndjson, as traces are written");
	if (job->folder == NULL) {
		return usage_wrong("export", "--data FOLDER is missing");
	}
	return 0;
}

/* ---- the work ---- */

static enum wd_err write_all(struct job *job, struct store *s, struct reader_counted *ret_counted,
			     struct wd_why *why)
{
	switch (job->what) {
	case WHAT_REPORTS:
		if (job->csv)
			buf_str(&job->out, report_names);
		return reader_each(s, &job->query, write_report, job,
				   &ret_counted->damaged, why);
	case WHAT_COUNTS:
		if (job->csv)
			buf_str(&job->out, count_names);
		return reader_each_count(s, &job->query, job->bucket, write_count, job,
					 ret_counted, why);
	case WHAT_INCIDENTS:
		if (job->csv)
			buf_str(&job->out, incident_names);
		return store_each_incident(s, write_incident, job, why);
	case WHAT_TRACES:
		return store_each_trace(s, 0, write_trace, job, why);
	}
	return WD_OK;
}

static int run(struct job *job)
{
	struct store *s = NULL;
	struct wd_why why = {0};
	struct reader_counted counted = {0};
	enum wd_err err = reader_open(job->folder, &s, &why);

	buf_init(&job->out, LINE_MAX_BYTES);
	if (err == WD_OK)
		err = write_all(job, s, &counted, &why);
	uint64_t unread = err == WD_OK ? store_count(s).unread : 0;
	store_close(s);
	bool written = err == WD_OK && !job->failed && flush(job) && fflush(stdout) == 0;
	buf_done(&job->out);
	if (err != WD_OK) {
		fprintf(stderr, "whydown export: %s: %s%s%s\n", job->folder, why.what,
			why.os_errno != 0 ? ": " : "",
			why.os_errno != 0 ? strerror(why.os_errno) : "");
		return 1;
	}
	if (!written) {
		fprintf(stderr, "whydown export: standard output: %s\n", strerror(errno));
		return 1;
	}
	if (counted.left_out > 0)
		fprintf(stderr,
			"whydown export: %llu counts of wider buckets were left out: their "
			"services' reports come one by one, and the server has counted them "
			"nowhere, either\n",
			(unsigned long long)counted.left_out);
	if (counted.damaged > 0) {
		fprintf(stderr,
			"whydown export: %llu damaged %s left out in part: only what is whole of "
			"%s was written (docs/storage.md)\n",
			(unsigned long long)counted.damaged,
			counted.damaged == 1 ? "batch was" : "batches were",
			counted.damaged == 1 ? "it" : "them");
		return 1;
	}
	if (unread > 0) {
		fprintf(stderr, "whydown export: %llu %s could not be read and %s left out\n",
			(unsigned long long)unread,
			job->what == WHAT_TRACES ? unread == 1 ? "trace" : "traces"
			: unread == 1		 ? "incident" : "incidents",
			unread == 1 ? "was" : "were");
		return 1;
	}
	return 0;
}

int command_export(int argc, char **argv)
{
	struct job job = {.bucket = span_s(60)};
	int status = read_options(&job, argc, argv);
	if (status != 0)
		return status;
	if (job.help) {
		fputs(usage, stdout);
		return 0;
	}
	return run(&job);
}
