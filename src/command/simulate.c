/* SPDX-License-Identifier: Apache-2.0 */
#include "command/simulate.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/timetext.h"
#include "command/scenario_file.h"
#include "command/simulate_traffic.h"
#include "command/usage.h"
#include "intake/simulation.h"
#include "model/observation.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
	"usage: whydown simulate [OPTION…] SCENARIO\n"
	"Writes the recording that a scenario file describes. SCENARIO is a path, or the name of "
	"one\n"
	"of the scenarios that come with the program.\n"
	"\n"
	"  --list           the scenarios that come with the program\n"
	"  --out FILE       write there instead of to standard output\n"
	"  --format FORMAT  reports: ndjson, one a line (default); csv, counts: "
	"time,service,reports\n"
	"                   traffic: pcap, packets (192 bytes of each); netflow5, netflow9, ipfix "
	"or sflow, the\n"
	"                   datagrams of an exporter, in a capture file\n"
	"  --bucket TIME    width of csv's buckets, like 15m or 1h (default 1m)\n"
	"  --seed N         another draw of the same scenario\n"
	"  --begin TIME     as if it began then, like 2025-03-10T00:00Z\n"
	"  --speed N        as it happens, N times as fast as time (default: at once)\n"
	"  --sampling N     traffic: one packet in N is seen (default 1)\n"
	"  --timeout TIME   traffic: the longest flow, like 60s (default 1s)\n"
	"  --labels FILE    traffic: what was really there, a second a line\n"
	"  --to HOST:PORT   traffic: to a collector on this machine, like 127.0.0.1:2055\n"
	"  --help           this text\n";

enum { FLUSH_AT = 1 << 16, OUTPUT_MAX = 1 << 26 };

struct job {
	const char *scenario, *out_path;
	FILE *out;
	bool csv, list, help, has_seed, has_begin;
	uint64_t seed;
	wd_wall begin;
	wd_span bucket;
	double speed; /* 0 = at once */
	struct traffic_job traffic;
};

/* Its title; none is a failure. */
static void list_one(void *ctx, const char *name)
{
	int *status = ctx;
	struct scenario *s = scenario_load(name);

	if (s != NULL) {
		printf("%-24s ", name);
		scenario_print_plain(stdout, s->title, strlen(s->title));
		putchar('\n');
	} else {
		*status = 1;
	}
	scenario_free(s);
}

static int list(void)
{
	int status = 0;
	return scenario_each_installed(list_one, &status) ? status : 1;
}

/* ---- options ---- */

enum option_id {
	OUT = 256,
	FORMAT,
	BUCKET,
	SEED,
	BEGIN,
	SPEED,
	LIST,
	HELP,
	SAMPLING,
	TIMEOUT,
	LABELS,
	TO
};

static const struct option options[] = {
	{"out", required_argument, NULL, OUT},
	{"format", required_argument, NULL, FORMAT},
	{"bucket", required_argument, NULL, BUCKET},
	{"seed", required_argument, NULL, SEED},
	{"begin", required_argument, NULL, BEGIN},
	{"speed", required_argument, NULL, SPEED},
	{"sampling", required_argument, NULL, SAMPLING},
	{"timeout", required_argument, NULL, TIMEOUT},
	{"labels", required_argument, NULL, LABELS},
	{"to", required_argument, NULL, TO},
	{"list", no_argument, NULL, LIST},
	{"help", no_argument, NULL, HELP},
	{0},
};

static int refuse(const char *option, const char *right)
{
	return usage_refuse("simulate", option, optarg, right);
}

static bool read_format(const char *text, struct job *job)
{
	job->csv = strcmp(text, "csv") == 0;
	return job->csv || strcmp(text, "ndjson") == 0 || traffic_format_read(text, &job->traffic);
}

