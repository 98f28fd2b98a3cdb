/* SPDX-License-Identifier: Apache-2.0 */
/* setting_type: how each kind of setting is read, compared, told and freed. A value that is
 * wrong is told with its line and what would be right, and leaves the default in place. */
#include "base/check.h"
#include "base/text.h"
#include "config/checks.h"
#include "config/setting.h"
#include "config/token.h"
#include "model/observation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_LEN_MAX = 200, PATH_LEN_MAX = 1024, DIGITS_MAX = 15 };

void setting_tell(struct config_reader *r, const struct setting *s, const struct doc_node *n,
		  const char *right)
{
	struct buf b;
	buf_init(&b, PROBLEM_TEXT_MAX);
	buf_fmt(&b, "`%s` is ", s->key);
	doc_describe(&b, n);
	if (!b.bad)
		problems_add(r->problems, n->at, right, "%s", b.data);
	buf_done(&b);
}

static void tell_range(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	char right[PROBLEM_TEXT_MAX];
	snprintf(right, sizeof(right), "a %s from %.10g to %.10g%s%s, such as %s", s->type->name,
		 s->min, s->max, s->unit[0] == '\0' ? "" : " ", s->unit, s->fallback);
	setting_tell(r, s, n, right);
}

/* Decimal digits with at most one point among them; a few only, so that nothing overflows. */
static bool number_of(const char *text, bool fraction, double *ret_number)
{
	double n = 0, unit = 1;
	size_t digits = 0;
	bool point = false;

	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '.' && fraction && !point && digits > 0 && c[1] != '\0') {
			point = true;
			continue;
		}
		if (*c < '0' || *c > '9' || ++digits > DIGITS_MAX)
			return false;
		n = n * 10 + (*c - '0');
		if (point)
			unit *= 10;
	}
	*ret_number = n / unit;
	return digits > 0;
}

static bool number_read(struct config_reader *r, const struct setting *s, const struct doc_node *n,
			bool fraction, double *ret_number)
{
	double number;
	if (n->kind == DOC_SCALAR && n->plain && number_of(n->text, fraction, &number) &&
	    number >= s->min && number <= s->max) {
		*ret_number = number;
		return true;
	}
	tell_range(r, s, n);
	return false;
}

static void count_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	double number;
	if (number_read(r, s, n, false, &number))
		*(uint32_t *)setting_value(r->config, s) = (uint32_t)number;
}

static bool count_same(const void *a, const void *b)
{
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

static void count_write(struct buf *b, const void *value)
{
	buf_u64(b, *(const uint32_t *)value);
}

const struct setting_type setting_count_type = {
	"whole number", count_read, count_same, count_write, NULL};

static void fraction_read(struct config_reader *r, const struct setting *s,
			  const struct doc_node *n)
{
	double number;
	if (number_read(r, s, n, true, &number))
		*(double *)setting_value(r->config, s) = number;
}

static bool fraction_same(const void *a, const void *b)
{
	return *(const double *)a == *(const double *)b;
}

static void fraction_write(struct buf *b, const void *value)
{
	buf_fmt(b, "%.10g", *(const double *)value);
}

const struct setting_type setting_number = {
	"number", fraction_read, fraction_same, fraction_write, NULL};

/* ---- one text ------------------------------------------------------------------------ */

static void text_set(struct config_reader *r, const struct setting *s, char *copy)
{
	char **value = setting_value(r->config, s);
	if (copy == NULL) {
		r->nomem = true;
		return;
	}
	free(*value);
	*value = copy;
}

static bool text_same(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b) == 0;
}

static void text_write(struct buf *b, const void *value)
{
	buf_char(b, '"');
	buf_json(b, *(char *const *)value);
	buf_char(b, '"');
}

static void text_done(void *value)
{
	free(*(char **)value);
}

static void line_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	if (n->kind == DOC_SCALAR && is_line(n->text, (size_t)s->max))
		text_set(r, s, strdup(n->text));
	else
		setting_tell(r, s, n, "one line of 1 to 80 bytes, without spaces at its ends");
}

static void url_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	size_t len = strlen(n->text);
	bool fits = n->kind == DOC_SCALAR && (len == 0 || is_http_url(n->text, (size_t)s->max));
	if (fits && strpbrk(n->text, "?#") == NULL && (len == 0 || n->text[len - 1] != '/'))
		text_set(r, s, strdup(n->text));
	else
		setting_tell(r, s, n,
		     "an address such as https://status.example.org, without a slash at its end");
}

