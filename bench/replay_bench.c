/* SPDX-License-Identifier: Apache-2.0 */
/* replay_bench: the month of 100 services with 50 signals each (data/scenarios/quiet-month),
 * through the engine alone and as a recording from a file, and what the engine's memory is.
 * A signal begins when its value has been named; in the month's first minute every value is,
 * so that all 50 are there all month: 100 x 50 x 43,200 = 216 M samples.
 * Times are the process's own on the core, so that a busy machine does not count; where there
 * is no peer, the limit that the project has set itself stands in its place. */
#include "base/check.h"
#include "command/simulate.h"
#include "engine/engine.h"
#include "intake/recording.h"
#include "intake/simulation.h"
#include "timing.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 65536, MANY_SERVICES = 10000, TIMES_NAMED = 5 };

static double in_use(void)
{
	struct mallinfo2 m = mallinfo2();
	return (double)m.uordblks + (double)m.hblkhd;
}

/* Less is better. */
static void row_limit(const char *name, const char *unit, double ours, double limit)
{
	printf("%s\t%s\t%.4g\tlimit\t%.4g\t%.2f\n", name, unit, ours, limit, limit / ours);
	fflush(stdout);
}

static struct engine *open_engine(void)
{
	struct engine_options options = engine_defaults();
	struct engine *e = NULL;
	struct catalogue *c = NULL;
	options.adopt_services = true;
	options.services_max = MANY_SERVICES;
	WD_CHECK(engine_open(&options, &e, NULL) == WD_OK);
	WD_CHECK(catalogue_open(NULL, 0, &c, NULL) == WD_OK);
	WD_CHECK(engine_configure(e, c, NULL) == WD_OK);
	catalogue_release(c);
	return e;
}

static struct engine_counters counters_of(struct engine *e)
{
	struct snapshot *s = engine_snapshot(e);
	WD_CHECK(s != NULL);
	struct engine_counters c = s->counters;
	snapshot_release(s);
	return c;
}

static void feed(struct engine *e, const struct observation *o)
{
	engine_advance(e, o->at);
	WD_CHECK(engine_observe(e, o) <= ENGINE_DUPLICATE);
}

static struct observation naming(const struct scenario *s, const char *service, enum dimension d,
				 const struct portion *p)
{
	struct observation o = observation_blank(OBSERVATION_REPORT);

	o.at = s->begins;
	o.service = service;
	memcpy(o.country, p->country, sizeof(o.country));
	if (d == DIMENSION_SURFACE)
		o.surface = p->name;
	if (d == DIMENSION_PROBLEM)
		o.problem = p->name;
	if (d == DIMENSION_CITY)
		o.city = p->name;
	if (d == DIMENSION_NETWORK)
		o.network = p->network;
	return o;
}

/* Reports of each value of each service, as many as make it a signal (three, and two more where the
 * table of candidates is full). The caller frees. */
static struct observation *name_all(const struct scenario *s, const struct simulation *m,
				    size_t *ret_count)
{
	const struct mix *mixes = s->services[0].mixes;
	size_t values = 0, count = 0, services = simulation_service_count(m);

	for (int d = 0; d < DIMENSION_COUNT; d++)
		values += mixes[d].count;
	struct observation *all = calloc(services * values * TIMES_NAMED, sizeof(*all));
	WD_CHECK(all != NULL && s->service_count == 1);
	for (size_t k = 0; k < services; k++)
		for (int d = 0; d < DIMENSION_COUNT; d++)
			for (size_t i = 0; i < mixes[d].count * TIMES_NAMED; i++) {
				all[count] = naming(s, simulation_service_id(m, k), d,
						    &mixes[d].items[i / TIMES_NAMED]);
				all[count].person = count + 1;
				count++;
			}
	*ret_count = count;
	return all;
}

/* The simulation's own time is not counted: reports are made in batches, then fed. */
static void month_through_the_engine(const struct scenario *s)
{
	struct observation *batch = calloc(BATCH, sizeof(*batch));
	struct simulation *m = NULL;
	bool more = true;
	double spent = 0;

	WD_CHECK(batch != NULL && simulation_open(s, s->seed, &m, NULL) == WD_OK);
	double before = in_use();
	struct engine *e = open_engine();
	size_t named = 0;
	struct observation *names = name_all(s, m, &named);
	double named_at = cpu_s();
	for (size_t i = 0; i < named; i++)
		feed(e, &names[i]);
	spent += cpu_s() - named_at;
	free(names);
	while (more) {
		size_t count = 0;
		while (count < BATCH && simulation_next(m, &batch[count], &more, NULL) == WD_OK &&
		       more)
			count++;
		double began = cpu_s();
		for (size_t i = 0; i < count; i++)
			feed(e, &batch[i]);
		engine_effects_drop(e);
		spent += cpu_s() - began;
	}
	double began = cpu_s();
	engine_finish(e);
	spent += cpu_s() - began;
	struct engine_counters c = counters_of(e);
	double bytes = in_use() - before; /* the simulation's minute is less than 0.1 MB of it */
	simulation_close(m);
	free(batch);
	fprintf(stderr,
		"month: %.1f M samples of %llu signals, %llu reports, %llu false incidents, %.0f "
		"MB\n",
		(double)c.samples / 1e6, (unsigned long long)c.signals,
		(unsigned long long)c.reports, (unsigned long long)c.incidents_opened, bytes / 1e6);
	row_limit("engine: a month of 100 services x 50 signals", "CPU s", spent, 60);
	row_limit("engine: a sample of a signal, all in", "ns", spent / (double)c.samples * 1e9,
		  300);
	row_limit("engine: memory a signal, all in", "bytes", bytes / (double)c.signals, 2048);
	engine_close(e);
}

