/* SPDX-License-Identifier: Apache-2.0 */
/* Real series: Downdetector's events (reports of 15 minutes) and mentions of companies (of 5
 * minutes, labelled windows by NAB). Each series starts cold and sees only its past. */
#include "base/timetext.h"
#include "detect/budget.h"
#include "detector.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Splits a line of CSV without quotes in place; returns how many fields there are. */
static int split(char *line, char **fields, int fields_max)
{
	int count = 0;

	for (char *at = line; count < fields_max; at++) {
		fields[count++] = at;
		at += strcspn(at, ",\r\n");
		if (*at != ',')
			fields_max = count; /* the last one */
		*at = '\0';
	}
	return count;
}

/* ---- Downdetector ---- */

/* Downdetector's own word is at bucket 47 of each event. In time: an incident is open at some
 * bucket from 43 to 48 (one after its word). Missed: at none from 43 on. Quiet: buckets 8 to
 * 38; called: an incident is open or the evidence is over the threshold. */
enum { WORD = 47, NEAR = 43, QUIET_FROM = 8, QUIET_TO = 38, LENGTH_MAX = 128 };

struct verdicts { int events, in_time, missed, quiet, called, quiet_incidents; };

static void verdicts_add(struct verdicts *v, const bool *called, int length)
{
	bool in_time = false, ever = false;

	for (int i = 0; i < length; i++) {
		in_time |= called[i] && i >= NEAR && i <= WORD + 1;
		ever |= called[i] && i >= NEAR;
		if (i >= QUIET_FROM && i <= QUIET_TO) {
			v->quiet++;
			v->called += called[i];
		}
	}
	v->events++;
	v->in_time += in_time;
	v->missed += !ever;
}

static int minute_of(wd_wall t)
{
	struct civil c = civil_of(t);

	return c.hour * 60 + c.minute;
}

static void event_add(struct verdicts *ours, struct verdicts naive[2], const double *counts,
		      const wd_wall *times, int length)
{
	static const double chance[2] = {1e-4, 1e-2};
	bool called[LENGTH_MAX], called_naive[2][LENGTH_MAX];
	struct surge_plan plan;
	struct watch w;
	struct naive n;

	surge_plan_init(&plan, span_s(900), SURGE_COUNTS);
	watch_init(&w, &plan, budget_threshold(plan.step, 1, BUDGET_FALSE_A_MONTH, 1));
	naive_init(&n, plan.step);
	for (int i = 0; i < length; i++) {
		struct surge_sample sample = {
			.bin = i, .observed = counts[i], .minute = (uint16_t)minute_of(times[i]),
			.weekend = civil_weekday(times[i]) >= 5};
		bool was_open = w.open, opened = watch_step(&w, &plan, sample);

		called[i] = was_open || w.open || w.last.log10_return >= w.open_at;
		ours->quiet_incidents += opened && i >= QUIET_FROM && i <= QUIET_TO;
		double p = naive_step(&n, counts[i]);

		for (int k = 0; k < 2; k++)
			called_naive[k][i] = p < chance[k];
	}
	verdicts_add(ours, called, length);
	for (int k = 0; k < 2; k++)
		verdicts_add(&naive[k], called_naive[k], length);
}

static double share(int part, int whole)
{
	return whole > 0 ? 100.0 * part / whole : 0;
}

void bench_downdetector(void)
{
	FILE *f = input_open("outage/downdetector-azure-gcp/counts.csv");
	struct verdicts ours = {0}, naive[2] = {{0}, {0}};
	char line[256], *field[3], current[128] = "";
	double counts[LENGTH_MAX];
	wd_wall times[LENGTH_MAX];
	int length = 0;

	if (f == NULL) {
		row_missing("Downdetector events decided in time", "%");
		return;
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		wd_wall t;

		if (split(line, field, 3) != 3 ||
		    timetext_read(field[0], strlen(field[0]), &t, NULL) != WD_OK)
			continue; /* the head */
		if (strcmp(field[1], current) != 0) {
			if (length > 0)
				event_add(&ours, naive, counts, times, length);
			length = 0;
			snprintf(current, sizeof(current), "%s", field[1]);
		}
		if (length < LENGTH_MAX) {
			times[length] = t;
			counts[length++] = strtod(field[2], NULL);
		}
	}
	fclose(f);
	if (length > 0)
		event_add(&ours, naive, counts, times, length);

	static const char *const peers[2] = {"naive, 1e-4", "naive, 1e-2"};

	for (int k = 0; k < 2; k++) {
		double in_time = share(ours.in_time, ours.events);
		double missed = share(ours.missed, ours.events);
		double called = share(ours.called, ours.quiet);

		row("Downdetector events decided in time", "%", in_time, peers[k],
		    share(naive[k].in_time, naive[k].events),
		    in_time / share(naive[k].in_time, naive[k].events));
		row("Downdetector events missed", "%", missed, peers[k],
		    share(naive[k].missed, naive[k].events),
		    share(naive[k].missed, naive[k].events) / missed);
		row("Downdetector quiet buckets called", "%", called, peers[k],
		    share(naive[k].called, naive[k].quiet),
		    share(naive[k].called, naive[k].quiet) / called);
	}
	row("Downdetector incidents opened in quiet buckets", "incidents", ours.quiet_incidents,
	    "-", 0, 0);
}

