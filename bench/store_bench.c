/* SPDX-License-Identifier: Apache-2.0 */
/* store_bench: what it costs to be durable. Prints rows for the bench table: name, unit, ours,
 * peer's name, peer's figure, ratio. The peer is the same SQLite with the same settings on the
 * same disk, one transaction a report, a row of columns each. The folder for the files is made
 * in $TMPDIR, else in the build folder; WHYDOWN_BENCH_GB (default 1) is how much a start finds. */
#include "base/check.h"
#include "base/hash.h"
#include "store/journal.h"
#include "timing.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { WRITERS = 4, SECONDS = 3, LATENCIES = 1 << 20, ROUNDS = 3, PACE = 30000 };

static double quantile(double *values, size_t count, double q)
{
	WD_CHECK(count > 0);
	qsort(values, count, sizeof(*values), rising);
	return values[(size_t)(q * (double)(count - 1))];
}

static char root[256];

static void remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	WD_CHECK(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_name[0] != '.')
			WD_CHECK(unlinkat(dirfd(dir), entry->d_name, 0) == 0);
	}
	closedir(dir);
	WD_CHECK(rmdir(folder) == 0);
}

static void make_folder(char *dst, size_t size, const char *name)
{
	snprintf(dst, size, "%s/%s", root, name);
	WD_CHECK(mkdir(dst, 0700) == 0);
}

/* A report as the HTTP interface makes them. */
static struct observation report(uint64_t n)
{
	static const char *const cities[] = {"London", "Birmingham", "New York", "Los Angeles"};
	static const char *const regions[] = {"England", "England", "New York", "California"};
	struct observation o = observation_blank(OBSERVATION_REPORT);
	o.at = wall_add(wall_s(1741599900), span_ms((int64_t)n));
	o.person = hash_mix(n + 1);
	o.network = (uint32_t)(o.person % 60000);
	o.service = n % 3 ? "x" : "barclays";
	o.surface = n % 2 ? "app" : "website";
	o.problem = "not-loading";
	memcpy(o.country, n % 4 < 2 ? "GB" : "US", 3);
	o.region = regions[n % 4];
	o.city = cities[n % 4];
	return o;
}

static struct store *open_store(const char *folder)
{
	struct store *s = NULL;
	struct wd_why why = {0};
	if (store_open(&(struct store_options){.folder = folder, .now = wall_s(1)}, &s, &why) !=
	    WD_OK) {
		fprintf(stderr, "store_bench: %s: %s\n", folder, why.what);
		exit(1);
	}
	return s;
}

/* ---- through the journal ---- */

/* A token is the moment of asking. */
struct load {
	struct journal *journal;
	_Atomic uint64_t answered;
	_Atomic bool stop;
	double *latencies;
	size_t latency_count; /* the writer's thread only */
	double pace;          /* reports a second and thread; 0 = as many as there is room for */
	_Atomic int64_t open; /* asked and not answered */
};

static void on_done(void *ctx, const struct journal_done *done)
{
	struct load *l = ctx;
	double now = mono_s();
	for (size_t i = 0; i < done->count; i++) {
		double asked;
		memcpy(&asked, &done->tickets[i].token, sizeof(asked));
		if (l->latency_count < LATENCIES)
			l->latencies[l->latency_count++] = now - asked;
	}
	if (done->err == WD_OK)
		atomic_fetch_add(&l->answered, done->count);
	atomic_fetch_sub(&l->open, (int64_t)done->count);
}

static void *ask(void *ctx)
{
	struct load *l = ctx;
	double begin = mono_s();
	for (uint64_t n = 0; !atomic_load(&l->stop); n++) {
		uint8_t frame[OBSERVATION_FRAME_MAX];
		struct observation o = report(n);
		size_t len = observation_encode(&o, frame);
		void *token;
		double now = mono_s();
		while (l->pace > 0 && (double)n / l->pace > now - begin) {
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
			now = mono_s();
		}
		memcpy(&token, &now, sizeof(token));
		/* As many clients as a busy server has waiting. */
		while (atomic_load(&l->open) > 8000)
			nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
		atomic_fetch_add(&l->open, 1);
		if (journal_append(l->journal, frame, len, 1, token, NULL) != WD_OK)
			atomic_fetch_sub(&l->open, 1);
	}
	return NULL;
}

static void *consume(void *ctx)
{
	struct load *l = ctx;
	struct journal_item item;
	while (journal_take(l->journal, span_s(60), &item))
		journal_give(l->journal, &item);
	return NULL;
}

