/* SPDX-License-Identifier: Apache-2.0 */
/* flood_bench: false incidents, delays and cost of detect/flood in simulated traffic.
 * docs/flood.md says what the rows mean. WHYDOWN_FLOOD_DAYS: simulated days a world. */
#include "detect/budget.h"
#include "detect/flood.h"
#include "detect/flood_testing.h"
#include "timing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 345600, MONTH = 30 * DAY, TRIES = 30, TRY_TICKS = 120, NEW_SERVICES = 150 };

static const double pi = 3.14159265358979;

struct kind {
	const char *name;
	double sd, tick_sd; /* of ln rate: AR(1) of `tau` ticks, and alone in each tick */
	double tau;
	double daily;       /* highest over lowest rate of a day */
	double crowds, transfers; /* a day */
	double rise_s;      /* of a crowd to four times the rate */
	bool one_way;
};

static const struct kind kinds[] = {
	{.name = "Poisson", .tau = 1},
	{.name = "log-AR(10 s) sd 0.1", .sd = 0.1, .tick_sd = 0.05, .tau = 40},
	{.name = "log-AR(10 s) sd 0.3, ticks sd 0.2", .sd = 0.3, .tick_sd = 0.2, .tau = 40},
	{.name = "log-AR(5 min) sd 0.5, ticks sd 0.3", .sd = 0.5, .tick_sd = 0.3, .tau = 1200},
	{.name = "daily 4:1, log-AR(10 s) sd 0.1", .sd = 0.1, .tick_sd = 0.05, .tau = 40,
	 .daily = 4},
	{.name = "daily 4:1, a crowd of 4x in 5 min a day", .sd = 0.1, .tick_sd = 0.05,
	 .tau = 40, .daily = 4, .crowds = 1, .rise_s = 300},
	{.name = "the same, one way seen", .sd = 0.1, .tick_sd = 0.05,
	 .tau = 40, .daily = 4, .crowds = 1, .rise_s = 300, .one_way = true},
	{.name = "a crowd of 4x in 30 s a day", .sd = 0.1, .tick_sd = 0.05,
	 .tau = 40, .crowds = 1, .rise_s = 30},
	{.name = "four backups of 5x a day", .sd = 0.1, .tick_sd = 0.05, .tau = 40,
	 .transfers = 4},
	{.name = "200 transfers of 0.3-3x a day", .sd = 0.1, .tick_sd = 0.05, .tau = 40,
	 .transfers = -200},
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct world {
	const struct kind *kind;
	const struct flood_plan *plan;
	struct flood flood;
	struct traffic_tick tick;
	struct flood_reading reading;
	struct prng prng;
	double rate, ln, threshold;
	double crowd;            /* ticks into it; < 0: none */
	double transfer, height; /* ticks left of it; its packets a tick */
	int64_t n, at;
	bool open;
	int64_t closed;
	int incidents;
};

static struct vector_classes classes;

static void world_init(struct world *w, const struct kind *kind, const struct flood_plan *plan,
		       double rate, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->plan = plan;
	w->rate = rate;
	w->prng = prng_of(seed, 0);
	w->at = wall_s(1700000000).ns;
	w->crowd = -1;
	w->closed = INT64_MIN / 2;
	w->threshold = budget_threshold((wd_span){TRAFFIC_TICK_NS}, 1, BUDGET_FALSE_A_MONTH, 1);
	flood_init(&w->flood, plan);
	traffic_clear(&w->tick, "web", (wd_wall){w->at});
	/* What a sample of the usual traffic looks like; its weights do not matter here. */
	testing_add(&w->tick, &w->prng, &(struct testing_traffic){
		.class = TESTING_STREAM, .packets = 100, .size = 300, .size_scatter = 0.8F,
		.sources = 1000, .records = 100, .flags = FLOW_TCP_ACK});
}

static double crowd_factor(struct world *w)
{
	const struct kind *k = w->kind;

	if (w->crowd < 0) {
		if (k->crowds > 0 && prng_unit(&w->prng) < k->crowds / DAY)
			w->crowd = 0;
		return 1;
	}
	double s = w->crowd++ / 4, tail = 1800;
	if (s > k->rise_s + 5 * tail)
		w->crowd = -1;
	return s < k->rise_s ? exp(log(4) * s / k->rise_s)
			     : 1 + 3 * exp(-(s - k->rise_s) / tail);
}

static void sum(struct traffic_sum *s, double packets, double size)
{
	s->packets = s->seen = s->records = (uint64_t)packets;
	s->bytes = (uint64_t)(packets * size);
}

static void sent(struct traffic_sent *s, double packets, double size)
{
	*s = (struct traffic_sent){(uint64_t)packets, (uint64_t)(packets * size)};
}

static double transfer_packets(struct world *w)
{
	const struct kind *k = w->kind;
	double a_day = fabs(k->transfers);

	if (w->transfer <= 0) {
		w->height = 0;
		if (a_day == 0 || prng_unit(&w->prng) >= a_day / DAY)
			return 0;
		double factor = k->transfers > 0 ? 5 : 0.3 * exp(log(10) * prng_unit(&w->prng));
		w->height = factor * w->rate / 4;
		w->transfer = k->transfers > 0 ? 2400 : 40 + 400 * prng_unit(&w->prng);
	}
	w->transfer--;
	return w->height * (0.95 + 0.1 * prng_unit(&w->prng));
}

/* One tick of the world's own traffic. */
static void usual(struct world *w)
{
	const struct kind *k = w->kind;
	double keep = exp(-1 / k->tau), rate = w->rate / 4;

	w->ln = keep * w->ln + k->sd * sqrt(1 - keep * keep) * prng_normal(&w->prng);
	rate *= exp(w->ln);
	if (k->tick_sd > 0)
		rate *= exp(k->tick_sd * prng_normal(&w->prng));
	if (k->daily > 1)
		rate *= exp(0.5 * log(k->daily) * sin(2 * pi * (double)w->n / DAY));
	rate *= crowd_factor(w);
	double transfer = transfer_packets(w);
	double data = (double)prng_poisson(&w->prng, rate * 0.85);
	double udp = (double)prng_poisson(&w->prng, rate * 0.08);

	sum(&w->tick.in[TESTING_STREAM], data + transfer, 300);
	w->tick.in[TESTING_STREAM].bytes += (uint64_t)(transfer * 1100);
	sum(&w->tick.in[TESTING_SYN], (double)prng_poisson(&w->prng, rate * 0.05), 60);
	sum(&w->tick.in[TESTING_UDP], udp, 200);
	sum(&w->tick.in[TESTING_DNS], (double)prng_poisson(&w->prng, rate * 0.01), 150);
	sum(&w->tick.in[TESTING_NTP], 0, 0);
	if (!k->one_way) {
		sent(&w->tick.out[TESTING_STREAM], data * 1.5 + transfer * 0.5, 900);
		sent(&w->tick.out[TESTING_DNS], (double)w->tick.in[TESTING_DNS].packets, 70);
	}
	/* A transfer shows in the sample as one source. */
	uint32_t from_one = (uint32_t)(100 * transfer / (data + transfer + 1));
	for (uint32_t i = 0; i < w->tick.sample_count; i++) {
		struct traffic_record *r = &w->tick.sample[i];
		bool one = i < from_one;

		r->src[4] = one;
		memset(r->src, one ? 7 : (int)(i * 2 + 9), 4);
		r->bytes = r->packets * (one ? 1400 : 52 + 8 * (float)(i % 60));
		r->tcp_flags = i % 16 == 5 ? FLOW_TCP_ACK | FLOW_TCP_FIN : FLOW_TCP_ACK;
	}
}

/* Judges the tick; true if an incident opened (not one again within half an hour). */
static bool judge(struct world *w)
{
	struct flood_sample sample = {.tick = &w->tick, .at = {w->at},
				      .width = {TRAFFIC_TICK_NS}, .frozen = w->open};

	flood_step(&w->flood, w->plan, &sample, &w->reading);
	w->at += TRAFFIC_TICK_NS;
	w->n++;
	if (w->open) {
		if (w->reading.calm) {
			w->open = false;
			w->closed = w->n;
		}
		return false;
	}
	if (!w->reading.sustained || (double)w->reading.log10_return < w->threshold)
		return false;
	w->open = true;
	bool again = w->n - w->closed < 7200;
	w->incidents += !again;
	return !again;
}

static void run(struct world *w, int64_t ticks)
{
	bool tell = getenv("WHYDOWN_FLOOD_TELL") != NULL;

	for (int64_t i = 0; i < ticks; i++) {
		usual(w);
		if (judge(w) && tell)
			fprintf(stderr, "  %s %g: day %.3f A %.1f %g/s usual %g/s, class %d of %u "
				"%g usual %g\n", w->kind->name, w->rate, (double)w->n / DAY,
				(double)w->reading.log10_return,
				(double)w->reading.packets_per_s,
				(double)w->reading.usual_packets_per_s,
				w->reading.classes[0].class, w->reading.class_count,
				(double)w->reading.classes[0].packets_per_s,
				(double)w->reading.classes[0].usual_packets_per_s);
	}
}

/* A service's first ten minutes, of any size, sampled or not, both ways seen or one. */
static int new_service(const struct flood_plan *plan, uint64_t seed)
{
	static struct world w;
	static const struct kind plain = {.name = "new", .tau = 1};
	struct prng r = prng_of(seed, 5);
	double rate = 30 * exp(log(30000) * prng_unit(&r));
	uint32_t sampling = rate > 20000 ? 100 : prng_below(&r, 3) == 0 ? 10 : 1;
	double opens = 0.02 + 0.1 * prng_unit(&r), udp = 0.4 * prng_unit(&r);
	uint32_t people = 20 + prng_below(&r, 20000);
	bool both_ways = prng_below(&r, 2) == 0;

	world_init(&w, &plain, plan, rate, seed);
	for (int t = 0; t < 2400; t++) {
		traffic_clear(&w.tick, "web", (wd_wall){w.at});
		struct testing_traffic one = {.sampling = sampling, .sources = people};
		double data = (double)prng_poisson(&r, rate / 4 * (1 - udp - 2 * opens));
		double looked = fmin(200, data / sampling) + 1;
		const struct testing_traffic parts[] = {
			{.class = TESTING_SYN, .packets = rate / 4 * opens, .size = 60,
			 .flags = FLOW_TCP_SYN},
			{.class = TESTING_STREAM, .packets = rate / 4 * opens, .size = 52,
			 .flags = FLOW_TCP_ACK | FLOW_TCP_FIN},
			{.class = TESTING_STREAM, .packets = data * 0.6, .size = 52,
			 .flags = FLOW_TCP_ACK},
			{.class = TESTING_STREAM, .packets = data * 0.4, .size = 700,
			 .size_scatter = 0.9F, .flags = FLOW_TCP_ACK | FLOW_TCP_PSH},
			{.class = TESTING_UDP, .packets = rate / 4 * udp, .size = 600,
			 .size_scatter = 0.9F},
			{.class = TESTING_DNS, .packets = rate / 4 * 0.002, .size = 180,
			 .size_scatter = 0.5F, .sport = 53},
		};
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			struct testing_traffic f = parts[i];
			f.sampling = one.sampling;
			f.sources = one.sources;
			f.packets = (double)prng_poisson(&r, f.packets);
			/* The sample is shared out as the packets are. */
			f.records = (uint32_t)(looked * f.packets / (data + 1)) + 1;
			testing_add(&w.tick, &r, &f);
		}
		if (both_ways) {
			testing_add_out(&w.tick, TESTING_STREAM, data, 900);
			testing_add_out(&w.tick, TESTING_UDP, rate / 4 * udp, 600);
		}
		if (judge(&w) && getenv("WHYDOWN_FLOOD_TELL"))
			fprintf(stderr, "  new: %g/s 1:%u opens %g udp %g people %u tick %d A %g "
				"class %d cold %d %g/s usual %g\n",
				rate, sampling, opens, udp, people, t,
				(double)w.reading.log10_return, w.reading.classes[0].class,
				w.reading.cold, (double)w.reading.classes[0].packets_per_s,
				(double)w.reading.classes[0].usual_packets_per_s);
	}
	return w.incidents;
}

