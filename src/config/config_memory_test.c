/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a configuration while each of its allocations fails in turn: it must be refused as
 * "no memory" (or go well without that one), leak nothing and follow no NULL. The allocator
 * is glibc's behind ours; sanitizers bring their own, and there the test is skipped. */
#include "config/config_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define SANITIZED 1
#endif

static const char text[] =
	"services_from: [one.yaml]\n"
	"listen: [127.0.0.1:80, \"[::1]:80\"]\n"
	"admin_token: abcdefghijklmnopqrstuvwx\n"
	"feeders: [{name: a, token: bbcdefghijklmnopqrstuvwx}, {name: b, token_file: t}]\n"
	"site: {name: A, url: https://a.example}\n"
	"places: {city_file: c.mmdb}\n"
	"categories: {c: {surfaces: [app], time_zone: Europe/London}}\n"
	"services:\n"
	"  - {id: x, name: X, aliases: [Tw], category: c, links: {A: https://a.b}, relies_on: [y]}\n"
	"  - {id: y, name: Y}\n";
/* The same with mistakes in it: telling them allocates, too. */
static const char wrong[] = "lisen: 1\nlimits: {head_ms: 1}\n"
			    "services: [{id: x, category: d, surfaces: [q], relies_on: [z]}]\n";

#ifndef SANITIZED

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

static long fail_in; /* this many allocations from now, one fails; 0 = none */
static long live;    /* blocks allocated and not freed, while counting */
static bool counting;

static bool fails(void)
{
	return fail_in > 0 && --fail_in == 0;
}

void *malloc(size_t size)
{
	void *p = fails() ? NULL : __libc_malloc(size);
	live += counting && p != NULL;
	return p;
}

void *calloc(size_t count, size_t size)
{
	void *p = fails() ? NULL : __libc_calloc(count, size);
	live += counting && p != NULL;
	return p;
}

void *realloc(void *old, size_t size)
{
	void *p = fails() ? NULL : __libc_realloc(old, size);
	live += counting && p != NULL && old == NULL;
	return p;
}

void free(void *p)
{
	live -= counting && p != NULL;
	__libc_free(p);
}

static enum wd_err fake_read(void *ctx, const char *path, size_t len_max, char **ret_bytes,
			     size_t *ret_len, struct wd_why *why)
{
	static const char one[] = "services: [{id: one, name: One}]\n";
	const char *bytes = path[0] == 't' ? "0123456789abcdef0123456789abcdef" : one;
	(void)ctx, (void)len_max;
	*ret_bytes = strdup(bytes);
	*ret_len = strlen(bytes);
	return *ret_bytes == NULL ? wd_fail(why, WD_NOMEM, 0, "memory") : WD_OK;
}

static const char *fake_places(void *ctx, const char *path)
{
	(void)ctx, (void)path;
	return NULL;
}

static enum wd_err fake_zone(void *ctx, const char *name, struct zone **ret_zone, struct wd_why *why)
{
	(void)ctx;
	struct zone *z = zone_new_utc();
	if (z == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory");
	snprintf(z->name, sizeof(z->name), "%s", name);
	*ret_zone = z;
	return WD_OK;
}

/* Reads while the nth allocation fails; false if there were fewer. */
static bool try_at(const char *yaml, long nth, enum wd_err otherwise)
{
	static const struct config_source source = {
		.read = fake_read,
		.places = fake_places,
		.zone = fake_zone,
		.catalogue_file = "",
		.country_file = "",
	};
	struct config *c = NULL;
	struct problems p;

	problems_init(&p);
	live = 0;
	counting = true;
	fail_in = nth;
	enum wd_err err = config_read("t.yaml", yaml, strlen(yaml), &source, &c, &p);
	bool failed = fail_in == 0;
	fail_in = 0;
	config_free(c);
	problems_done(&p);
	counting = false;
	if (live != 0)
		fail_msg("allocation %ld failed: %ld blocks are left", nth, live);
	/* A file that cannot be read for want of memory is told as a mistake. */
	if (failed && err != WD_NOMEM && err != WD_MALFORMED && err != otherwise)
		fail_msg("allocation %ld failed: error %d", nth, err);
	if (!failed && err != otherwise)
		fail_msg("no allocation failed: error %d", err);
	return failed;
}

static void memory_that_runs_out_anywhere_is_survived(void **state)
{
	long nth = 1;
	(void)state;
	while (try_at(text, nth, WD_OK))
		nth++;
	assert_true(nth > 500); /* the allocator is ours indeed */
	for (nth = 1; try_at(wrong, nth, WD_MALFORMED);)
		nth++;
	assert_true(nth > 500);
}

#else

static void memory_that_runs_out_anywhere_is_survived(void **state)
{
	(void)state, (void)text, (void)wrong;
	puts("skipped: the sanitizer's allocator cannot be made to fail");
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_runs_out_anywhere_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