static double run_journal(const char *name, double pace, double *latencies, double *ret_p99,
			  uint64_t *ret_bytes_a_report)
{
	char folder[300];
	static struct load l;
	pthread_t writers[WRITERS], consumer;

	make_folder(folder, sizeof(folder), name);
	l = (struct load){.latencies = latencies, .pace = pace / WRITERS};
	struct store *s = open_store(folder);
	WD_CHECK(journal_open(&(struct journal_options){.store = s, .on_done = on_done, .ctx = &l},
			      &l.journal, NULL) == WD_OK);
	WD_CHECK(pthread_create(&consumer, NULL, consume, &l) == 0);
	double begin = mono_s();
	for (int i = 0; i < WRITERS; i++)
		WD_CHECK(pthread_create(&writers[i], NULL, ask, &l) == 0);
	nanosleep(&(struct timespec){.tv_sec = SECONDS}, NULL);
	double rate = (double)atomic_load(&l.answered) / (mono_s() - begin);
	atomic_store(&l.stop, true);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	journal_stop(l.journal);
	pthread_join(consumer, NULL);
	uint64_t answered = atomic_load(&l.answered);
	journal_close(l.journal);
	store_close(s);
	*ret_p99 = quantile(latencies, l.latency_count, 0.99);
	if (ret_bytes_a_report != NULL) {
		char path[400];
		struct stat st;
		snprintf(path, sizeof(path), "%s/whydown.db", folder);
		WD_CHECK(stat(path, &st) == 0);
		*ret_bytes_a_report = (uint64_t)st.st_size / answered;
	}
	remove_folder(folder);
	return rate;
}

/* ---- one transaction a report ---- */

static void must(sqlite3 *db, int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE) {
		fprintf(stderr, "store_bench: sqlite: %s\n", sqlite3_errmsg(db));
		exit(1);
	}
}

static void add_plain(sqlite3 *db, sqlite3_stmt *add, uint64_t n)
{
	struct observation o = report(n);
	sqlite3_bind_int64(add, 1, o.at.ns / 1000000);
	sqlite3_bind_int64(add, 2, (int64_t)o.person);
	sqlite3_bind_int64(add, 3, o.network);
	sqlite3_bind_text(add, 4, o.service, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 5, o.surface, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 6, o.problem, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 7, o.country, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(add, 8, o.region, -1, SQLITE_STATIC);
	sqlite3_bind_text(add, 9, o.city, -1, SQLITE_STATIC);
	must(db, sqlite3_step(add));
	sqlite3_reset(add);
}

static sqlite3 *open_plain(const char *folder, sqlite3_stmt **ret_add)
{
	char path[400];
	sqlite3 *db;
	snprintf(path, sizeof(path), "%s/plain.db", folder);
	WD_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	must(db, sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			      "CREATE TABLE report(at, person, network, service, surface, problem,"
			      " country, region, city)", NULL, NULL, NULL));
	must(db, sqlite3_prepare_v2(db, "INSERT INTO report VALUES(?,?,?,?,?,?,?,?,?)", -1, ret_add,
				    NULL));
	return db;
}

static double run_plain(const char *name, double *latencies, double *ret_p99)
{
	char folder[300];
	sqlite3_stmt *add;
	size_t count = 0;

	make_folder(folder, sizeof(folder), name);
	sqlite3 *db = open_plain(folder, &add);
	double begin = mono_s(), now = begin;
	while (now - begin < SECONDS) {
		double asked = now;
		add_plain(db, add, count);
		now = mono_s();
		latencies[count++] = now - asked;
	}
	sqlite3_finalize(add);
	sqlite3_close(db);
	remove_folder(folder);
	*ret_p99 = quantile(latencies, count, 0.99);
	return (double)count / (now - begin);
}