/* ---- mentions ---- */

enum { WINDOWS_MAX = 16 };

struct windows { wd_wall from[WINDOWS_MAX], to[WINDOWS_MAX]; int count; };

/* The windows of one file: the pairs of times that follow its name in windows.json. */
static void windows_read(struct windows *w, const char *name)
{
	FILE *f = input_open("outage/nab/windows.json");
	char line[256];
	bool mine = false, second = false;

	w->count = 0;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strstr(line, ".csv") != NULL)
			mine = strstr(line, name) != NULL;
		const char *text = line + strspn(line, " \t\"");
		wd_wall t;

		if (!mine || timetext_read(text, strcspn(text, "\""), &t, NULL) != WD_OK ||
		    w->count == WINDOWS_MAX)
			continue;
		if (second)
			w->to[w->count++] = t;
		else
			w->from[w->count] = t;
		second = !second;
	}
	if (f != NULL)
		fclose(f);
}

static int window_at(const struct windows *w, wd_wall t)
{
	for (int i = 0; i < w->count; i++)
		if (!wall_before(t, w->from[i]) && !wall_before(w->to[i], t))
			return i;
	return -1;
}

/* The peer: a fast mean against the mean and deviation of a week. */
struct ewma { double fast, slow, variance; int seen; bool open; };

static bool ewma_step(struct ewma *e, double x, double z_open)
{
	const double gain = fmax(1.0 / 2016, 1.0 / (e->seen + 1));

	if (e->seen++ == 0)
		e->fast = e->slow = x;
	e->fast += (x - e->fast) / 3;
	double z = (e->fast - e->slow) / sqrt(e->variance / 5 + 1e-9); /* a mean of 3 has 1/5 */
	double off = x - e->slow;

	e->slow += gain * off;
	e->variance += gain * (off * off - e->variance);
	bool opened = !e->open && e->seen > 36 && z >= z_open;

	e->open = opened || (e->open && z > 1);
	return opened;
}

struct mentions { int false_calls[2], found[2], windows; double months; };

static void mentions_add(struct mentions *m, const char *name)
{
	char path[128], line[128], *field[2];
	struct windows windows;
	struct surge_plan plan;
	struct watch w;
	struct ewma e = {0};
	bool found[2][WINDOWS_MAX] = {{false}};
	FILE *f;

	snprintf(path, sizeof(path), "outage/nab/%s", name);
	f = input_open(path);
	if (f == NULL)
		return;
	windows_read(&windows, name);
	surge_plan_init(&plan, span_s(300), SURGE_COUNTS);
	watch_init(&w, &plan, budget_threshold(plan.step, 1, BUDGET_FALSE_A_MONTH, 1));
	while (fgets(line, sizeof(line), f) != NULL) {
		wd_wall t;

		if (split(line, field, 2) != 2 ||
		    timetext_read(field[0], strlen(field[0]), &t, NULL) != WD_OK)
			continue;
		double value = strtod(field[1], NULL);
		struct surge_sample sample = {.bin = wall_to_s(t) / 300, .observed = value,
					      .minute = (uint16_t)minute_of(t),
					      .weekend = civil_weekday(t) >= 5};
		int here = window_at(&windows, t);
		bool opened[2] = {watch_step(&w, &plan, sample), ewma_step(&e, value, 3.7)};
		bool open[2] = {w.open, e.open};

		for (int k = 0; k < 2; k++) {
			m->false_calls[k] += opened[k] && here < 0;
			if (open[k] && here >= 0)
				found[k][here] = true;
		}
		m->months += 300 / (30 * 86400.0);
	}
	fclose(f);
	m->windows += windows.count;
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < windows.count; i++)
			m->found[k] += found[k][i];
}

void bench_mentions(void)
{
	static const char *const names[] = {"AAPL", "AMZN", "CRM", "CVS", "FB",
					    "GOOG", "IBM",  "KO",  "PFE", "UPS"};
	static const char peer[] = "two-scale EWMA, z 3.7";
	struct mentions m = {.months = 0};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char name[64];

		snprintf(name, sizeof(name), "Twitter_volume_%s.csv", names[i]);
		mentions_add(&m, name);
	}
	if (m.months == 0) {
		row_missing("mentions, false calls", "a series and month");
		return;
	}
	row("mentions, false calls", "a series and month", m.false_calls[0] / m.months, peer,
	    m.false_calls[1] / m.months, (double)m.false_calls[1] / m.false_calls[0]);
	row("mentions, windows found", "%", share(m.found[0], m.windows), peer,
	    share(m.found[1], m.windows), (double)m.found[0] / m.found[1]);
}
