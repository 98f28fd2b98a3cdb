/* SPDX-License-Identifier: Apache-2.0 */
/* writer: the journal and an engine that is easy to check, to be killed at any moment.
 *
 *   kill_writer FOLDER           takes numbers on stdin, a line each; makes each a report with that
 *                                number as its id and person, and says "ack NUMBER" when it is durable
 *   kill_writer FOLDER list SEQ  tells the reports after that batch as "report NUMBER", then
 *                                "end SEQ" and "digest all N from-state N"
 *
 * The engine is a digest of all calls it gets, advance() and observe(), in their order. Its state
 * is written every few batches. At each start the digest made from the state and the journal
 * after it must be that of the whole journal told from its beginning. */
#include "base/check.h"
#include "base/hash.h"
#include "store/journal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct engine { uint64_t digest, reports; };

static void fail(const char *what, const struct wd_why *why)
{
	fprintf(stderr, "kill_writer: %s: %s (errno %d, at %u)\n", what, why->what, why->os_errno, why->at);
	exit(3);
}

static void advance(void *ctx, wd_wall now)
{
	struct engine *e = ctx;
	e->digest = hash_mix(e->digest ^ (uint64_t)now.ns);
}

static void observe(void *ctx, const struct observation *o)
{
	struct engine *e = ctx;
	e->digest = hash_mix(e->digest + o->person);
	e->reports++;
}

static enum wd_err read_whole(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	(void)why;
	WD_CHECK(len == sizeof(struct engine));
	memcpy(ctx, bytes, len);
	return WD_OK;
}

static enum wd_err read_service(void *ctx, const uint8_t *bytes, size_t len, struct wd_why *why)
{
	(void)ctx, (void)bytes, (void)len, (void)why;
	return WD_OK;
}

static struct store_position restore(struct store *s, struct engine *e)
{
	struct store_position at;
	struct wd_why why;
	*e = (struct engine){0, 0};
	struct store_state_handler state = {read_whole, read_service, e};
	if (store_read_state(s, &state, &at, &why) != WD_OK)
		fail("read state", &why);
	struct store_replay replay = {advance, observe, e};
	if (store_replay(s, &replay, &at, &why) != WD_OK)
		fail("replay", &why);
	return at;
}

static void write_state(struct store *s, const struct engine *e, struct store_position at)
{
	struct store_state *w;
	struct wd_why why;
	uint8_t blob[2000] = {1};
	if (store_state_begin(s, at, &w, &why) != WD_OK)
		fail("begin state", &why);
	for (int i = 0; i < 20; i++) {
		char id[16];
		snprintf(id, sizeof(id), "s%d", i);
		if (store_state_add(w, id, blob, sizeof(blob), &why) != WD_OK)
			fail("add state", &why);
	}
	if (store_state_end(w, (const uint8_t *)e, sizeof(*e), &why) != WD_OK)
		fail("end state", &why);
}

/* ---- list ---- */

static void list_nothing(void *ctx, wd_wall now)
{
	(void)ctx, (void)now;
}

static void list_report(void *ctx, const struct observation *o)
{
	(void)ctx;
	printf("report %" PRIu64 "\n", o->person);
}

static void each_damage(void *ctx, const struct store_damage *d)
{
	(void)ctx;
	printf("damage %s\n", d->text);
}

static int list(struct store *s, uint64_t from_seq)
{
	struct engine from_state, all = {0, 0};
	struct store_position at = {from_seq, {0}}, begin = {0, {0}};
	struct store_replay lister = {list_nothing, list_report, NULL}, whole = {advance, observe, &all};
	struct wd_why why;

	restore(s, &from_state);
	if (store_replay(s, &lister, &at, &why) != WD_OK || store_replay(s, &whole, &begin, &why) != WD_OK ||
	    store_each_damage(s, each_damage, NULL, &why) != WD_OK)
		fail("list", &why);
	printf("digest all %016" PRIx64 " from-state %016" PRIx64 "\nend %" PRIu64 "\n", all.digest,
	       from_state.digest, at.seq);
	return 0;
}

/* ---- take ---- */

static void on_done(void *ctx, const struct journal_done *done)
{
	(void)ctx;
	for (size_t i = 0; i < done->count; i++) {
		if (done->err == WD_OK)
			printf("ack %" PRIuPTR "\n", (uintptr_t)done->tickets[i].token);
	}
	fflush(stdout);
}

struct consumer { struct store *store; struct journal *journal; struct engine engine; struct store_position at; };

static void *consume(void *ctx)
{
	struct consumer *c = ctx;
	struct journal_item item;
	unsigned batches = 0;
	while (journal_take(c->journal, span_s(3600), &item)) {
		advance(&c->engine, item.now);
		c->at.clock = item.now;
		for (size_t at = 0, len; at < item.len; at += len) {
			struct observation o;
			if (observation_decode(item.frames + at, item.len - at, &o, &len, NULL) != WD_OK)
				abort();
			observe(&c->engine, &o);
		}
		if (item.seq != 0)
			c->at.seq = item.seq;
		journal_give(c->journal, &item);
		if (++batches % 5 == 0)
			write_state(c->store, &c->engine, c->at);
	}
	return NULL;
}

static void take(struct journal *j, uint64_t number)
{
	uint8_t frame[OBSERVATION_FRAME_MAX];
	struct observation o = observation_blank(OBSERVATION_REPORT);
	o.service = "x";
	o.person = number;
	memcpy(o.id.bytes, &number, sizeof(number));
	if (number % 50 == 0)
		o.comment = "it does not load";
	size_t len = observation_encode(&o, frame);
	while (journal_append(j, frame, len, 1, (void *)(uintptr_t)number, NULL) != WD_OK)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

int main(int argc, char **argv)
{
	struct consumer c = {.store = NULL};
	struct wd_why why;
	struct timespec now;
	pthread_t thread;
	char line[32];

	if (argc != 2 && argc != 4)
		return 2;
	clock_gettime(CLOCK_REALTIME, &now);
	struct store_options options = {.folder = argv[1], .now = wall_s(now.tv_sec)};
	if (store_open(&options, &c.store, &why) != WD_OK)
		fail("open", &why);
	if (argc == 4)
		return list(c.store, strtoull(argv[3], NULL, 10));
	c.at = restore(c.store, &c.engine);
	if (journal_open(&(struct journal_options){.store = c.store, .on_done = on_done}, &c.journal, &why) !=
	    WD_OK)
		fail("open journal", &why);
	if (pthread_create(&thread, NULL, consume, &c) != 0)
		return 3;
	while (fgets(line, sizeof(line), stdin) != NULL)
		take(c.journal, strtoull(line, NULL, 10));
	pthread_join(thread, NULL); /* never: it is killed */
	return 0;
}