static uint64_t plain_bytes_a_report(void)
{
	enum { COUNT = 200000 };
	char folder[300], path[400];
	sqlite3_stmt *add;
	struct stat st;
	make_folder(folder, sizeof(folder), "plain-size");
	sqlite3 *db = open_plain(folder, &add);
	must(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
	for (uint64_t n = 0; n < COUNT; n++)
		add_plain(db, add, n);
	must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	sqlite3_finalize(add);
	sqlite3_close(db);
	snprintf(path, sizeof(path), "%s/plain.db", folder);
	WD_CHECK(stat(path, &st) == 0);
	remove_folder(folder);
	return (uint64_t)st.st_size / COUNT;
}

/* ---- a start with much data ---- */

enum { BIG_BATCH = 4000, STATE_SERVICES = 100, STATE_BYTES = 64 << 10, TAIL_BATCHES = 50 };

static void add_state(struct store *s)
{
	static uint8_t blob[STATE_BYTES];
	struct store_state *w;
	struct store_position at = store_end(s);
	for (size_t i = 0; i < sizeof(blob); i++)
		blob[i] = (uint8_t)hash_mix(i);
	WD_CHECK(store_state_begin(s, at, &w, NULL) == WD_OK);
	for (int i = 0; i < STATE_SERVICES; i++) {
		char id[16];
		snprintf(id, sizeof(id), "s%d", i);
		WD_CHECK(store_state_add(w, id, blob, sizeof(blob), NULL) == WD_OK);
	}
	WD_CHECK(store_state_end(w, blob, sizeof(blob), NULL) == WD_OK);
}

static void add_batches(struct store *s, uint64_t count)
{
	uint8_t *frames = malloc((size_t)BIG_BATCH * OBSERVATION_FRAME_MAX);
	WD_CHECK(frames != NULL);
	for (uint64_t i = 0; i < count; i++) {
		struct store_batch b = {.stamp = wall_add(store_end(s).clock, span_s(1)),
					.frames = frames,
					.count = BIG_BATCH};
		for (uint64_t k = 0; k < BIG_BATCH; k++) {
			struct observation o = report(i * BIG_BATCH + k);
			b.len += observation_encode(&o, frames + b.len);
		}
		WD_CHECK(store_append(s, &b, NULL, NULL, NULL) == WD_OK);
	}
	free(frames);
}

struct told { uint64_t calls, bytes; };

static void on_advance(void *ctx, wd_wall now) { (void)now; ((struct told *)ctx)->calls++; }
static void on_report(void *ctx, const struct observation *o)
{
	((struct told *)ctx)->bytes += o->person & 1;
	((struct told *)ctx)->calls++;
}
static enum wd_err on_blob(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	(void)bytes, (void)why;
	((struct told *)ctx)->bytes += len;
	return WD_OK;
}

/* Out of the page cache, so that the disk is measured, too. */
static void forget(const char *folder)
{
	char path[400];
	snprintf(path, sizeof(path), "%s/whydown.db", folder);
	int fd = open(path, O_RDONLY);
	WD_CHECK(fd >= 0);
	fdatasync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static double start(const char *folder)
{
	struct told told = {0, 0};
	struct store_position at;
	forget(folder);
	double begin = mono_s();
	struct store *s = open_store(folder);
	WD_CHECK(store_read_state(s, &(struct store_state_handler){on_blob, on_blob, &told}, &at,
				  NULL) == WD_OK);
	WD_CHECK(store_replay(s, &(struct store_replay){on_advance, on_report, &told}, &at, NULL) ==
		 WD_OK);
	double took = mono_s() - begin;
	WD_CHECK(told.calls >= (uint64_t)TAIL_BATCHES * BIG_BATCH);
	store_close(s);
	return took;
}

static void measure_start(void)
{
	const char *text = getenv("WHYDOWN_BENCH_GB");
	double gb = text != NULL ? strtod(text, NULL) : 1, took[ROUNDS];
	char folder[300];
	make_folder(folder, sizeof(folder), "big");
	struct store *s = open_store(folder);
	while ((double)store_count(s).file_bytes < gb * 1e9)
		add_batches(s, 25);
	add_state(s);
	add_state(s);
	add_batches(s, TAIL_BATCHES);
	store_close(s);
	for (int i = 0; i < ROUNDS; i++)
		took[i] = start(folder);
	remove_folder(folder);
	double ms = quantile(took, ROUNDS, 0.5) * 1000;
	char name[100];
	snprintf(name, sizeof(name), "start: %.1f GB, state, %d reports after it", gb,
		 TAIL_BATCHES * BIG_BATCH);
	printf("%s\tms\t%.0f\tlimit\t2000\t%.2f\n", name, ms, 2000 / ms);
}

int main(void)
{
	const char *place = getenv("TMPDIR");
	double rates[ROUNDS], plains[ROUNDS], p99s[ROUNDS], plain_p99s[ROUNDS], full_p99;
	double *latencies = calloc(LATENCIES, sizeof(*latencies));
	uint64_t bytes = 0;

	WD_CHECK(latencies != NULL);
	snprintf(root, sizeof(root), "%s/whydown-bench-XXXXXX", place != NULL ? place : "build");
	if (mkdtemp(root) == NULL) {
		perror(root);
		return 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		rates[i] = run_journal("full", 0, latencies, &full_p99, &bytes);
		plains[i] = run_plain("plain", latencies, &plain_p99s[i]);
		(void)run_journal("paced", PACE, latencies, &p99s[i], NULL);
	}
	double rate = quantile(rates, ROUNDS, 0.5), plain = quantile(plains, ROUNDS, 0.5);
	double p99 = quantile(p99s, ROUNDS, 0.5) * 1000,
	       plain_p99 = quantile(plain_p99s, ROUNDS, 0.5) * 1000;
	uint64_t plain_bytes = plain_bytes_a_report();
	printf("journal: durable reports\treports/s\t%.0f\tone transaction each\t%.0f\t%.1f\n",
	       rate, plain, rate / plain);
	printf("journal: p99 of an answer at %d/s\tms\t%.2f\tone transaction, alone\t%.2f\t%.2f\n",
	       PACE, p99, plain_p99, plain_p99 / p99);
	printf("journal: p99 of an answer at %d/s, limit\tms\t%.2f\tlimit\t50\t%.2f\n", PACE, p99,
	       50 / p99);
	printf("journal: disk a report\tbytes\t%llu\ta row of columns\t%llu\t%.2f\n",
	       (unsigned long long)bytes, (unsigned long long)plain_bytes,
	       (double)plain_bytes / (double)bytes);
	measure_start();
	free(latencies);
	remove_folder(root);
	return 0;
}
