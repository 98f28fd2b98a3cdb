/* SPDX-License-Identifier: Apache-2.0 */
/* Holds assets/openapi.json and the renderers together: every path that it documents answers with
 * what it promises, and every route of the API stands in it. */
#include "publish/embedded.h"
#include "publish/site.h"
#include "publish/site_fixture.h"

#include "base/timetext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *document(void)
{
	const struct embedded *file = embedded_find("openapi.json");
	json_error_t error;
	assert_non_null(file);
	json_t *root =
		json_loadb((const char *)file->bytes, file->len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL)
		fail_msg("openapi.json:%d: %s", error.line, error.text);
	return root;
}

/* "#/components/schemas/Now" */
static json_t *resolve(json_t *root, json_t *schema)
{
	const char *at = json_string_value(json_object_get(schema, "$ref"));

	if (at == NULL)
		return schema;
	for (at += 2; *at != '\0';) {
		char name[64];
		size_t len = strcspn(at, "/");
		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		root = json_object_get(root, name);
		at += len + (at[len] == '/');
	}
	assert_non_null(root);
	return resolve(root, root);
}

static bool type_fits(const char *type, json_t *value)
{
	return (strcmp(type, "object") == 0 && json_is_object(value)) ||
	       (strcmp(type, "array") == 0 && json_is_array(value)) ||
	       (strcmp(type, "string") == 0 && json_is_string(value)) ||
	       (strcmp(type, "integer") == 0 && json_is_integer(value)) ||
	       (strcmp(type, "number") == 0 && json_is_number(value)) ||
	       (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
	       (strcmp(type, "null") == 0 && json_is_null(value));
}

/* The first thing at which the value breaks the schema, or NULL. The keywords that the document
 * uses: type, enum, format date-time, required, properties, items. Members that the schema does
 * not name are wrong too: they would be undocumented. */
static const char *breaks(json_t *root, json_t *schema, json_t *value, char *where, size_t size)
{
	json_t *types, *word, *member, *items, *property;
	const char *name;
	bool fits = false;
	size_t i;

	schema = resolve(json_object_get(root, "root"), schema);
	types = json_object_get(schema, "type");
	if (json_is_string(types))
		fits = type_fits(json_string_value(types), value);
	json_array_foreach(types, i, word) fits = fits || type_fits(json_string_value(word), value);
	if (types != NULL && !fits)
		return "type";
	fits = json_object_get(schema, "enum") == NULL || json_is_null(value);
	json_array_foreach(json_object_get(schema, "enum"), i, word) fits =
		fits || json_equal(word, value);
	if (!fits)
		return "enum";
	if (json_is_string(value) && json_object_get(schema, "format") != NULL) {
		wd_wall t;
		if (timetext_read(json_string_value(value), json_string_length(value), &t, NULL) !=
		    WD_OK)
			return "date-time";
	}
	if (json_is_object(value)) {
		json_array_foreach(json_object_get(schema, "required"), i, word)
		{
			snprintf(where, size, "%s", json_string_value(word));
			if (json_object_get(value, json_string_value(word)) == NULL)
				return "missing member";
		}
		json_object_foreach(value, name, member)
		{
			char below[256] = "";
			property = json_object_get(json_object_get(schema, "properties"), name);
			if (json_object_get(schema, "properties") == NULL)
				continue;
			snprintf(where, size, "%s", name);
			if (property == NULL)
				return "undocumented member";
			const char *wrong = breaks(root, property, member, below, sizeof(below));
			if (wrong != NULL) {
				snprintf(where, size, "%.60s.%.180s", name, below);
				return wrong;
			}
		}
	}
	items = json_object_get(schema, "items");
	json_array_foreach(value, i, member)
	{
		const char *wrong = items != NULL ? breaks(root, items, member, where, size) : NULL;
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

static struct site_page get(const struct snapshot *snapshot, const char *path)
{
	static const struct site_health health = {.journal_writes = true, .journal_error = ""};
	struct site_request request = {.path = path, .health = &health};
	struct site_page page;
	assert_int_equal(site_render(&fixture_site, snapshot, &request, &page, NULL), WD_OK);
	return page;
}

static void fill_path(char *dst, size_t size, const char *path)
{
	const char *brace = strchr(path, '{'), *end = strchr(path, '}');

	if (brace == NULL)
		snprintf(dst, size, "%s", path);
	else
		snprintf(dst, size, "%.*s%s%s", (int)(brace - path), path,
			 strncmp(brace, "{service}", 9) == 0 ? "x" : "x-20250310-0945", end + 1);
}

/* These are answered by whoever serves, not by the site. */
static bool is_servers(const char *path)
{
	return strcmp(path, "/api/v1/events") == 0 || strcmp(path, "/api/v1/reports") == 0 ||
	       strcmp(path, "/api/v1/observations") == 0 ||
	       strcmp(path, "/api/v1/exporters") == 0 ||
	       strcmp(path, "/api/v1/clients") == 0 ||
	       strcmp(path, "/api/v1/comments") == 0 ||
	       strcmp(path, "/api/v1/comments/{comment}") == 0;
}

static void check_answer(json_t *root, const char *path, json_t *operation, enum fixture fixture)
{
	char real[128], where[256] = "";
	json_t *content = json_object_get(
		json_object_get(json_object_get(operation, "responses"), "200"), "content");
	struct snapshot *snapshot = fixture_snapshot(fixture);
	json_error_t error;

	fill_path(real, sizeof(real), path);
	struct site_page page = get(snapshot, real);
	if (fixture == FIXTURE_INCIDENT && page.status != 200)
		fail_msg("%s: %d", real, page.status);
	json_t *media = json_object_get(content, page.content_type);
	if (page.status == 404)
		media = json_object_get(
			json_object_get(
				resolve(json_object_get(root, "root"),
					json_object_get(json_object_get(operation, "responses"),
							"404")),
				"content"),
			page.content_type);
	if (media == NULL)
		fail_msg("%s answers %s, which is not documented", real, page.content_type);
	json_t *schema = json_object_get(media, "schema");
	if (schema != NULL) {
		json_t *value =
			json_loadb(page.body.data, page.body.len, JSON_REJECT_DUPLICATES, &error);
		if (value == NULL)
			fail_msg("%s: %s at %d", real, error.text, error.position);
		const char *wrong = breaks(root, schema, value, where, sizeof(where));
		if (wrong != NULL)
			fail_msg("%s: %s: %s", real, where, wrong);
		json_decref(value);
	}
	buf_done(&page.body);
	snapshot_release(snapshot);
}

static void every_documented_path_answers_as_documented(void **state)
{
	static const enum fixture fixtures[] = {FIXTURE_INCIDENT, FIXTURE_QUIET, FIXTURE_NEW,
						FIXTURE_EMPTY, FIXTURE_HOSTILE};
	json_t *document_root = document(), *root = json_pack("{s:o}", "root", document_root),
	       *methods;
	const char *path;
	size_t checked = 0;
	(void)state;
	json_object_foreach(json_object_get(document_root, "paths"), path, methods)
	{
		json_t *operation = json_object_get(methods, "get");
		if (is_servers(path))
			continue;
		for (size_t f = 0; f < 5; f++)
			check_answer(root, path, operation, fixtures[f]);
		checked++;
	}
	assert_true(checked >= 15);
	json_decref(root);
}

static void every_route_of_the_api_is_documented(void **state)
{
	json_t *root = document(), *methods;
	size_t documented = 0, routes = 0;
	const char *path;
	(void)state;
	for (size_t i = 0; i < site_route_count(); i++) {
		struct site_route route = site_route_at(i);
		routes += route.in_openapi;
		if (route.in_openapi &&
		    json_object_get(json_object_get(root, "paths"), route.pattern) == NULL)
			fail_msg("%s is not documented", route.pattern);
	}
	json_object_foreach(json_object_get(root, "paths"), path, methods) documented +=
		!is_servers(path);
	assert_int_equal(documented, routes);
	json_decref(root);
}

static void the_check_itself_can_fail(void **state)
{
	json_t *root = json_pack("{s:{}}", "root");
	json_t *schema = json_pack("{s:s,s:[s],s:{s:{s:s},s:{s:[s,s],s:[s]}}}", "type", "object",
				   "required", "a", "properties", "a", "type", "integer", "b",
				   "type", "string", "null", "enum", "x");
	static const struct {
		const char *json, *wrong;
	} cases[] = {
		{"{\"a\":1}", NULL},
		{"{\"a\":1,\"b\":\"x\"}", NULL},
		{"{\"a\":1,\"b\":null}", NULL},
		{"[]", "type"},
		{"{}", "missing member"},
		{"{\"a\":\"1\"}", "type"},
		{"{\"a\":1,\"b\":\"y\"}", "enum"},
		{"{\"a\":1,\"c\":1}", "undocumented member"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char where[256];
		json_t *value = json_loads(cases[i].json, 0, NULL);
		const char *wrong = breaks(root, schema, value, where, sizeof(where));
		if ((wrong == NULL) != (cases[i].wrong == NULL) ||
		    (wrong != NULL && strcmp(wrong, cases[i].wrong) != 0))
			fail_msg("%s: %s", cases[i].json, wrong != NULL ? wrong : "passes");
		json_decref(value);
	}
	json_decref(schema);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_documented_path_answers_as_documented),
		cmocka_unit_test(every_route_of_the_api_is_documented),
		cmocka_unit_test(the_check_itself_can_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