static void write_line(FILE *f, struct buf *b, const struct observation *o)
{
	buf_reset(b);
	observation_to_json(b, o, (wd_wall){0});
	buf_char(b, '\n');
	WD_CHECK(!b->bad && fwrite(b->data, 1, b->len, f) == b->len);
}

/* What `whydown replay` does: read, decode, observe. */
static void month_from_a_file(const struct scenario *s)
{
	char path[] = "/tmp/whydown-bench-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
	struct simulation *m = NULL;
	struct observation o;
	struct recorded r;
	struct recording *recording = NULL;
	struct buf b;
	uint64_t lines = 0;
	bool more = true;

	WD_CHECK(f != NULL && simulation_open(s, s->seed, &m, NULL) == WD_OK);
	buf_init(&b, 1 << 16);
	size_t named = 0;
	struct observation *names = name_all(s, m, &named);
	for (size_t i = 0; i < named; i++)
		write_line(f, &b, &names[i]);
	free(names);
	while (simulation_next(m, &o, &more, NULL) == WD_OK && more)
		write_line(f, &b, &o);
	WD_CHECK(fclose(f) == 0);
	buf_done(&b);
	simulation_close(m);

	struct engine *e = open_engine();
	double began = cpu_s();
	WD_CHECK(recording_open(&(struct recording_options){.path = path}, &recording, NULL) ==
		 WD_OK);
	while (recording_next(recording, &r, &more, NULL) == WD_OK && more) {
		engine_advance(e, r.clock);
		WD_CHECK(engine_observe(e, &r.observation) <= ENGINE_DUPLICATE);
		engine_effects_drop(e);
		lines++;
	}
	engine_finish(e);
	row_limit("replay: the same month from a file of NDJSON", "CPU s", cpu_s() - began, 60);
	recording_close(recording);
	engine_close(e);

	/* The reading alone: the engine's share of a line depends on how quiet the services are. */
	began = cpu_s();
	WD_CHECK(recording_open(&(struct recording_options){.path = path}, &recording, NULL) ==
		 WD_OK);
	while (recording_next(recording, &r, &more, NULL) == WD_OK && more)
		;
	double rate = (double)lines / (cpu_s() - began);
	printf("replay: NDJSON lines read and decoded\tper CPU s\t%.0f\tlimit\t1000000\t%.2f\n",
	       rate, rate / 1e6);
	recording_close(recording);
	unlink(path);
}

/* An outage: many reports in little time, so that the engine's samples hardly count. */
static void outage_from_the_simulation(void)
{
	struct scenario *s = scenario_load("x-2025-03-10");
	struct simulation *m = NULL;
	struct observation *all = calloc(1000000, sizeof(*all));
	size_t count = 0;
	bool more = true;

	WD_CHECK(s != NULL && all != NULL && simulation_open(s, s->seed, &m, NULL) == WD_OK);
	while (count < 1000000 && simulation_next(m, &all[count], &more, NULL) == WD_OK && more)
		count++;
	struct engine *e = open_engine();
	double began = cpu_s();
	for (size_t i = 0; i < count; i++)
		feed(e, &all[i]);
	engine_finish(e);
	double rate = (double)count / (cpu_s() - began);
	printf("engine: reports of an outage (X, 10 March 2025)\tper CPU "
	       "s\t%.0f\tlimit\t1000000\t%.2f\n",
	       rate, rate / 1e6);
	engine_close(e);
	simulation_close(m);
	scenario_free(s);
	free(all);
}

static void ten_thousand_services(void)
{
	struct scenario *s = scenario_load("quiet-month");
	struct simulation *m = NULL;
	struct observation o;
	bool more = true;
	double before = in_use();

	WD_CHECK(s != NULL);
	/* Two hours in which each says so much that all of its 50 signals are there. */
	s->services[0].copies = MANY_SERVICES;
	s->services[0].usually_low = s->services[0].usually_high = 3;
	s->lasts = span_s(7200);
	struct engine *e = open_engine();
	WD_CHECK(simulation_open(s, s->seed, &m, NULL) == WD_OK);
	while (simulation_next(m, &o, &more, NULL) == WD_OK && more)
		feed(e, &o);
	simulation_close(m);
	engine_finish(e);
	engine_effects_drop(e);
	struct engine_counters c = counters_of(e);
	double bytes = in_use() - before;
	fprintf(stderr, "%d services: %llu signals, %.0f MB\n", MANY_SERVICES,
		(unsigned long long)c.signals, bytes / 1e6);
	row_limit("engine: memory of 10,000 services x 50 signals", "MB", bytes / 1e6, 1073.7);
	engine_close(e);
	scenario_free(s);
}

int main(void)
{
	struct scenario *month = scenario_load("quiet-month");
	if (month == NULL)
		return 1;
	ten_thousand_services();
	outage_from_the_simulation();
	month_through_the_engine(month);
	month_from_a_file(month);
	scenario_free(month);
	return 0;
}
