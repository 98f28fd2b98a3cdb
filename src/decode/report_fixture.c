/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/report_fixture.h"

#include "base/check.h"
#include "decode/report.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static const char *text_of(const json_t *json, const char *name)
{
	const json_t *value = json_object_get(json, name);
	return value == NULL || json_is_null(value) ? "" : json_string_value(value);
}

bool fixture_agrees_with_jansson(const struct catalogue *catalogue, const char *body, size_t len)
{
	static struct report report;
	static struct report_errors errors;
	struct report_source source = {REPORT_JSON, body, len, catalogue, false};
	enum wd_err err = report_read(&source, &report, &errors);
	json_t *json = len > REPORT_BODY_MAX || memchr(body, '\0', len) != NULL ? NULL :
		       json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);

	WD_CHECK((err == WD_MALFORMED) == !json_is_object(json));
	if (err == WD_OK) {
		const struct observation *o = &report.observation;
		WD_CHECK(strcmp(o->comment, text_of(json, "comment")) == 0);
		WD_CHECK(strcmp(o->region, text_of(json, "region")) == 0);
		WD_CHECK(strcmp(o->city, text_of(json, "city")) == 0);
		WD_CHECK(catalogue_find(catalogue, text_of(json, "service"))->id == o->service);
		WD_CHECK((o->surface[0] == '\0') == (text_of(json, "surface")[0] == '\0'));
		WD_CHECK((o->problem[0] == '\0') == (text_of(json, "problem")[0] == '\0'));
		WD_CHECK(strcasecmp(o->country, text_of(json, "country")) == 0);
	}
	json_decref(json);
	return err == WD_OK;
}
