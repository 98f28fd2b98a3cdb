/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_read.h"

#include "config/catalogue_read.h"
#include "config/setting.h"

#include <stdlib.h>
#include <string.h>

char *path_beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');
	size_t folder_len = name[0] == '/' || slash == NULL ? 0 : (size_t)(slash - file) + 1;
	size_t name_size = strlen(name) + 1;
	char *path = malloc(folder_len + name_size);
	if (path == NULL)
		return NULL;
	memcpy(path, file, folder_len);
	memcpy(path + folder_len, name, name_size);
	return path;
}

static void lists_done(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < setting_count; i++) {
		if (settings[i].type != NULL && settings[i].type->done != NULL)
			settings[i].type->done(setting_value(c, &settings[i]));
	}
	for (size_t i = 0; i < c->feeder_count; i++)
		free(c->feeders[i].name);
	free(c->feeders);
	free(c->file);
	catalogue_release(c->catalogue);
	free(c);
}

/* A catalogue file holds nothing else: a setting that strayed into one would be ignored. */
static void check_catalogue_keys(struct problems *p, const struct doc_node *root)
{
	static const char *const keys[] = {"surfaces", "problems", "categories", "services"};
	enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

	for (const struct doc_node *n = root->first; n != NULL; n = n->next) {
		size_t i = 0;
		while (i < KEYS && strcmp(keys[i], n->key) != 0)
			i++;
		if (i == KEYS)
			problems_add(p, n->at, "surfaces, problems, categories and services",
				     "unknown key `%s` in a catalogue file", n->key);
	}
}

/* The document must be a mapping at its top. */
static bool is_mapping(struct problems *p, const struct doc_node *root)
{
	if (root->kind == DOC_MAP)
		return true;
	problems_add(p, root->at, "lines of `key: value`", "the file is not a mapping");
	return false;
}

/* Reads one catalogue file that the configuration `file` names. NULL after telling why. */
static struct doc *read_catalogue_file(struct config_reader *r, const char *file, const char *name)
{
	struct wd_why why = {.what = "cannot be read"};
	struct doc *doc = NULL;
	char *bytes = NULL;
	size_t len = 0;
	struct problem_at at = {file, 0};

	if (r->services_from_node != NULL)
		at = r->services_from_node->at;
	if (strcmp(name, "builtin") == 0 && r->source->catalogue_file[0] == '\0') {
		problems_add(r->problems, at, "the path of a catalogue file",
			     "the catalogue that comes with the program is not installed");
		return NULL;
	}
	char *path = strcmp(name, "builtin") == 0 ? strdup(r->source->catalogue_file)
						  : path_beside(file, name);
	if (path == NULL) {
		r->nomem = true;
		return NULL;
	}
	if (r->source->read(r->source->ctx, path, CONFIG_FILE_BYTES_MAX, &bytes, &len, &why) !=
	    WD_OK)
		problems_add(
			r->problems, at,
			"the path of a file that can be read, seen from the folder of this one",
			"catalogue file %s: %s", path,
			why.os_errno != 0 ? strerror(why.os_errno) : why.what);
	else if (doc_read(path, bytes, len, &doc, r->problems) == WD_NOMEM)
		r->nomem = true;
	if (doc != NULL && is_mapping(r->problems, doc_root(doc)))
		check_catalogue_keys(r->problems, doc_root(doc));
	free(bytes);
	free(path);
	return doc;
}

/* The catalogue of the files that services_from names and of `root` itself, on top. */
static enum wd_err read_catalogue(struct config_reader *r, const char *file,
				  const struct doc_node *root)
{
	struct doc *docs[CONFIG_FILES_MAX];
	const struct doc_node *roots[CONFIG_FILES_MAX + 1];
	size_t count = 0;
	enum wd_err err = WD_MALFORMED;
	size_t errors_before = r->problems->errors;

	for (size_t i = 0; i < r->services_from.count && i < CONFIG_FILES_MAX; i++) {
		struct doc *doc = read_catalogue_file(r, file, r->services_from.items[i]);
		if (doc == NULL)
			continue;
		docs[count] = doc;
		roots[count++] = doc_root(doc);
	}
	roots[count] = root;
	/* With a file missing, most of what follows would be its absence told again. */
	if (r->problems->errors == errors_before)
		err = catalogue_read(roots, count + 1, r->source, r->problems,
				     &r->config->catalogue);
	for (size_t i = 0; i < count; i++)
		doc_free(docs[i]);
	return err;
}

