/* SPDX-License-Identifier: Apache-2.0 */
#include "config/doc.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Nodes and texts live in blocks, freed together. */
enum { BLOCK_SIZE = 1 << 16 };
struct block { struct block *next; size_t used, size; max_align_t bytes[]; };

struct doc {
	struct block *blocks;
	struct doc_node *root;
	const char *file;
	size_t nodes;
};

/* A container that is not closed yet. */
struct level {
	struct doc_node *container;
	struct doc_node *last;  /* its last member so far */
	const char *key;        /* a mapping's key that waits for its value */
	struct problem_at key_at;
	bool key_twice;
};

struct reader {
	struct doc *doc;
	const char *bytes; /* of the file */
	size_t len;
	struct problems *problems;
	struct level levels[DOC_DEPTH_MAX + 1]; /* [0] stands for the document */
	size_t depth;
};

static void *doc_alloc(struct doc *d, size_t size)
{
	size_t aligned =
		(size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (d->blocks == NULL || d->blocks->size - d->blocks->used < aligned) {
		size_t block_size = aligned > BLOCK_SIZE ? aligned : BLOCK_SIZE;
		struct block *b = malloc(sizeof(*b) + block_size);
		if (b == NULL)
			return NULL;
		*b = (struct block){.next = d->blocks, .size = block_size};
		d->blocks = b;
	}
	void *p = (char *)d->blocks->bytes + d->blocks->used;
	d->blocks->used += aligned;
	return memset(p, 0, size);
}

static const char *doc_text(struct doc *d, const char *text, size_t len)
{
	char *copy = doc_alloc(d, len + 1);
	return copy == NULL ? NULL : memcpy(copy, text, len);
}

static struct problem_at mark_at(const struct reader *r, yaml_mark_t mark)
{
	return (struct problem_at){r->doc->file, (uint32_t)mark.line + 1};
}

static enum wd_err refuse(struct reader *r, yaml_mark_t mark, const char *right, const char *what)
{
	problems_add(r->problems, mark_at(r, mark), right, "%s", what);
	return WD_MALFORMED;
}

/* A scalar in a mapping's key position. */
static enum wd_err take_key(struct reader *r, struct level *level, const yaml_event_t *e)
{
	if (level->container->count >= DOC_MAP_MAX)
		return refuse(r, e->start_mark, "at most 400 keys", "a mapping with too many keys");
	level->key = doc_text(r->doc, (const char *)e->data.scalar.value, e->data.scalar.length);
	if (level->key == NULL)
		return WD_NOMEM;
	level->key_at = mark_at(r, e->start_mark);
	const struct doc_node *other = doc_member(level->container, level->key);
	level->key_twice = other != NULL;
	if (level->key_twice)
		problems_add(r->problems, level->key_at, "one of the two",
			     "`%s` stands here and in line %u", level->key, other->at.line);
	return WD_OK;
}

/* A new node at the end of the innermost open container. */
static enum wd_err add_node(struct reader *r, enum doc_kind kind, const yaml_event_t *e,
			    struct doc_node **ret_node)
{
	struct level *level = &r->levels[r->depth];
	if (++r->doc->nodes > DOC_NODES_MAX)
		return refuse(r, e->start_mark, "at most 2000000 values",
			      "too many values in one file");
	struct doc_node *n = doc_alloc(r->doc, sizeof(*n));
	if (n == NULL)
		return WD_NOMEM;
	*n = (struct doc_node){.kind = kind, .at = mark_at(r, e->start_mark), .text = ""};
	*ret_node = n;
	if (level->container == NULL) {
		r->doc->root = n;
		return WD_OK;
	}
	if (level->container->kind == DOC_MAP) {
		n->key = level->key;
		n->at = level->key_at;
		level->key = NULL;
		if (level->key_twice)
			return WD_OK; /* told; the first one stays */
	}
	*(level->last == NULL ? &level->container->first : &level->last->next) = n;
	level->last = n;
	level->container->count++;
	return WD_OK;
}

static bool in_key_place(const struct reader *r)
{
	const struct level *level = &r->levels[r->depth];
	return level->container != NULL && level->container->kind == DOC_MAP && level->key == NULL;
}

static enum wd_err take_scalar(struct reader *r, const yaml_event_t *e)
{
	struct doc_node *n;
	const char *value = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;

	if (e->data.scalar.anchor != NULL)
		return refuse(r, e->start_mark, "write it out", "anchors (&) are not used here");
	if (e->data.scalar.tag != NULL)
		return refuse(r, e->start_mark, "the value alone", "tags (!) are not used here");
	if (!text_is_utf8(value, len))
		return refuse(r, e->start_mark, "printable text",
			      "text with a character that is not allowed");
	if (in_key_place(r))
		return take_key(r, &r->levels[r->depth], e);
	enum wd_err err = add_node(r, DOC_SCALAR, e, &n);
	if (err != WD_OK)
		return err;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	/* `key:` and `key: ~` say nothing; both are the empty text. */
	if (n->plain && (strcmp(value, "~") == 0 || strcmp(value, "null") == 0))
		len = 0;
	n->text = doc_text(r->doc, value, len);
	return n->text == NULL ? WD_NOMEM : WD_OK;
}

static enum wd_err open_container(struct reader *r, enum doc_kind kind, bool anchor, bool tag,
				  const yaml_event_t *e)
{
	struct doc_node *n;

	if (anchor)
		return refuse(r, e->start_mark, "write it out", "anchors (&) are not used here");
	if (tag)
		return refuse(r, e->start_mark, "the value alone", "tags (!) are not used here");
	if (in_key_place(r))
		return refuse(r, e->start_mark, "a word and a colon", "a key that is not a word");
	if (r->depth >= DOC_DEPTH_MAX)
		return refuse(r, e->start_mark, "at most 12 levels",
			      "lists and mappings nested too deep");
	enum wd_err err = add_node(r, kind, e, &n);
	if (err == WD_OK)
		r->levels[++r->depth] = (struct level){.container = n};
	return err;
}

static enum wd_err take_event(struct reader *r, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (r->doc->root != NULL)
			return refuse(r, e->start_mark, "one document a file",
				      "a second YAML document");
		return WD_OK;
	case YAML_ALIAS_EVENT:
		return refuse(r, e->start_mark, "write it out", "aliases (*) are not used here");
	case YAML_SCALAR_EVENT:
		return take_scalar(r, e);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(r, DOC_LIST, e->data.sequence_start.anchor != NULL,
				      e->data.sequence_start.tag != NULL, e);
	case YAML_MAPPING_START_EVENT:
		return open_container(r, DOC_MAP, e->data.mapping_start.anchor != NULL,
				      e->data.mapping_start.tag != NULL, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		WD_CHECK(r->depth > 0);
		r->depth--;
		return WD_OK;
	default:
		return WD_OK; /* stream and document ends */
	}
}

static uint32_t line_of(const struct reader *r, size_t offset)
{
	uint32_t line = 1;
	for (size_t i = 0; i < offset && i < r->len; i++)
		line += r->bytes[i] == '\n';
	return line;
}

static enum wd_err tell_syntax(struct reader *r, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return WD_NOMEM;
	const char *problem = parser->problem == NULL ? "unreadable" : parser->problem;
	struct problem_at at = mark_at(r, parser->problem_mark);
	const char *right = "lines of `key: value`, members indented alike with spaces, "
			    "text with special characters in quotes";
	if (parser->error == YAML_READER_ERROR) {
		at.line = line_of(r, parser->problem_offset); /* all that the reader knows */
		right = "UTF-8 text without control characters";
		problems_add(r->problems, at, right, "not readable as text: %s at byte %zu",
			     problem, parser->problem_offset);
	} else if (parser->context != NULL) {
		problems_add(r->problems, at, right, "not YAML: %s, %s", parser->context, problem);
	} else {
		problems_add(r->problems, at, right, "not YAML: %s", problem);
	}
	return WD_MALFORMED;
}

static enum wd_err read_events(struct reader *r, yaml_parser_t *parser)
{
	for (bool end = false; !end;) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return tell_syntax(r, parser);
		end = event.type == YAML_STREAM_END_EVENT;
		enum wd_err err = take_event(r, &event);
		yaml_event_delete(&event);
		if (err != WD_OK)
			return err;
	}
	return WD_OK;
}