static void contact_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	bool fits = n->kind == DOC_SCALAR &&
		    (n->text[0] == '\0' || is_http_url(n->text, (size_t)s->max) ||
		     is_mail(n->text, (size_t)s->max));
	if (fits)
		text_set(r, s, strdup(n->text));
	else
		setting_tell(r, s, n,
			     "a mail address such as desk@example.org, or an https:// address");
}

static void folder_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	if (n->kind == DOC_SCALAR && is_line(n->text, PATH_LEN_MAX))
		text_set(r, s, strdup(n->text));
	else
		setting_tell(r, s, n, "the path of a folder, such as /var/lib/whydown");
}

static void file_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	if (n->kind != DOC_SCALAR || (n->text[0] != '\0' && !is_line(n->text, PATH_LEN_MAX))) {
		setting_tell(r, s, n, "the path of a MaxMind DB file, or \"\" for none");
		return;
	}
	if (n->text[0] == '\0' || strcmp(n->text, "builtin") == 0) {
		text_set(r, s, strdup(n->text[0] == '\0' ? "" : r->source->country_file));
		return;
	}
	char *path = path_beside(n->at.file, n->text);
	const char *right = path == NULL ? NULL : r->source->places(r->source->ctx, path);
	if (right != NULL)
		setting_tell(r, s, n, right);
	text_set(r, s, path);
}

const struct setting_type setting_text = {"text", line_read, text_same, text_write, text_done};
const struct setting_type setting_url = {"web address", url_read, text_same, text_write, text_done};
const struct setting_type setting_contact = {
	"mail or web address", contact_read, text_same, text_write, text_done};
const struct setting_type setting_folder = {"folder", folder_read, text_same, text_write,
					    text_done};
const struct setting_type setting_file = {"file", file_read, text_same, text_write, text_done};

/* ---- one word ------------------------------------------------------------------------ */

static const char *const levels[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
enum { LEVELS = sizeof(levels) / sizeof(levels[0]) };

static void level_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	for (unsigned i = 0; i < LEVELS; i++) {
		if (n->kind == DOC_SCALAR && strcmp(n->text, levels[i]) == 0) {
			*(enum log_level *)setting_value(r->config, s) = (enum log_level)i;
			return;
		}
	}
	setting_tell(r, s, n, "error, warning, info or debug");
}

static bool level_same(const void *a, const void *b)
{
	return *(const enum log_level *)a == *(const enum log_level *)b;
}

static void level_write(struct buf *b, const void *value)
{
	buf_str(b, levels[*(const enum log_level *)value]);
}

const struct setting_type setting_level = {"word", level_read, level_same, level_write, NULL};

/* ---- lists of texts -------------------------------------------------------------------- */

static void list_done(void *value)
{
	struct text_list *list = value;
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){NULL, 0};
}

static bool list_same(const void *a, const void *b)
{
	const struct text_list *la = a, *lb = b;
	if (la->count != lb->count)
		return false;
	for (size_t i = 0; i < la->count; i++) {
		if (strcmp(la->items[i], lb->items[i]) != 0)
			return false;
	}
	return true;
}

static void list_write(struct buf *b, const void *value)
{
	const struct text_list *list = value;
	buf_char(b, '[');
	for (size_t i = 0; i < list->count; i++) {
		buf_str(b, i == 0 ? "\"" : ", \"");
		buf_json(b, list->items[i]);
		buf_char(b, '"');
	}
	buf_char(b, ']');
}