static void row(const char *name, const char *unit, double ours)
{
	printf("flood: %s\t%s\t%.3g\t-\t-\t-\n", name, unit, ours);
	fflush(stdout);
}

struct attack { const char *name; enum testing_class class; double size; uint32_t targets; };
static const struct attack attacks[] = {
	{"SYN flood", TESTING_SYN, 40, 1},
	{"DNS amplification", TESTING_DNS, 1400, 1},
	{"NTP amplification", TESTING_NTP, 468, 1},
	{"UDP carpet over 256 targets", TESTING_UDP, 600, 256},
	{"ACK flood", TESTING_STREAM, 40, 1},
};

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Ticks to open; TRY_TICKS where it did not. */
static int try_attack(const struct world *from, const struct attack *a, double times, int seed,
		      int64_t *began_wrong)
{
	static struct world w;
	double flood = from->rate * (times - 1) / 4;

	w = *from;
	w.prng = prng_of((uint64_t)seed, 77);
	for (int i = 0; i < seed % 7; i++) { /* not always at the same moment */
		usual(&w);
		if (judge(&w))
			return TRY_TICKS;
	}
	int64_t begin = w.at;
	for (int i = 1; i <= TRY_TICKS; i++) {
		usual(&w);
		double more = (double)prng_poisson(&w.prng, flood);
		struct traffic_sum *in = &w.tick.in[a->class];
		sum(in, (double)in->packets + more, a->size);
		if (judge(&w)) {
			*began_wrong += llabs(w.reading.began.ns - begin) > TRAFFIC_TICK_NS;
			return i;
		}
	}
	return TRY_TICKS;
}

