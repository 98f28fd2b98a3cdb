/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay.h"

#include "base/buf.h"
#include "base/check.h"
#include "base/timetext.h"
#include "command/progress.h"
#include "command/replay_job.h"
#include "command/replay_notes.h"
#include "command/replay_text.h"
#include "command/replay_trace.h"
#include "command/replay_traffic.h"
#include "config/config.h"
#include "decode/accesslog.h"
#include "decode/packet.h"
#include "engine/engine.h"
#include "intake/recording.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OUTPUT_MAX = 1 << 30,
	FLUSH_AT = 1 << 16,
	LOOK_AT_CLOCK_EVERY = 4096, /* records */
	WATCHED_MAX = 10000,  /* services with traffic */
};

/* A recording, of reports or of traffic, and what comes next from it. */
struct source {
	struct recording *recording;
	struct traffic_input *traffic; /* one of both */
	struct recorded next;          /* of traffic its clock only */
	struct wd_why no_log;          /* of the first line that is no request, if it is no log */
	bool more;
};

struct run {
	const struct job *job;
	struct engine *engine;
	struct source *sources;
	struct traffic_play *traffic;
	struct catalogue *catalogue;
	struct buf out;
	bool out_failed;
	struct progress progress;
	uint64_t observed, full, width, other, unknown;
	wd_wall first, last; /* clock */
	uint64_t coordinated;
	size_t notes; /* clients noted */
};

/* ---- output ---- */

static void flush_out(struct run *run)
{
	if (run->out.bad || fwrite(run->out.data != NULL ? run->out.data : "", 1, run->out.len,
				   stdout) != run->out.len)
		run->out_failed = true;
	buf_reset(&run->out);
}

static void flush_when_full(struct run *run)
{
	if (run->out.len >= FLUSH_AT)
		flush_out(run);
}

/* As short as it can be and still be the same number when it is read again. */
static void add_float(struct buf *b, float x)
{
	char text[32];
	buf_char(b, ',');
	snprintf(text, sizeof(text), "%.7g", (double)x);
	if (strtof(text, NULL) != x)
		snprintf(text, sizeof(text), "%.9g", (double)x);
	buf_str(b, text);
}

static void write_score(void *ctx, const struct score *s)
{
	struct run *run = ctx;
	char time[TIMETEXT_LEN_MAX];

	timetext_write(time, s->at);
	buf_str(&run->out, time);
	buf_char(&run->out, ',');
	buf_csv(&run->out, s->service);
	add_float(&run->out, s->observed);
	buf_fmt(&run->out, ",%.6g,%.6g,%.6g,%.4g\n", (double)s->expected, (double)s->low,
		(double)s->high, (double)s->log10_return);
	flush_when_full(run);
}

/* What the engine told since the last call. Incidents are printed when all is read, as they
 * are in the end: a closed one may still go on in a new wave. */
static void take_effects(struct run *run)
{
	size_t count;
	const struct effect *effects = engine_effects(run->engine, &count);

	for (size_t i = 0; i < count; i++) {
		if (effects[i].kind != EFFECT_COORDINATED)
			continue;
		run->coordinated++;
		if (run->job->format == FORMAT_TEXT)
			replay_text_coordinated(&run->out, &effects[i].coordinated);
	}
	if (count > 0)
		engine_effects_drop(run->engine);
	flush_when_full(run);
}