/* 0, or the exit status. */
static int read_option(int option, struct job *job)
{
	uint64_t n;

	switch (option) {
	case OUT: job->out_path = optarg; return 0;
	case LIST: job->list = true; return 0;
	case HELP: job->help = true; return 0;
	case LABELS: job->traffic.labels_path = optarg; return 0;
	case TO: job->traffic.collector = optarg; return 0;
	case FORMAT:
		return read_format(optarg, job)
			       ? 0
			       : refuse("--format",
					"ndjson, csv, pcap, netflow5, netflow9, ipfix, sflow");
	case SAMPLING:
		if (!usage_number(optarg, 1, 1000000, &n))
			return refuse("--sampling", "a whole number from 1 to 1000000");
		job->traffic.sampling = (uint32_t)n;
		return 0;
	case TIMEOUT:
		return usage_width(optarg, &job->traffic.timeout)
			       ? 0
			       : refuse("--timeout", "a whole number and s, m or h, like 60s");
	case BUCKET:
		return usage_width(optarg, &job->bucket)
			       ? 0
			       : refuse("--bucket", "a whole number and s, m, h or d, like 15m");
	case SEED:
		job->has_seed = usage_number(optarg, 0, UINT64_MAX, &job->seed);
		return job->has_seed ? 0 : refuse("--seed", "a whole number");
	case BEGIN:
		job->has_begin = usage_time(optarg, &job->begin);
		return job->has_begin ? 0 : refuse("--begin", "a time like 2025-03-10T00:00Z");
	case SPEED:
		return usage_amount(optarg, 1e9, &job->speed)
			       ? 0
			       : refuse("--speed", "a number above 0, like 60");
	default: return usage_wrong("simulate", NULL);
	}
}

