/* SPDX-License-Identifier: Apache-2.0 */
/* What the program takes with two collecting threads, and each watched service besides, by
 * calculation: docs/telemetry.md states it. Everything is taken for full: ticks in both threads and merged, both kinds of charts,
 * usual sources, and readers who look at it. */
#include "command/web_ticks.h"
#include "command/weblogs.h"
#include "config/config.h"
#include "detect/conduct.h"
#include "engine/watch.h"
#include "explain/tracer.h"
#include "intake/collector.h"
#include "tally/shard.h"
#include "tally/web_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { THREADS = 2, STATED = 256000, MANY = 300, GATHER_BYTES = 4 * 24 /* its table */ };
enum { MB = 1 << 20, PROGRAM = 11 * MB /* with its libraries: measured, docs/telemetry.md */ };
/* With an access log besides: what is asked for. */
enum { STATED_WITH_LOG = 256 * 1024 };

/* Of a followed log: which of its seconds are open, what its clients do and what is noted of them. Open
 * seconds themselves are of all services together. */
static size_t log_bytes(void)
{
	return sizeof(struct conduct) + sizeof(struct web_window) +
	       WEB_WINDOW_LIVE * sizeof(struct web_tick *) + 2 * sizeof(uint64_t);
}

static size_t shard_bytes(uint32_t services)
{
	static const char *ids[2 * MANY];
	static struct vector_classes classes;
	static const struct hash_key key = {{1}};
	struct traffic_rules rules = {&classes, address_key_of(&key)};
	struct prefix_table *table = NULL;
	struct prefix prefix = {{192, 0, 2, 0}, 4, 24, 0};
	struct shard *s = NULL;
	for (size_t n = 0; n < services; n++)
		ids[n] = "x";
	assert_int_equal(prefix_open(&prefix, 1, &table, NULL), WD_OK);
	assert_int_equal(shard_open(&(struct shard_options){&rules, table, ids, services, 1, 1},
				    &s, NULL), WD_OK);
	size_t bytes = shard_memory(s);
	shard_close(s);
	prefix_close(table);
	return bytes;
}

static void a_watched_service_takes_what_is_stated(void **state)
{
	(void)state;
	size_t counting = (shard_bytes(2 * MANY) - shard_bytes(MANY)) / MANY;
	size_t merged = sizeof(struct traffic_tick) + GATHER_BYTES;
	size_t charts = WATCH_RATES * COURSE_CELLS * sizeof(struct course_cell);
	size_t engine = sizeof(struct watch) + sizeof(struct usual) + charts;
	size_t shown = sizeof(struct traffic_state) +
		       WATCH_RATES * COURSE_CELLS * sizeof(struct point);
	size_t all = THREADS * counting + merged + engine + shown;
	print_message("%d threads of %zu, merged %zu, engine %zu (charts %zu), shown %zu: %zu bytes\n",
		      THREADS, counting, merged, engine, charts, shown, all);
	assert_true(counting <= 48900 && sizeof(struct traffic_tick) <= 47600);
	assert_true(engine + shown <= ENGINE_SERVICE_BYTES_MAX);
	assert_true(THREADS * counting + merged + ENGINE_SERVICE_BYTES_MAX <= STATED);
	assert_true(all <= STATED);
	print_message("with an access log %zu: %zu bytes\n", log_bytes(), all + log_bytes());
	assert_true(log_bytes() <= 5200);
	assert_true(all + log_bytes() <= STATED_WITH_LOG);
	/* Where no flows are counted there are seconds of its own. */
	size_t alone = engine + shown + log_bytes() + WEB_TICKS_ALONE;
	print_message("with an access log alone %zu bytes\n", alone);
	assert_true(alone <= STATED_WITH_LOG);
}

static size_t web_ticks_bytes(void) { return WEB_TICKS_BYTES + sizeof(struct web_tick); }

static size_t clients_bytes(void)
{
	return (size_t)CONDUCT_ROWS_LIVE *
	       (sizeof(struct conduct_row) + CONDUCT_WAYS * sizeof(struct conduct_client));
}

static size_t logs_bytes(void)
{
	return web_ticks_bytes() + clients_bytes() + WEBLOGS_RING_BYTES;
}

/* They are no service's: engine_options has how many there are. */
static size_t traces_bytes(void)
{
	struct engine_options o = engine_defaults();
	return o.tracers_max * sizeof(struct tracer) + o.traces_max * sizeof(struct trace);
}

static void logs_of_all_take_what_is_stated(void **state)
{
	(void)state;
	size_t ticks = web_ticks_bytes(), clients = clients_bytes();
	print_message("seconds %zu bytes (one %zu, a small one %zu), clients %zu\n", ticks,
		      sizeof(struct web_tick), web_tick_bytes(WEB_TICKS_SMALL), clients);
	assert_true(WEB_TICKS_ALONE >= 2 * sizeof(struct web_tick));
	assert_true(ticks <= 6400000 && clients <= 2400000);
}

static void the_traces_of_all_take_what_is_stated(void **state)
{
	struct engine_options o = engine_defaults();
	(void)state;
	print_message("%zu tracers of %zu bytes, %zu traces of %zu\n", o.tracers_max,
		      sizeof(struct tracer), o.traces_max, sizeof(struct trace));
	assert_true(o.traces_max >= o.tracers_max); /* open incidents' are among them */
	assert_true(traces_bytes() <= 10 * MB);
}

static void the_program_takes_what_is_stated(void **state)
{
	struct config *c = NULL;
	struct problems problems;
	(void)state;
	problems_init(&problems);
	assert_int_equal(config_load(NULL, &c, &problems), WD_OK);
	const struct collector_options o = {.exporters_max = c->telemetry.exporters_max,
					    .lane.ring_bytes = c->telemetry.ticks_bytes};
	size_t thread = collector_memory(&o) + sizeof(struct talks);
	size_t all = PROGRAM + THREADS * thread + traces_bytes() + logs_bytes();
	print_message("program %zu, %d threads of %zu, traces %zu, logs %zu: %zu bytes\n",
		      (size_t)PROGRAM, THREADS, thread, traces_bytes(), logs_bytes(), all);
	assert_true(thread <= 17 * MB);
	assert_true(all <= 64 * MB);
	config_free(c);
	problems_done(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_watched_service_takes_what_is_stated),
		cmocka_unit_test(logs_of_all_take_what_is_stated),
		cmocka_unit_test(the_traces_of_all_take_what_is_stated),
		cmocka_unit_test(the_program_takes_what_is_stated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
