/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/report_fixture.h"

#include "base/check.h"

#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	WD_CHECK(memory != NULL);
	return memory;
}

static struct term *two_terms(const char *id_a, const char *name_a, const char *id_b,
			      const char *name_b)
{
	struct term *terms = must(calloc(2, sizeof(*terms)));
	terms[0] = (struct term){must(strdup(id_a)), must(strdup(name_a))};
	terms[1] = (struct term){must(strdup(id_b)), must(strdup(name_b))};
	return terms;
}

struct catalogue *fixture_catalogue(void)
{
	struct service *services = must(calloc(2, sizeof(*services)));
	struct catalogue *c;

	for (size_t i = 0; i < 2; i++) {
		services[i].id = must(strdup(i == 0 ? "x" : "barclays"));
		services[i].name = must(strdup(i == 0 ? "X" : "Barclays"));
		services[i].category = must(strdup("other"));
		services[i].zone = must(zone_new_utc());
	}
	services[0].aliases.items = must(calloc(1, sizeof(char *)));
	services[0].aliases.items[services[0].aliases.count++] = must(strdup("Twitter"));
	services[0].surfaces = two_terms("app", "App", "website", "Website");
	services[0].surface_count = 2;
	services[0].problems = two_terms("login", "Cannot log in", "not-loading", "Nothing loads");
	services[0].problem_count = 2;
	WD_CHECK(catalogue_open(services, 2, &c, NULL) == WD_OK);
	return c;
}
