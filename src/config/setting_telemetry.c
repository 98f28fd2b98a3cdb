/* SPDX-License-Identifier: Apache-2.0 */
/* setting_telemetry: the kinds of setting that only `telemetry` has: who may export, which
 * access logs are followed, names of interfaces, yes or no. */
#include "config/checks.h"
#include "config/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_LEN_MAX = 1024, SAMPLING_MAX = 16777216 };

/* ---- yes or no ---- */

static void switch_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	bool yes = n->kind == DOC_SCALAR && n->plain && strcmp(n->text, "true") == 0;
	bool no = n->kind == DOC_SCALAR && n->plain && strcmp(n->text, "false") == 0;
	if (yes || no)
		*(bool *)setting_value(r->config, s) = yes;
	else
		setting_tell(r, s, n, "true or false");
}

static bool switch_same(const void *a, const void *b)
{
	return *(const bool *)a == *(const bool *)b;
}

static void switch_write(struct buf *b, const void *value)
{
	buf_str(b, *(const bool *)value ? "true" : "false");
}

const struct setting_type setting_switch = {"word", switch_read, switch_same, switch_write, NULL};

/* ---- interfaces ---- */

/* As the kernel's dev_valid_name: up to 15 bytes, no slash, no colon, no white space. */
static bool is_interface(const char *text)
{
	size_t len = strlen(text);
	return len > 0 && len < 16 && text[strcspn(text, "/: \t\n")] == '\0' &&
	       is_line(text, 15) && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static void interfaces_read(struct config_reader *r, const struct setting *s,
			    const struct doc_node *n)
{
	setting_list_read(r, s, n, is_interface, "the name of an interface, such as eth0",
			  setting_value(r->config, s));
}

static bool texts_same(const void *a, const void *b) { return setting_listen.same(a, b); }
static void texts_write(struct buf *b, const void *value) { setting_listen.write(b, value); }
static void texts_done(void *value) { setting_listen.done(value); }

const struct setting_type setting_interfaces = {
	"list of interfaces", interfaces_read, texts_same, texts_write, texts_done};

/* ---- exporters ---- */

static bool sampling_read(struct config_reader *r, const struct doc_node *n, uint32_t *ret_sampling)
{
	unsigned long one_in = 0;
	char *end = NULL;
	if (n->kind == DOC_SCALAR && n->plain && n->text[0] >= '1' && n->text[0] <= '9' &&
	    strlen(n->text) <= 8)
		one_in = strtoul(n->text, &end, 10);
	if (end == NULL || *end != '\0' || one_in > SAMPLING_MAX) {
		problems_add(r->problems, n->at, "a whole number from 1 to 16777216, such as 1000",
			     "`sampling` of an exporter");
		return false;
	}
	*ret_sampling = (uint32_t)one_in;
	return true;
}

static void exporter_read(struct config_reader *r, const struct doc_node *n,
			  struct config_exporters *to)
{
	static const char right[] =
		"an address or a prefix, or `{address: 192.0.2.1, sampling: 1000}`";
	struct config_exporter *e = &to->items[to->count];
	const struct doc_node *address = n->kind == DOC_MAP ? doc_member(n, "address") : n;

	e->sampling = 0;
	if (n->kind == DOC_MAP)
		settings_check_keys(r->problems, "telemetry.exporters[].", n);
	if (address == NULL || address->kind != DOC_SCALAR ||
	    !block_read(address->text, &e->block)) {
		problems_add(r->problems, address == NULL ? n->at : address->at, right,
			     address == NULL ? "an exporter without an address"
					     : "an exporter's address of another form");
		return;
	}
	const struct doc_node *sampling =
		n->kind == DOC_MAP ? doc_member(n, "sampling") : NULL;
	if (sampling != NULL && !sampling_read(r, sampling, &e->sampling))
		return;
	for (size_t i = 0; i < to->count; i++) {
		if (memcmp(&to->items[i].block, &e->block, sizeof(e->block)) == 0) {
			problems_add(r->problems, n->at, "each once", "exporter `%s` stands twice",
				     address->text);
			return;
		}
	}
	to->count++;
}

static void exporters_done(void *value)
{
	struct config_exporters *e = value;
	free(e->items);
	*e = (struct config_exporters){NULL, 0};
}

static void exporters_read(struct config_reader *r, const struct setting *s,
			   const struct doc_node *n)
{
	struct config_exporters *to = setting_value(r->config, s);
	if (n->kind != DOC_LIST || n->count > s->max) {
		char right[PROBLEM_TEXT_MAX];
		snprintf(right, sizeof(right), "a list of at most %.0f addresses or prefixes",
			 s->max);
		setting_tell(r, s, n, right);
		return;
	}
	exporters_done(to);
	to->items = calloc(n->count + 1, sizeof(*to->items));
	r->nomem |= to->items == NULL;
	for (const struct doc_node *m = n->first; to->items != NULL && m != NULL; m = m->next)
		exporter_read(r, m, to);
}

static bool exporters_same(const void *a, const void *b)
{
	const struct config_exporters *ea = a, *eb = b;
	return ea->count == eb->count &&
	       (ea->count == 0 ||
		memcmp(ea->items, eb->items, ea->count * sizeof(*ea->items)) == 0);
}

static void exporters_write(struct buf *b, const void *value)
{
	buf_fmt(b, "(a list of %zu)", ((const struct config_exporters *)value)->count);
}

const struct setting_type setting_exporters = {"list of exporters", exporters_read, exporters_same,
					       exporters_write, exporters_done};

/* ---- access logs ---- */

static void logs_done(void *value)
{
	struct config_logs *logs = value;
	for (size_t i = 0; i < logs->count; i++) {
		free(logs->items[i].path);
		free(logs->items[i].service);
		free(logs->items[i].format);
	}
	free(logs->items);
	*logs = (struct config_logs){NULL, 0};
}

/* The member as one line; "" if it is not there; NULL (told, or no memory) otherwise. */
static char *member_line(struct config_reader *r, const struct doc_node *map, const char *key,
			 size_t len_max)
{
	const struct doc_node *n = doc_member(map, key);
	if (n != NULL && (n->kind != DOC_SCALAR || !is_line(n->text, len_max))) {
		problems_add(r->problems, n->at, "one line of text", "`%s` of a log", key);
		return NULL;
	}
	char *copy = strdup(n == NULL ? "" : n->text);
	r->nomem |= copy == NULL;
	return copy;
}

static void log_read(struct config_reader *r, const struct doc_node *n, struct config_logs *to)
{
	struct config_log log = {NULL};
	const struct doc_node *path = n->kind == DOC_MAP ? doc_member(n, "path") : NULL;

	if (n->kind == DOC_MAP)
		settings_check_keys(r->problems, "telemetry.logs[].", n);
	if (path == NULL || path->kind != DOC_SCALAR || !is_line(path->text, PATH_LEN_MAX)) {
		problems_add(r->problems, n->at,
			     "`path: /var/log/nginx/access.log`, and perhaps service and format",
			     "a log without a path");
		return;
	}
	log.path = path_beside(path->at.file, path->text);
	r->nomem |= log.path == NULL;
	for (size_t i = 0; log.path != NULL && i < to->count; i++) {
		if (to->items[i].path != NULL && strcmp(to->items[i].path, log.path) == 0)
			problems_add(r->problems, path->at, "each once",
				     "log `%s` stands here and in line %u", path->text,
				     to->items[i].line);
	}
	log.service = member_line(r, n, "service", SERVICE_ID_MAX);
	log.format = member_line(r, n, "format", CONFIG_LOG_FORMAT_MAX);
	log.line = path->at.line;
	to->items[to->count++] = log;
}

static void logs_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	struct config_logs *to = setting_value(r->config, s);
	if (n->kind != DOC_LIST || n->count > s->max) {
		char right[PROBLEM_TEXT_MAX];
		snprintf(right, sizeof(right), "a list of at most %.0f logs, each with a path",
			 s->max);
		setting_tell(r, s, n, right);
		return;
	}
	logs_done(to);
	to->items = calloc(n->count + 1, sizeof(*to->items));
	r->nomem |= to->items == NULL;
	for (const struct doc_node *m = n->first; to->items != NULL && m != NULL; m = m->next)
		log_read(r, m, to);
}

static bool logs_same(const void *a, const void *b)
{
	const struct config_logs *la = a, *lb = b;
	bool same = la->count == lb->count;
	for (size_t i = 0; same && i < la->count; i++) {
		const struct config_log *x = &la->items[i], *y = &lb->items[i];
		same = strcmp(x->path, y->path) == 0 && strcmp(x->service, y->service) == 0 &&
		       strcmp(x->format, y->format) == 0;
	}
	return same;
}

static void logs_write(struct buf *b, const void *value)
{
	const struct config_logs *logs = value;
	buf_char(b, '[');
	for (size_t i = 0; i < logs->count; i++) {
		buf_str(b, i == 0 ? "\"" : ", \"");
		buf_json(b, logs->items[i].path);
		buf_char(b, '"');
	}
	buf_char(b, ']');
}

const struct setting_type setting_logs = {"list of logs", logs_read, logs_same, logs_write,
					  logs_done};