/* 0, or the exit status. */
static int read_options(int argc, char **argv, struct job *job)
{
	int option, status = 0;

	optind = 1;
	while (status == 0 && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
		status = read_option(option, job);
	if (status != 0 || job->help || job->list)
		return status;
	if (optind == argc)
		return usage_wrong("simulate", "which scenario? --list shows those that come with "
					       "the program");
	if (optind + 1 < argc)
		return usage_wrong("simulate", "one scenario at a time");
	job->scenario = argv[optind];
	if (job->traffic.collector != NULL && job->traffic.format != TRAFFIC_EXPORTS)
		return usage_refuse("simulate", "--to", job->traffic.collector,
				    "together with --format netflow5, netflow9, ipfix or sflow");
	return 0;
}

/* ---- writing ---- */

static bool flush(struct job *job, struct buf *b)
{
	bool ok = !b->bad &&
		  fwrite(b->data != NULL ? b->data : "", 1, b->len, job->out) == b->len &&
		  fflush(job->out) == 0;
	if (!ok)
		fprintf(stderr, "whydown: %s: %s\n", job->out_path, strerror(errno));
	buf_reset(b);
	return ok;
}

/* Waits until it is `at` in a scenario that began at `begin` when the clock showed `start`. */
static void wait_until(const struct job *job, struct timespec start, wd_wall begin, wd_wall at)
{
	double s = (double)wall_sub(at, begin).ns / 1e9 / job->speed;
	int64_t ns = start.tv_nsec + (int64_t)(s * 1e9);
	struct timespec until = {start.tv_sec + ns / WD_NS_PER_S, ns % WD_NS_PER_S};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

static bool write_reports(struct job *job, struct simulation *m, const struct scenario *s)
{
	struct timespec start;
	struct observation o;
	struct buf b;
	struct wd_why why;
	bool more = true, ok = true;
	wd_span shift = job->has_begin ? wall_sub(job->begin, s->begins) : (wd_span){0};

	buf_init(&b, OUTPUT_MAX);
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (ok && more) {
		if (simulation_next(m, &o, &more, &why) != WD_OK) {
			fprintf(stderr, "whydown: %s: %s\n", job->scenario, why.what);
			buf_done(&b);
			return false;
		}
		if (!more)
			break;
		if (job->speed > 0) {
			ok = b.len == 0 || flush(job, &b);
			wait_until(job, start, s->begins, o.at);
		}
		o.at = wall_add(o.at, shift);
		observation_to_json(&b, &o, (wd_wall){0});
		buf_char(&b, '\n');
		if (ok && b.len >= FLUSH_AT)
			ok = flush(job, &b);
	}
	ok = ok && flush(job, &b);
	buf_done(&b);
	return ok;
}

/* One bucket of all services; not those of which a part was not recorded. */
static void write_bucket(const struct job *job, struct buf *b, const struct simulation *m,
			 const uint32_t *counts, wd_wall at, wd_span shift)
{
	char time[TIMETEXT_LEN_MAX];
	timetext_write(time, wall_add(at, shift));
	for (size_t i = 0; i < simulation_service_count(m); i++) {
		if (simulation_has_gap(m, i, at, wall_add(at, job->bucket)))
			continue;
		buf_str(b, time);
		buf_char(b, ',');
		buf_str(b, simulation_service_id(m, i));
		buf_char(b, ',');
		buf_u64(b, counts[i]);
		buf_char(b, '\n');
	}
}

static bool write_counts(struct job *job, struct simulation *m, const struct scenario *s)
{
	size_t count = simulation_service_count(m);
	uint32_t *counts = calloc(count, sizeof(*counts));
	wd_span shift = job->has_begin ? wall_sub(job->begin, s->begins) : (wd_span){0};
	wd_wall end = wall_add(s->begins, s->lasts);
	struct observation o = {0};
	struct buf b;
	struct wd_why why = {0};
	bool more = true, ok = counts != NULL;

	buf_init(&b, OUTPUT_MAX);
	buf_str(&b, "time,service,reports\n");
	if (ok)
		ok = simulation_next(m, &o, &more, &why) == WD_OK;
	/* Only whole buckets: a cut one would look like a fall. */
	for (wd_wall at = s->begins; ok && wall_add(at, job->bucket).ns <= end.ns;) {
		wd_wall next = wall_add(at, job->bucket);
		memset(counts, 0, count * sizeof(*counts));
		while (ok && more && wall_before(o.at, next)) {
			counts[simulation_service(m)]++;
			ok = simulation_next(m, &o, &more, &why) == WD_OK;
		}
		write_bucket(job, &b, m, counts, at, shift);
		if (b.len >= FLUSH_AT && !flush(job, &b)) {
			free(counts);
			buf_done(&b);
			return false;
		}
		at = next;
	}
	free(counts);
	if (!ok)
		fprintf(stderr, "whydown: %s: memory ran out\n", job->scenario);
	ok = ok && flush(job, &b);
	buf_done(&b);
	return ok;
}

static bool write_traffic(const struct job *job, const struct scenario *s)
{
	struct traffic_job t = job->traffic;
	t.scenario = s;
	t.seed = job->has_seed ? job->seed : s->seed;
	t.shift = job->has_begin ? wall_sub(job->begin, s->begins) : (wd_span){0};
	t.speed = job->speed;
	t.out = t.collector == NULL ? job->out : NULL;
	t.out_path = job->out_path;
	return traffic_write(&t);
}

static int run(struct job *job)
{
	struct simulation *m = NULL;
	struct wd_why why;
	bool ok = false;
	struct scenario *s = scenario_load(job->scenario);

	if (s == NULL)
		return 1;
	if (job->out_path != NULL) {
		job->out = fopen(job->out_path, "wb");
		if (job->out == NULL) {
			fprintf(stderr, "whydown: %s: %s\n", job->out_path, strerror(errno));
			scenario_free(s);
			return 1;
		}
	} else {
		job->out = stdout;
		job->out_path = "standard output";
	}
	if (job->traffic.format != TRAFFIC_NONE)
		ok = write_traffic(job, s);
	else if (simulation_open(s, job->has_seed ? job->seed : s->seed, &m, &why) != WD_OK)
		fprintf(stderr, "whydown: %s: %s\n", job->scenario, why.what);
	else if (job->csv)
		ok = write_counts(job, m, s);
	else
		ok = write_reports(job, m, s);
	if (job->out != stdout && fclose(job->out) != 0 && ok) {
		fprintf(stderr, "whydown: %s: %s\n", job->out_path, strerror(errno));
		ok = false;
	}
	simulation_close(m);
	scenario_free(s);
	return ok ? 0 : 1;
}

int command_simulate(int argc, char **argv)
{
	struct job job = {.bucket = span_s(60),
			  .traffic = {.sampling = 1, .timeout = span_s(1)}};
	int status = read_options(argc, argv, &job);

	if (status != 0)
		return status;
	if (job.help) {
		fputs(usage, stdout);
		return 0;
	}
	return job.list ? list() : run(&job);
}