static bool list_has(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

void setting_list_read(struct config_reader *r, const struct setting *s, const struct doc_node *n,
		       bool (*fits)(const char *), const char *right, struct text_list *list)
{
	struct text_list read = {NULL, 0};

	if (n->kind != DOC_LIST || n->count < s->min || n->count > s->max) {
		char range[PROBLEM_TEXT_MAX];
		snprintf(range, sizeof(range), "a list of %.0f to %.0f, each %s", s->min, s->max,
			 right);
		setting_tell(r, s, n, range);
		return;
	}
	read.items = calloc(n->count + 1, sizeof(*read.items));
	r->nomem |= read.items == NULL;
	bool well = read.items != NULL;
	for (const struct doc_node *item = n->first; well && item != NULL; item = item->next) {
		if (item->kind != DOC_SCALAR || !fits(item->text)) {
			setting_tell(r, s, item, right);
			continue;
		}
		if (list_has(&read, item->text)) {
			problems_add(r->problems, item->at, "each once",
				     "`%s` stands twice in `%s`", item->text, s->key);
			continue;
		}
		read.items[read.count] = strdup(item->text);
		well = read.items[read.count] != NULL;
		r->nomem |= !well;
		read.count += well;
	}
	list_done(list);
	*list = read;
}

static void listen_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	setting_list_read(r, s, n, is_listen,
			  "an address and a port, such as 127.0.0.1:8080 or [::]:8080",
			  setting_value(r->config, s));
}

static void proxies_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	setting_list_read(r, s, n, is_prefix,
			  "an address or a prefix, such as 192.0.2.7 or 10.0.0.0/8",
			  setting_value(r->config, s));
}

static bool is_path(const char *text)
{
	return is_line(text, PATH_LEN_MAX);
}

static void files_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	setting_list_read(r, s, n, is_path, "the path of a catalogue file, or builtin",
			  &r->services_from);
	r->services_from_node = n;
}

const struct setting_type setting_listen = {
	"list of addresses", listen_read, list_same, list_write, list_done};
const struct setting_type setting_proxies = {
	"list of prefixes", proxies_read, list_same, list_write, list_done};
/* Read into the reader: what a config keeps is the catalogue made of them. */
const struct setting_type setting_files = {"list of files", files_read, NULL, NULL, NULL};

static void catalogue_part(struct config_reader *r, const struct setting *s,
			   const struct doc_node *n)
{
	(void)r, (void)s, (void)n; /* read_catalogue does it, once all files are there */
}

const struct setting_type setting_catalogue = {"mapping or list", catalogue_part, NULL, NULL, NULL};

/* ---- tokens and feeders ---------------------------------------------------------------- */

/* Taken over from the example as they stand there. */
static bool is_example_token(const char *text, size_t len)
{
	static const char *const examples[] = {"at-least-24-letters-and-digits",
					       "replace-me-by-openssl-rand-hex-24"};
	bool found = false;
	for (size_t i = 0; i < WD_COUNT(examples); i++)
		found |= strlen(examples[i]) == len && memcmp(examples[i], text, len) == 0;
	return found;
}

static void token_set(struct config_reader *r, const struct doc_node *n, const char *text,
		      size_t len, struct token *token)
{
	char right[PROBLEM_TEXT_MAX];
	if (is_example_token(text, len)) {
		problems_add(r->problems, n->at,
			     "one that nobody else knows, such as from `openssl rand -hex 24`",
			     "a token of examples/whydown.yaml, which everybody can read");
		return;
	}
	if (len >= CONFIG_TOKEN_LEN_MIN && len <= CONFIG_TOKEN_LEN_MAX && is_token(text, len)) {
		if (token->set)
			problems_add(r->problems, n->at, "one of token and its file",
				     "a second token");
		token_make(token, text, len);
		return;
	}
	/* The text itself is a secret, even if it is a bad one. */
	snprintf(right, sizeof(right),
		 "%d to %d letters, digits or -._~+/, such as from `openssl rand -hex 24`",
		 CONFIG_TOKEN_LEN_MIN, CONFIG_TOKEN_LEN_MAX);
	problems_add(r->problems, n->at, right, "a token of %zu bytes%s", len,
		     len > 0 && !is_token(text, len)
			     ? " with other characters than those of a token"
			     : "");
}

static void token_of_text(struct config_reader *r, const struct doc_node *n, struct token *token)
{
	if (n->kind == DOC_SCALAR)
		token_set(r, n, n->text, strlen(n->text), token);
	else
		problems_add(r->problems, n->at, "the token as one word", "`%s` is not a text",
			     n->key);
}