static int compare_decided(const void *a, const void *b)
{
	const struct incident *x = *(const struct incident *const *)a,
			      *y = *(const struct incident *const *)b;
	if (x->decided_at.ns != y->decided_at.ns)
		return x->decided_at.ns < y->decided_at.ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* In the order in which they were decided. False if memory ran out. */
static bool write_incidents(struct run *run, size_t *ret_count)
{
	struct snapshot *s = engine_snapshot(run->engine);
	const struct incident **sorted =
		s == NULL ? NULL : calloc(s->incident_count + 1, sizeof(*sorted));

	if (sorted == NULL) {
		snapshot_release(s);
		return false;
	}
	for (size_t i = 0; i < s->incident_count; i++)
		sorted[i] = &s->incidents[i];
	qsort(sorted, s->incident_count, sizeof(*sorted), compare_decided);
	for (size_t i = 0; i < s->incident_count && run->job->format != FORMAT_SCORES; i++) {
		const struct trace *trace = snapshot_trace(s, sorted[i]->id);
		if (run->job->format == FORMAT_JSON)
			replay_json_incident(&run->out, sorted[i], trace);
		else
			replay_text_incident(&run->out, sorted[i], trace,
					     &traffic_play_book(run->traffic)->book);
		flush_when_full(run);
	}
	if (run->job->format != FORMAT_SCORES)
		run->notes = replay_notes_write(&run->out, run->traffic, s,
						run->job->format == FORMAT_JSON);
	*ret_count = s->incident_count;
	free(sorted);
	snapshot_release(s);
	return true;
}

/* ---- progress ---- */

static void show_progress(struct run *run)
{
	double done = 0;

	if (!progress_is_due(&run->progress))
		return;
	for (size_t i = 0; i < run->job->path_count; i++) {
		const struct source *s = &run->sources[i];
		double part = s->traffic != NULL ? traffic_input_progress(s->traffic)
						 : recording_progress(s->recording);
		done += (part < 0 ? 0 : part) / (double)run->job->path_count;
	}
	progress_show(&run->progress, done, run->last, run->observed);
}

/* The first line that was passed over tells what is wrong with most. */
static void tell_bad(const struct recording *r)
{
	struct recording_counters c = recording_counters(r);
	if (c.bad > 0)
		fprintf(stderr, "  %llu bad line%s passed over%s %s:%llu:%u: %s\n",
			(unsigned long long)c.bad, c.bad == 1 ? "" : "s",
			c.bad == 1 ? ":" : ", the first", recording_path(r),
			(unsigned long long)c.bad_line, c.bad_column, c.bad_what);
}

static void write_summary(const struct run *run, size_t incidents)
{
	double s = progress_seconds(&run->progress);
	struct snapshot *snapshot = engine_snapshot(run->engine);
	struct recording_counters all = {0};

	for (size_t i = 0; i < run->job->path_count; i++) {
		if (run->sources[i].traffic != NULL)
			continue; /* a line of its own */
		struct recording_counters c = recording_counters(run->sources[i].recording);
		all.outside += c.outside;
	}
	fprintf(stderr, "%llu observation%s over %.1f days in %.2f s (%.2f M/s): %zu incident%s",
		(unsigned long long)run->observed, run->observed == 1 ? "" : "s",
		(double)wall_sub(run->last, run->first).ns / 86400e9, s,
		(double)run->observed / 1e6 / (s + 1e-9), incidents, incidents == 1 ? "" : "s");
	if (run->coordinated > 0)
		fprintf(stderr, ", %llu reports.coordinated", (unsigned long long)run->coordinated);
	if (run->notes > 0)
		fprintf(stderr, ", %zu client%s noted", run->notes, run->notes == 1 ? "" : "s");
	fputc('\n', stderr);
	if (snapshot != NULL && snapshot->counters.duplicates > 0)
		fprintf(stderr,
			"  %llu again by the same person in a quarter of an hour: not counted\n",
			(unsigned long long)snapshot->counters.duplicates);
	if (snapshot != NULL && snapshot->counters.late > 0)
		fprintf(stderr, "  %llu too late for their bucket: not counted\n",
			(unsigned long long)snapshot->counters.late);
	if (snapshot != NULL && snapshot->counters.widths_differ > 0)
		fprintf(stderr, "  %llu of another width than their service's first buckets: taken "
				"as if of that\n",
			(unsigned long long)snapshot->counters.widths_differ);
	if (snapshot != NULL && snapshot->counters.dimensions_dropped > 0)
		fprintf(stderr,
			"  %llu of a place, network, surface or problem beyond a service's "
			"signals: only in the total\n",
			(unsigned long long)snapshot->counters.dimensions_dropped);
	if (run->full > 0)
		fprintf(stderr, "  %llu of services beyond the maximum: not counted\n",
			(unsigned long long)run->full);
	if (run->width > 0)
		fprintf(stderr, "  %llu in buckets under a second, or of more than 64 different "
				"widths: not counted\n", (unsigned long long)run->width);
	if (run->other > 0)
		fprintf(stderr, "  %llu metrics of services of counts, or the other way round: not "
				"counted\n", (unsigned long long)run->other);
	if (run->unknown > 0)
		fprintf(stderr, "  %llu of unknown services: not counted\n",
			(unsigned long long)run->unknown);
	if (all.outside > 0)
		fprintf(stderr, "  %llu outside of the time asked for\n",
			(unsigned long long)all.outside);
	for (size_t i = 0; i < run->job->path_count; i++) {
		if (run->sources[i].traffic == NULL)
			tell_bad(run->sources[i].recording);
		else
			replay_text_input(stderr, run->job->paths[i], run->sources[i].traffic);
	}
	if (traffic_play_elsewhere(run->traffic) > 0)
		fprintf(stderr, "  %llu records neither from nor to a service\n",
			(unsigned long long)traffic_play_elsewhere(run->traffic));
	snapshot_release(snapshot);
}

/* ---- the run ---- */

/* Nobody knows what it was meant to be: why it is no access log is told beside why it is no
 * recording. */
static void tell_no_log(const struct run *run, const struct source *s)
{
	if (s->no_log.what == NULL || s->no_log.at == 0)
		return;
	fprintf(stderr, "  nor is it an access log: line %u: %s\n", s->no_log.at, s->no_log.what);
	if (run->job->log_format == NULL)
		fputs("  tried: " ACCESSLOG_FORMS "\n"
		      "  another form is told with --log-format: "
		      "'$remote_addr [$time_local] \"$request\" $status', or as Apache has it\n",
		      stderr);
	else
		fprintf(stderr, "  tried: --log-format %s\n", run->job->log_format);
}

static bool fetch(struct run *run, struct source *s)
{
	struct wd_why why = {0};

	if (s->traffic != NULL) {
		enum wd_err err =
			traffic_input_next(s->traffic, &s->next.clock, &s->more, &why);
		if (err == WD_OK)
			return true;
		progress_clear(&run->progress);
		/* Who captures is mostly stopped within a packet. */
		bool torn = err == WD_SHORT;
		fprintf(stderr, "%s: %s, at %u (%s)\n", run->job->paths[s - run->sources],
			why.what, why.at,
			torn ? "what came before counts" : "--skip-bad ends the file there");
		s->more = false;
		return torn;
	}
	const char *path = recording_path(s->recording);
	if (recording_next(s->recording, &s->next, &s->more, &why) == WD_OK)
		return true;
	progress_clear(&run->progress);
	fprintf(stderr, "%s", path);
	if (recording_line(s->recording) > 0 && why.at > 0)
		fprintf(stderr, ":%llu:%u", (unsigned long long)recording_line(s->recording),
			why.at);
	fprintf(stderr, ": %s", why.what);
	if (why.os_errno != 0)
		fprintf(stderr, ": %s", strerror(why.os_errno));
	/* A file that is wrong from its first line is no recording: passing lines over is no help.
	 */
	bool one_line = why.err == WD_MALFORMED && why.at > 0 && recording_line(s->recording) > 1;
	fputs(one_line ? " (--skip-bad passes such lines over)\n" : "\n", stderr);
	tell_bad(s->recording);
	if (!one_line && why.at > 0 && !recording_is_one(s->recording))
		tell_no_log(run, s);
	return false;
}

static struct source *earliest(struct run *run)
{
	struct source *first = NULL;
	for (size_t i = 0; i < run->job->path_count; i++) {
		struct source *s = &run->sources[i];
		if (s->more && (first == NULL || wall_before(s->next.clock, first->next.clock)))
			first = s;
	}
	return first;
}

/* Reports come in when the clock shows their time. Buckets of one time are all handed over
 * before the clock moves there, so that services are judged together. */
static void observe(struct run *run, const struct recorded *o)
{
	if (run->observed == 0)
		run->first = run->last = o->clock;
	if (wall_before(run->last, o->clock)) {
		engine_advance(run->engine, run->last);
		run->last = o->clock;
	}
	if (o->observation.kind == OBSERVATION_REPORT)
		engine_advance(run->engine, o->clock);
	switch (engine_observe(run->engine, &o->observation)) {
	case ENGINE_FULL: run->full++; break;
	case ENGINE_WIDTH: run->width++; break;
	case ENGINE_OTHER: run->other++; break;
	case ENGINE_UNKNOWN_SERVICE: run->unknown++; break;
	default: break;
	}
	run->observed++;
}

static void observe_traffic(struct run *run, struct source *s)
{
	if (run->observed == 0)
		run->first = run->last = s->next.clock;
	if (wall_before(run->last, s->next.clock))
		run->last = s->next.clock;
	run->observed +=
		traffic_play_take(run->traffic, s->traffic, s->next.clock, run->engine);
}

/* What stands beside it in time needs no comparison with other files, and effects can wait. */
static bool is_same_moment(const struct run *run, const struct source *s)
{
	return s->more && s->traffic != NULL && s->next.clock.ns == run->last.ns;
}

static bool play(struct run *run)
{
	for (size_t i = 0; i < run->job->path_count; i++) {
		if (!fetch(run, &run->sources[i]))
			return false;
	}
	for (struct source *s; (s = earliest(run)) != NULL && !run->out_failed;) {
		bool read = true;
		if (s->traffic == NULL) {
			observe(run, &s->next);
			read = fetch(run, s);
		} else {
			do {
				observe_traffic(run, s);
				read = fetch(run, s);
			} while (read && is_same_moment(run, s));
		}
		take_effects(run);
		if (!read)
			return false;
		if (run->progress.on &&
		    (s->traffic != NULL || run->observed % LOOK_AT_CLOCK_EVERY == 0))
			show_progress(run);
	}
	traffic_play_end(run->traffic, run->engine);
	if (run->observed > 0) {
		engine_advance(run->engine, run->last);
		engine_finish(run->engine);
		take_effects(run);
	}
	return true;
}

static struct traffic_input_options traffic_options(const struct run *run, size_t i)
{
	const struct job *job = run->job;
	return (struct traffic_input_options){
		.packet = traffic_play_packets(run->traffic), .path = job->paths[i],
		.from = job->recording.from, .to = job->recording.to,
		.sampling = job->sampling, .skip_bad = job->recording.skip_bad,
		.log_format = job->log_format};
}

static bool survey(struct run *run, const struct packet_options *tunnels, struct wd_why *why)
{
	bool well = true;
	targets_forget(run->job->targets);
	for (size_t i = 0; well && i < run->job->path_count; i++) {
		struct traffic_input_options o = traffic_options(run, i);
		o.packet = tunnels;
		if (run->sources[i].traffic != NULL)
			well = traffic_input_survey(&o, run->job->targets, why) == WD_OK;
	}
	return well;
}

/* Whose traffic it is: said, or found out by a first look at it. What floods with tunnel packets
 * carries anything inside: then their outer addresses tell. */
static bool open_targets(struct run *run)
{
	static const struct packet_options closed = {.decapsulate = false};
	const struct job *job = run->job;
	struct wd_why why = {0};
	bool well = run->catalogue == NULL ||
		    targets_add_catalogue(job->targets, run->catalogue);
	if (well && !targets_any(job->targets)) {
		well = survey(run, NULL, &why);
		if (well && !targets_found(job->targets))
			well = survey(run, &closed, &why);
		well = well && targets_adopt(job->targets);
	}
	if (well && traffic_play_target(run->traffic, job->targets, run->catalogue, &why) == WD_OK)
		return true;
	fprintf(stderr, "whydown replay: services' addresses: %s\n",
		why.what != NULL ? why.what : "memory ran out");
	return false;
}

static bool open_sources(struct run *run)
{
	const struct job *job = run->job;
	struct wd_why why = {0};

	run->sources = calloc(job->path_count, sizeof(*run->sources));
	for (size_t i = 0; run->sources != NULL && i < job->path_count; i++) {
		struct recording_options options = job->recording;
		const struct traffic_input_options traffic = traffic_options(run, i);
		enum wd_err err = traffic_input_open(&traffic, &run->sources[i].traffic, &why);
		if (err == WD_OK)
			continue;
		run->sources[i].no_log = err == WD_UNKNOWN ? why : (struct wd_why){0};
		options.path = job->paths[i];
		if (err == WD_UNKNOWN &&
		    recording_open(&options, &run->sources[i].recording, &why) == WD_OK)
			continue;
		fprintf(stderr, "%s: %s%s%s\n", job->paths[i], why.what,
			why.os_errno != 0 ? ": " : "",
			why.os_errno != 0 ? strerror(why.os_errno) : "");
		if (why.err == WD_MALFORMED)
			tell_no_log(run, &run->sources[i]);
		return false;
	}
	if (run->sources == NULL)
		fputs("whydown replay: memory ran out\n", stderr);
	return run->sources != NULL;
}

static bool open_engine(struct run *run)
{
	const struct job *job = run->job;
	struct engine_options options = engine_defaults();
	struct config *config = NULL;
	struct wd_why why = {0};
	bool ok = true;

	options.services_max = SERVICES_MAX;
	options.incidents_max = 100000;
	options.adopt_services = true;
	options.false_a_month = job->false_a_month;
	options.services_watched_max = WATCHED_MAX;
	if (job->config_file != NULL) {
		struct problems problems;
		problems_init(&problems);
		ok = config_load(job->config_file, &config, &problems) == WD_OK;
		for (size_t i = 0; i < problems.count; i++) {
			problem_write(&run->out, &problems.items[i]);
			fprintf(stderr, "%s\n", run->out.data);
			buf_reset(&run->out);
		}
		problems_done(&problems);
	}
	if (config != NULL) {
		const struct config_detection *d = &config->detection;
		options.persons_floor = d->persons_floor;
		options.networks_floor = d->networks_floor;
		options.signals_a_service = d->signals_per_service_max;
		options.persons_max = d->persons_max;
		options.packets_floor = d->flood_packets_per_s_floor;
		options.bits_floor = d->flood_bits_per_s_floor;
		if (job->false_a_month <= 0)
			options.false_a_month = d->false_incidents_per_month;
	}
	const struct place_files places = {
		.country = config != NULL ? config->places.country_file : config_country_file(),
		.network = config != NULL ? config->places.network_file : NULL};
	if (ok && traffic_play_open(&places, &run->traffic) != WD_OK) {
		fputs("whydown replay: memory ran out\n", stderr);
		ok = false;
	}
	if (ok)
		traffic_book_options(traffic_play_book(run->traffic), &options);
	struct catalogue *catalogue = config != NULL ? catalogue_hold(config->catalogue) : NULL;
	if (ok && ((catalogue == NULL && catalogue_open(NULL, 0, &catalogue, &why) != WD_OK) ||
		   engine_open(&options, &run->engine, &why) != WD_OK ||
		   engine_configure(run->engine, catalogue, &why) != WD_OK)) {
		fprintf(stderr, "whydown replay: %s\n", why.what);
		ok = false;
	}
	run->catalogue = catalogue;
	config_free(config);
	return ok;
}

static void source_close(struct source *s)
{
	recording_close(s->recording);
	traffic_input_close(s->traffic);
}

static int run_job(const struct job *job)
{
	/* Scores on the same terminal would be torn by the bar. */
	bool streams = job->format == FORMAT_SCORES && isatty(STDOUT_FILENO);
	struct run run = {.job = job};
	size_t incidents = 0;
	bool ok;

	progress_begin(&run.progress, !job->quiet && !streams);
	buf_init(&run.out, OUTPUT_MAX);
	ok = open_engine(&run) && open_sources(&run) && open_targets(&run);
	if (ok && job->format == FORMAT_SCORES) {
		buf_str(&run.out, "time,service,observed,expected,low,high,log10_odds\n");
		engine_on_score(run.engine, write_score, &run);
	}
	ok = ok && play(&run);
	progress_clear(&run.progress);
	if (ok && !write_incidents(&run, &incidents)) {
		fputs("whydown replay: memory ran out\n", stderr);
		ok = false;
	}
	flush_out(&run);
	if (ok && (run.out_failed || fflush(stdout) != 0)) {
		fprintf(stderr, "whydown replay: standard output: %s\n", strerror(errno));
		ok = false;
	}
	if (ok && !job->quiet)
		write_summary(&run, incidents);
	for (size_t i = 0; run.sources != NULL && i < job->path_count; i++)
		source_close(&run.sources[i]);
	free(run.sources);
	engine_close(run.engine);
	traffic_play_close(run.traffic);
	catalogue_release(run.catalogue);
	buf_done(&run.out);
	return ok ? 0 : 1;
}

int command_replay(int argc, char **argv)
{
	struct job job = {.sampling = 1};
	if (targets_open(&job.targets) != WD_OK) {
		fputs("whydown replay: memory ran out\n", stderr);
		return 1;
	}
	int status = replay_job_read(argc, argv, &job);
	if (status == 0 && job.help)
		fputs(replay_usage, stdout);
	else if (status == 0)
		status = run_job(&job);
	targets_close(job.targets);
	return status;
}