static void delays(const struct world *from, const struct attack *a, double times)
{
	int got[TRIES], missed = 0;
	int64_t wrong = 0;
	char name[160];

	for (int i = 0; i < TRIES; i++) {
		got[i] = try_attack(from, a, times, i, &wrong);
		missed += got[i] == TRY_TICKS;
	}
	qsort(got, TRIES, sizeof(got[0]), compare);
	(void)snprintf(name, sizeof(name), "%s %gx on %s, %g/s: median", a->name, times,
		       from->kind->name, from->rate);
	row(name, "s", got[TRIES / 2] * 0.25);
	(void)snprintf(name, sizeof(name), "%s %gx on %s, %g/s: 9 of 10", a->name, times,
		       from->kind->name, from->rate);
	row(name, "s", got[TRIES * 9 / 10] * 0.25);
	fprintf(stderr, "%s: missed %d, begin off by more than a tick %d of %d\n", name, missed,
		(int)wrong, TRIES);
}

int main(void)
{
	static const double rates[] = {10, 1000, 30000, 1000000};
	static struct flood_plan plan;
	static struct world w;
	const char *days_text = getenv("WHYDOWN_FLOOD_DAYS");
	double days = days_text ? strtod(days_text, NULL) : 5;
	char name[160];

	testing_classes(&classes);
	classes.count = VECTOR_CLASSES_MAX - 1; /* as many as the program's own table has */
	flood_plan_init(&plan, &classes);
	for (size_t k = 0; k < KINDS; k++) {
		double incidents = 0, simulated = 0;

		for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
			world_init(&w, &kinds[k], &plan, rates[i], i + 1);
			run(&w, (int64_t)(days * DAY));
			incidents += w.incidents;
			simulated += days;
		}
		(void)snprintf(name, sizeof(name), "false incidents, %s", kinds[k].name);
		row(name, "a service and month", incidents / simulated * 30);
	}
	int wrong = 0;
	for (uint64_t i = 0; i < NEW_SERVICES; i++)
		wrong += new_service(&plan, i) > 0;
	row("new services with a false incident in their first 10 minutes, of 150", "services",
	    wrong);
	for (size_t k = 0; k < 5; k += k == 2 ? 2 : 1) {
		world_init(&w, &kinds[k], &plan, 10000, 99);
		run(&w, DAY);
		for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
			delays(&w, &attacks[i], 10);
			delays(&w, &attacks[i], 1.4);
		}
	}
	world_init(&w, &kinds[1], &plan, 30000, 5);
	double least = 1; /* of ten: others use the machine too */
	for (int k = 0; k < 10; k++) {
		double cost = -cpu_s();
		for (int i = 0; i < 20000; i++)
			usual(&w);
		cost = -(cost + cpu_s());
		cost -= cpu_s();
		for (int i = 0; i < 20000; i++) {
			usual(&w);
			judge(&w);
		}
		cost = (cost + cpu_s()) / 20000;
		least = cost < least ? cost : least;
	}
	row("cost of a tick, 5 classes of 127 in use, least of ten runs", "ns", least * 1e9);
	row("memory of a service", "bytes", sizeof(struct flood));
	return 0;
}