static void token_of_file(struct config_reader *r, const struct doc_node *n, struct token *token)
{
	static const char right[] =
		"the path of a file with nothing but the token, seen from the folder of this one";
	struct wd_why why = {.what = "cannot be read"};
	char *bytes = NULL;
	size_t len = 0;

	if (n->kind != DOC_SCALAR || !is_path(n->text)) {
		problems_add(r->problems, n->at, right, "`%s` is not a path", n->key);
		return;
	}
	char *path = path_beside(n->at.file, n->text);
	if (path == NULL) {
		r->nomem = true;
		return;
	}
	if (r->source->read(r->source->ctx, path, 4096, &bytes, &len, &why) != WD_OK) {
		problems_add(r->problems, n->at, right, "%s: %s", path,
			     why.os_errno != 0 ? strerror(why.os_errno) : why.what);
	} else {
		while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
			len--;
		token_set(r, n, bytes, len, token);
	}
	free(bytes);
	free(path);
}

static void token_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	token_of_text(r, n, setting_value(r->config, s));
}

static void token_file_read(struct config_reader *r, const struct setting *s,
			    const struct doc_node *n)
{
	token_of_file(r, n, setting_value(r->config, s));
}

static bool token_same(const void *a, const void *b)
{
	const struct token *ta = a, *tb = b;
	return ta->set == tb->set && memcmp(ta->hash, tb->hash, sizeof(ta->hash)) == 0;
}

static void token_write(struct buf *b, const void *value)
{
	buf_str(b, ((const struct token *)value)->set ? "(a token)" : "(none)");
}

const struct setting_type setting_token = {"token", token_read, token_same, token_write, NULL};
/* The same value from a file: compared and told once, as the token. */
const struct setting_type setting_token_file = {"file", token_file_read, NULL, NULL, NULL};

static bool feeder_read(struct config_reader *r, const struct doc_node *n, struct feeder *feeder)
{
	if (n->kind != DOC_MAP) {
		problems_add(r->problems, n->at, "`name: …` and `token: …`",
			     "a feeder that is not a mapping");
		return false;
	}
	settings_check_keys(r->problems, "feeders[].", n);
	const struct doc_node *name = doc_member(n, "name"), *token = doc_member(n, "token"),
			      *file = doc_member(n, "token_file");
	if (name == NULL || name->kind != DOC_SCALAR ||
	    !text_is_id(name->text, strlen(name->text), OBSERVATION_FEEDER_MAX)) {
		problems_add(r->problems, name == NULL ? n->at : name->at,
			     "1 to 48 of a-z, 0-9 and, not first or last, . _ -",
			     name == NULL ? "a feeder without a name"
					  : "a feeder's name of another form");
		return false;
	}
	feeder->line = name->at.line;
	feeder->name = strdup(name->text);
	r->nomem |= feeder->name == NULL;
	if (token != NULL)
		token_of_text(r, token, &feeder->token);
	if (file != NULL)
		token_of_file(r, file, &feeder->token);
	if (token == NULL && file == NULL)
		problems_add(r->problems, n->at, "`token: …` or `token_file: …`",
			     "feeder `%s` has no token", name->text);
	return feeder->name != NULL;
}

static void feeders_read(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	struct config *c = r->config;

	if (n->kind != DOC_LIST || n->count > s->max) {
		char right[PROBLEM_TEXT_MAX];
		snprintf(right, sizeof(right),
			 "a list of at most %.0f feeders, each a name and a token", s->max);
		setting_tell(r, s, n, right);
		return;
	}
	c->feeders = calloc(n->count + 1, sizeof(*c->feeders));
	if (c->feeders == NULL) {
		r->nomem = true;
		return;
	}
	for (const struct doc_node *item = n->first; item != NULL; item = item->next) {
		struct feeder *feeder = &c->feeders[c->feeder_count];
		if (!feeder_read(r, item, feeder))
			continue;
		for (size_t i = 0; i < c->feeder_count; i++) {
			if (strcmp(c->feeders[i].name, feeder->name) == 0)
				problems_add(r->problems, item->at, "another name",
					     "feeder `%s` is there twice", feeder->name);
			else if (feeder->token.set &&
				 token_same(&c->feeders[i].token, &feeder->token))
				problems_add(r->problems, item->at, "a token of its own",
					     "feeders `%s` and `%s` have the same token",
					     c->feeders[i].name, feeder->name);
		}
		c->feeder_count++;
	}
}

const struct setting_type setting_feeders = {"list of feeders", feeders_read, NULL, NULL, NULL};