/* An empty file is an empty mapping. */
static enum wd_err settle_root(struct doc *d)
{
	const struct doc_node *root = d->root;
	if (root != NULL && (root->kind != DOC_SCALAR || !root->plain || root->text[0] != '\0'))
		return WD_OK;
	d->root = doc_alloc(d, sizeof(*d->root));
	if (d->root == NULL)
		return WD_NOMEM;
	*d->root = (struct doc_node){.kind = DOC_MAP, .at = {d->file, 1}, .text = ""};
	return WD_OK;
}

enum wd_err doc_read(const char *file, const char *bytes, size_t len, struct doc **ret_doc,
		     struct problems *problems)
{
	yaml_parser_t parser;
	enum wd_err err = WD_NOMEM;
	struct reader r = {.problems = problems, .bytes = bytes, .len = len,
			   .doc = calloc(1, sizeof(*r.doc))};

	if (r.doc == NULL)
		return err;
	r.doc->file = doc_text(r.doc, file, strlen(file));
	if (r.doc->file == NULL)
		goto fail;
	if (text_begins_utf16(bytes, len)) {
		problems_add(problems, (struct problem_at){r.doc->file, 0},
			     "UTF-8: save it as that", "the file is UTF-16");
		err = WD_MALFORMED;
		goto fail;
	}
	if (!yaml_parser_initialize(&parser))
		goto fail;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
	err = read_events(&r, &parser);
	yaml_parser_delete(&parser);
	if (err == WD_OK)
		err = settle_root(r.doc);
	if (err != WD_OK)
		goto fail;
	*ret_doc = r.doc;
	return WD_OK;
fail:
	doc_free(r.doc);
	return err;
}

void doc_free(struct doc *d)
{
	if (d == NULL)
		return;
	while (d->blocks != NULL) {
		struct block *next = d->blocks->next;
		free(d->blocks);
		d->blocks = next;
	}
	free(d);
}

const struct doc_node *doc_root(const struct doc *d)
{
	return d->root;
}

const struct doc_node *doc_member(const struct doc_node *map, const char *key)
{
	for (const struct doc_node *n = map->first; n != NULL; n = n->next) {
		if (n->key != NULL && strcmp(n->key, key) == 0)
			return n;
	}
	return NULL;
}

void doc_describe(struct buf *b, const struct doc_node *n)
{
	char text[61];
	switch (n->kind) {
	case DOC_LIST:
		buf_str(b, "a list");
		return;
	case DOC_MAP:
		buf_str(b, "a mapping");
		return;
	case DOC_SCALAR:
		break;
	}
	if (n->text[0] == '\0') {
		buf_str(b, "nothing");
		return;
	}
	bool whole = text_copy(text, sizeof(text), n->text);
	const char *quote = n->plain ? "" : "\"";
	buf_fmt(b, "`%s%s%s%s`", quote, text, whole ? "" : "…", quote);
}