/* The operator and the feeders are told apart by their tokens. */
static void check_tokens(struct config_reader *r, const char *file)
{
	const struct config *c = r->config;
	for (size_t i = 0; i < c->feeder_count; i++) {
		const struct token *token = &c->feeders[i].token;
		if (c->admin_token.set && token->set &&
		    memcmp(token->hash, c->admin_token.hash, sizeof(token->hash)) == 0)
			problems_add(r->problems, (struct problem_at){file, c->feeders[i].line},
				     "a token of its own", "feeder `%s` has the operator's token",
				     c->feeders[i].name);
	}
}

/* The line of `section.key`, or of the section; 0 if neither is there. */
static uint32_t line_of(const struct doc_node *root, const char *section, const char *key)
{
	const struct doc_node *map = doc_member(root, section);
	const struct doc_node *n =
		map == NULL || map->kind != DOC_MAP ? NULL : doc_member(map, key);
	return n != NULL ? n->at.line : map != NULL ? map->at.line : 0;
}

/* What each setting alone may say, but not both of them together. */
static void check_pairs(struct config_reader *r, const char *file, const struct doc_node *root)
{
	const struct config_limits *l = &r->config->limits;
	const struct config_telemetry *t = &r->config->telemetry;

	if (l->observations_bytes_max > l->bodies_bytes_max)
		problems_add(r->problems,
			     (struct problem_at){file, line_of(root, "limits", "bodies_bytes_max")},
			     "at least as much, or smaller batches",
			     "`limits.bodies_bytes_max` is less than one batch "
			     "(`limits.observations_bytes_max`: %u)", l->observations_bytes_max);
	for (size_t i = 0; i < t->capture.count; i++) {
		for (size_t k = 0; k < t->capture_xdp.count; k++) {
			if (strcmp(t->capture.items[i], t->capture_xdp.items[k]) == 0)
				problems_add(r->problems,
					     (struct problem_at){file, line_of(root, "telemetry",
									       "capture_xdp")},
					     "one of the two",
					     "`%s` stands in `telemetry.capture` and in "
					     "`telemetry.capture_xdp`", t->capture.items[i]);
		}
	}
}

/* A log's service must be one of the catalogue's. */
static void check_logs(struct config_reader *r, const char *file)
{
	const struct config *c = r->config;
	for (size_t i = 0; i < c->telemetry.logs.count; i++) {
		const struct config_log *log = &c->telemetry.logs.items[i];
		if (log->service != NULL && log->service[0] != '\0' &&
		    catalogue_index(c->catalogue, log->service) == SIZE_MAX)
			problems_add(r->problems, (struct problem_at){file, log->line},
				     "the id of a service", "no service `%s` for this log",
				     log->service);
	}
}

enum wd_err config_read(const char *file, const char *bytes, size_t len,
			const struct config_source *source, struct config **ret_config,
			struct problems *problems)
{
	struct doc *doc = NULL;
	size_t errors_before = problems->errors;
	enum wd_err err = WD_NOMEM;
	struct config_reader r = {
		.config = calloc(1, sizeof(*r.config)), .problems = problems, .source = source};

	if (r.config == NULL || (r.config->file = strdup(file)) == NULL)
		goto done;
	settings_default(&r);
	err = doc_read(file, bytes, len, &doc, problems);
	if (err != WD_OK)
		goto done;
	const struct doc_node *root = doc_root(doc);
	if (is_mapping(problems, root)) {
		settings_read(&r, "", root);
		check_tokens(&r, file);
		check_pairs(&r, file, root);
		err = read_catalogue(&r, file, root);
		if (err == WD_OK)
			check_logs(&r, file);
	}
	if (problems->errors > errors_before)
		err = WD_MALFORMED;
	if (r.nomem)
		err = WD_NOMEM;
	if (err == WD_OK) {
		*ret_config = r.config;
		r.config = NULL;
	}
done:
	problems_sort(problems);
	config_free(r.config);
	lists_done(&r.services_from);
	doc_free(doc);
	return err;
}
