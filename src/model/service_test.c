/* SPDX-License-Identifier: Apache-2.0 */
#include "model/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void list_add(struct text_list *list, const char *text)
{
	list->items = realloc(list->items, (list->count + 1) * sizeof(*list->items));
	assert_non_null(list->items);
	list->items[list->count++] = strdup(text);
}

static struct service named(const char *id, const char *name)
{
	struct service s = {.id = strdup(id), .name = strdup(name), .category = strdup("social")};
	s.zone = zone_new_utc();
	s.surfaces = calloc(1, sizeof(*s.surfaces));
	assert_non_null(s.surfaces);
	s.surfaces[0] = (struct term){strdup("app"), strdup("App")};
	s.surface_count = 1;
	return s;
}

/* x (alias Twitter), barclays; the caller may add to them before opening. */
static struct service *two_services(void)
{
	struct service *services = calloc(2, sizeof(*services));
	assert_non_null(services);
	services[0] = named("x", "X");
	list_add(&services[0].aliases, "Twitter");
	services[1] = named("barclays", "Barclays Bank");
	return services;
}

static void a_service_is_found_by_id_name_and_alias_without_case(void **state)
{
	struct catalogue *c;
	(void)state;
	assert_int_equal(catalogue_open(two_services(), 2, &c, NULL), WD_OK);
	assert_int_equal(catalogue_count(c), 2);
	static const char *const of_x[] = {"x", "X", "Twitter", "TWITTER", "twitter"};
	for (size_t i = 0; i < sizeof(of_x) / sizeof(of_x[0]); i++)
		assert_ptr_equal(catalogue_find(c, of_x[i]), catalogue_at(c, 0));
	assert_ptr_equal(catalogue_find(c, "barclays BANK"), catalogue_at(c, 1));
	assert_null(catalogue_find(c, "twitte"));
	assert_null(catalogue_find(c, ""));
	catalogue_release(c);
}

static void an_index_is_by_the_exact_id_only(void **state)
{
	struct catalogue *c;
	(void)state;
	assert_int_equal(catalogue_open(two_services(), 2, &c, NULL), WD_OK);
	assert_int_equal(catalogue_index(c, "barclays"), 1);
	assert_int_equal(catalogue_index(c, "Barclays"), SIZE_MAX);
	assert_int_equal(catalogue_index(c, "twitter"), SIZE_MAX);
	assert_int_equal(catalogue_index(c, "nobody"), SIZE_MAX);
	catalogue_release(c);
}

static void words_longer_than_any_name_are_found_nowhere(void **state)
{
	struct catalogue *c;
	char word[4096];
	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(catalogue_open(two_services(), 2, &c, NULL), WD_OK);
	assert_null(catalogue_find(c, word));
	catalogue_release(c);
}

/* Opens two_services() changed by one word; the mistake must be laid at service 1. */
static void refused(struct service *services, enum wd_err err, const char *what)
{
	struct catalogue *untouched = (struct catalogue *)&services;
	struct catalogue *c = untouched;
	struct wd_why why = {.at = 99};
	assert_int_equal(catalogue_open(services, 2, &c, &why), err);
	assert_ptr_equal(c, untouched);
	assert_int_equal(why.at, 1);
	assert_string_equal(why.what, what);
}

static void a_word_of_two_services_is_refused(void **state)
{
	(void)state;
	struct service *s = two_services();
	free(s[1].id);
	s[1].id = strdup("x");
	refused(s, WD_MALFORMED, "an id is there twice");

	s = two_services();
	list_add(&s[1].aliases, "TWITTER");
	refused(s, WD_MALFORMED, "an alias is another service's id, name or alias");

	s = two_services();
	free(s[1].name);
	s[1].name = strdup("twitter");
	refused(s, WD_MALFORMED, "a name is another service's id, name or alias");
}

static void a_word_twice_of_one_service_is_fine(void **state)
{
	struct catalogue *c;
	(void)state;
	struct service *s = two_services();
	list_add(&s[0].aliases, "x");
	list_add(&s[0].aliases, "twitter");
	assert_int_equal(catalogue_open(s, 2, &c, NULL), WD_OK);
	catalogue_release(c);
}

static void relying_on_nobody_is_refused(void **state)
{
	struct catalogue *c;
	(void)state;
	struct service *s = two_services();
	list_add(&s[1].relies_on, "aws");
	refused(s, WD_UNKNOWN, "relies on a service that is not there");
	s = two_services();
	list_add(&s[1].relies_on, "x");
	assert_int_equal(catalogue_open(s, 2, &c, NULL), WD_OK);
	catalogue_release(c);
}

static void a_shared_zone_is_freed_once(void **state)
{
	struct catalogue *c;
	(void)state;
	struct service *s = two_services();
	free(s[1].zone);
	s[1].zone = s[0].zone;
	assert_int_equal(catalogue_open(s, 2, &c, NULL), WD_OK);
	assert_ptr_equal(catalogue_hold(c), c);
	catalogue_release(c);
	assert_int_equal(catalogue_count(c), 2); /* one reference is left */
	catalogue_release(c);
}

static void surfaces_are_found_by_id(void **state)
{
	struct catalogue *c;
	(void)state;
	assert_int_equal(catalogue_open(two_services(), 2, &c, NULL), WD_OK);
	assert_string_equal(service_surface(catalogue_at(c, 0), "app")->name, "App");
	assert_null(service_surface(catalogue_at(c, 0), "api"));
	assert_null(service_problem(catalogue_at(c, 0), "app"));
	catalogue_release(c);
}

static void ten_thousand_services_are_each_found(void **state)
{
	enum { COUNT = 10000 };
	struct catalogue *c;
	char id[32], name[32];
	(void)state;
	struct service *s = calloc(COUNT, sizeof(*s));
	assert_non_null(s);
	struct zone *zone = zone_new_utc();
	for (int i = 0; i < COUNT; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		snprintf(name, sizeof(name), "Service %d", i);
		s[i] = (struct service){.id = strdup(id), .name = strdup(name), .zone = zone};
	}
	assert_int_equal(catalogue_open(s, COUNT, &c, NULL), WD_OK);
	for (int i = 0; i < COUNT; i++) {
		snprintf(id, sizeof(id), "s%d", i);
		snprintf(name, sizeof(name), "SERVICE %d", i);
		assert_int_equal(catalogue_index(c, id), i);
		assert_ptr_equal(catalogue_find(c, name), catalogue_at(c, (size_t)i));
	}
	catalogue_release(c);
}

static void an_empty_catalogue_is_one(void **state)
{
	struct catalogue *c;
	(void)state;
	assert_int_equal(catalogue_open(NULL, 0, &c, NULL), WD_OK);
	assert_int_equal(catalogue_count(c), 0);
	assert_null(catalogue_find(c, "x"));
	catalogue_release(c);
	catalogue_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_is_found_by_id_name_and_alias_without_case),
		cmocka_unit_test(an_index_is_by_the_exact_id_only),
		cmocka_unit_test(words_longer_than_any_name_are_found_nowhere),
		cmocka_unit_test(a_word_of_two_services_is_refused),
		cmocka_unit_test(a_word_twice_of_one_service_is_fine),
		cmocka_unit_test(relying_on_nobody_is_refused),
		cmocka_unit_test(a_shared_zone_is_freed_once),
		cmocka_unit_test(surfaces_are_found_by_id),
		cmocka_unit_test(ten_thousand_services_are_each_found),
		cmocka_unit_test(an_empty_catalogue_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
