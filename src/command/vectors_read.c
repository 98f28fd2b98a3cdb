/* SPDX-License-Identifier: Apache-2.0 */
#include "command/vectors_read.h"

#include "base/check.h"
#include "base/text.h"
#include "config/checks.h"
#include "config/doc.h"
#include "publish/embedded.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS_MAX = 100, DOCUMENTS_OF_ROW_MAX = 4 };

struct reader {
	struct problems *problems;
	const struct doc_node *documents; /* the mapping `sources`, or NULL */
	struct vector_book *book;
};

static const char *const row_keys[] = {
	"id",     "name",   "family", "class", "protocol", "from",   "to",     "type",
	"code",   "length", "payload", "mask", "at",       "text",   "signs",  "any_port",
	"status", "factor", "source", "unverified"};
static const char *const families[] = {"amplification", "reflection", "flood", "application",
				       "pattern"};
static const char *const statuses[] = {"unknown", "reflector", "spoofed", "proved"};
static const struct { const char *name; uint16_t sign; } signs[] = {
	{"no-options", SIGN_NO_OPTIONS},
	{"options", SIGN_OPTIONS},
	{"sequence-is-target", SIGN_SEQUENCE_TARGET},
	{"empty", SIGN_EMPTY},
	{"same-ports", SIGN_SAME_PORTS},
	{"no-data", SIGN_NO_DATA},
	{"window-zero", SIGN_WINDOW_ZERO},
	{"sequence-zero", SIGN_SEQUENCE_ZERO},
	{"forged", SIGN_FORGED},
	{"true-sources", SIGN_TRUE_SOURCES},
	{"few-sources", SIGN_FEW_SOURCES},
	{"random-ports", SIGN_RANDOM_PORTS},
	{"one-length", SIGN_ONE_LENGTH},
	{"many-sources", SIGN_MANY_SOURCES},
	{"new-names", SIGN_NEW_NAMES},
	{"connected", SIGN_CONNECTED},
};

static void wrong(struct reader *r, const struct doc_node *n, const char *right)
{
	struct buf b;
	buf_init(&b, PROBLEM_TEXT_MAX);
	doc_describe(&b, n);
	problems_add(r->problems, n->at, right, "`%s` is %s", n->key == NULL ? "an item" : n->key,
		     b.data == NULL ? "" : b.data);
	buf_done(&b);
}

static bool is_text(const struct doc_node *n)
{
	return n->kind == DOC_SCALAR && n->text[0] != '\0';
}

/* A whole number with nothing after it but `end`, which moves there. */
static bool number(const char *text, unsigned long max, const char **ret_end, unsigned long *ret_n)
{
	char *end;
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*ret_n = strtoul(text, &end, 10);
	*ret_end = end;
	return errno == 0 && *ret_n <= max;
}

/* "53" or "27015-27030". */
static bool range(const char *text, struct vector_ports *ret_range)
{
	unsigned long low, high;
	const char *end;
	if (!number(text, 65535, &end, &low))
		return false;
	high = low;
	if (*end == '-' && !number(end + 1, 65535, &end, &high))
		return false;
	if (*end != '\0' || high < low)
		return false;
	*ret_range = (struct vector_ports){(uint16_t)low, (uint16_t)high};
	return true;
}

static uint8_t read_ports(struct reader *r, const struct doc_node *n, struct vector_ports *ports)
{
	static const char right[] = "a list of at most 6 ports, 1 to 65535, or ranges `1-2`";
	uint8_t count = 0;
	if (n == NULL)
		return 0;
	if (n->kind != DOC_LIST || n->count == 0 || n->count > VECTOR_PORTS_MAX) {
		wrong(r, n, right);
		return 0;
	}
	for (const struct doc_node *i = n->first; i != NULL; i = i->next) {
		if (!is_text(i) || !range(i->text, &ports[count]) || ports[count].low == 0)
			wrong(r, i, right);
		else
			count++;
	}
	return count;
}

static unsigned read_word(struct reader *r, const struct doc_node *row, const char *key,
			  const char *const *words, size_t count)
{
	const struct doc_node *n = doc_member(row, key);
	for (size_t i = 0; n != NULL && n->kind == DOC_SCALAR && i < count; i++) {
		if (strcmp(n->text, words[i]) == 0)
			return (unsigned)i;
	}
	if (n == NULL)
		problems_add(r->problems, row->at, "one of the words of docs/vectors.md",
			     "a vector without `%s`", key);
	else
		wrong(r, n, "one of the words of docs/vectors.md");
	return 0;
}

static bool read_flag(struct reader *r, const struct doc_node *row, const char *key)
{
	const struct doc_node *n = doc_member(row, key);
	if (n == NULL || (n->kind == DOC_SCALAR && strcmp(n->text, "false") == 0))
		return false;
	if (n->kind == DOC_SCALAR && strcmp(n->text, "true") == 0)
		return true;
	wrong(r, n, "true or false");
	return false;
}

static uint8_t read_protocol(struct reader *r, const struct doc_node *n)
{
	unsigned long number_of = 0;
	const char *end = "x";
	if (n == NULL)
		return 0;
	if (n->kind == DOC_SCALAR && strcmp(n->text, "udp") == 0)
		return 17;
	if (n->kind == DOC_SCALAR && strcmp(n->text, "tcp") == 0)
		return 6;
	if (n->kind == DOC_SCALAR && strcmp(n->text, "icmp") == 0)
		return 1;
	if (n->kind != DOC_SCALAR || !number(n->text, 255, &end, &number_of) || *end != '\0')
		wrong(r, n, "udp, tcp, icmp or the number of a protocol");
	return (uint8_t)number_of;
}

static int digit(char c)
{
	c = text_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes as pairs of hex digits with spaces between; SIZE_MAX if it is something else. */
static size_t read_hex(const char *text, uint8_t *bytes)
{
	size_t len = 0;
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == ' ')
			continue;
		if (len == VECTOR_PAYLOAD_MAX || digit(p[0]) < 0 || digit(p[1]) < 0)
			return SIZE_MAX;
		bytes[len++] = (uint8_t)(digit(p[0]) << 4 | digit(p[1]));
		p++;
	}
	return len;
}

static void read_payload(struct reader *r, const struct doc_node *n, struct vector_row *row)
{
	const struct doc_node *text = doc_member(n, "text"), *hex = doc_member(n, "payload");
	const struct doc_node *mask = doc_member(n, "mask"), *at = doc_member(n, "at");
	unsigned long offset;
	const char *end;
	size_t len = 0;

	memset(row->mask, 0xff, sizeof(row->mask));
	if (text != NULL && hex != NULL)
		wrong(r, text, "`text` or `payload`, not both");
	if (hex != NULL && (hex->kind != DOC_SCALAR || (len = read_hex(hex->text, row->payload))
			    == SIZE_MAX || len == 0)) {
		wrong(r, hex, "1 to 16 bytes in hex: \"ff ff 49\"");
		len = 0;
	} else if (text != NULL && (!is_text(text) ||
				    (len = strlen(text->text)) > VECTOR_PAYLOAD_MAX)) {
		wrong(r, text, "1 to 16 characters");
		len = 0;
	} else if (text != NULL) {
		memcpy(row->payload, text->text, len);
	}
	row->payload_len = (uint8_t)len;
	if (mask != NULL && (mask->kind != DOC_SCALAR || len == 0 ||
			     read_hex(mask->text, row->mask) != len))
		wrong(r, mask, "as many bytes in hex as `payload` has");
	if (at != NULL && (!is_text(at) || !number(at->text, 255, &end, &offset) || *end != '\0' ||
			   offset + len > 24))
		wrong(r, at, "a number of bytes; the pattern ends within the first 24");
	else if (at != NULL)
		row->payload_at = (uint8_t)offset;
	for (size_t i = 0; i < len; i++)
		row->payload[i] &= row->mask[i];
}

static void read_signs(struct reader *r, const struct doc_node *n, struct vector_row *row)
{
	if (n != NULL && n->kind != DOC_LIST)
		wrong(r, n, "a list of signs");
	for (const struct doc_node *i = n == NULL ? NULL : n->first; i != NULL; i = i->next) {
		size_t k = 0;
		while (k < WD_COUNT(signs) &&
		       (i->kind != DOC_SCALAR || strcmp(i->text, signs[k].name) != 0))
			k++;
		if (k == WD_COUNT(signs))
			wrong(r, i, "one of the signs of docs/vectors.md");
		else
			row->signs |= signs[k].sign;
	}
}

static void read_factor(struct reader *r, const struct doc_node *n, struct vector_row *row)
{
	char *end = NULL;
	if (n == NULL)
		return;
	double low = is_text(n) && digit(n->text[0]) >= 0 ? strtod(n->text, &end) : -1, high = low;
	if (low > 0 && *end == '-' && digit(end[1]) >= 0)
		high = strtod(end + 1, &end);
	if (!(low > 0 && low <= high && high <= 1e12) || *end != '\0') {
		wrong(r, n, "a number, or two with `-` between");
		return;
	}
	row->factor_min = (float)low;
	row->factor_max = (float)high;
}

static void add_document(struct reader *r, const struct doc_node *n, struct vector_row *row)
{
	const struct doc_node *d = r->documents == NULL || n->kind != DOC_SCALAR
					   ? NULL
					   : doc_member(r->documents, n->text);
	const struct doc_node *name = d == NULL ? NULL : doc_member(d, "document");
	const struct doc_node *date = d == NULL ? NULL : doc_member(d, "date");
	if (name == NULL || date == NULL) {
		wrong(r, n, "the key of an entry of `sources` with `document` and `date`");
		return;
	}
	size_t used = strlen(row->source);
	if (used > 0 && used + 2 < sizeof(row->source)) {
		memcpy(row->source + used, "; ", 3);
		used += 2;
	}
	if (!text_copy(row->source + used, sizeof(row->source) - used, name->text))
		wrong(r, n, "documents whose names have at most 190 bytes together");
	if (row->date[0] == '\0')
		(void)text_copy(row->date, sizeof(row->date), date->text);
}

static void read_documents(struct reader *r, const struct doc_node *map, struct vector_row *row)
{
	const struct doc_node *n = doc_member(map, "source");
	if (n == NULL) {
		problems_add(r->problems, map->at, "`source: key of an entry of sources`",
			     "a vector without a source");
	} else if (n->kind == DOC_SCALAR) {
		add_document(r, n, row);
	} else if (n->kind == DOC_LIST && n->count > 0 && n->count <= DOCUMENTS_OF_ROW_MAX) {
		for (const struct doc_node *i = n->first; i != NULL; i = i->next)
			add_document(r, i, row);
	} else {
		wrong(r, n, "one key of `sources`, or a list of at most 4");
	}
}

/* "2014", "2014-02" or "2014-01-17". */
static bool is_date(const char *text)
{
	static const char form[] = "dddd-dd-dd";
	size_t len = strlen(text);
	if (len != 4 && len != 7 && len != 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != '-')
			return false;
	}
	return true;
}

static void check_documents(struct reader *r)
{
	if (r->documents == NULL)
		return;
	if (r->documents->kind != DOC_MAP || r->documents->count > DOCUMENTS_MAX) {
		wrong(r, r->documents, "at most 100 lines of `key: {document: …, date: …}`");
		r->documents = NULL;
		return;
	}
	for (const struct doc_node *n = r->documents->first; n != NULL; n = n->next) {
		const struct doc_node *name = doc_member(n, "document");
		const struct doc_node *date = doc_member(n, "date");
		if (n->kind != DOC_MAP || n->count != 2 || name == NULL || date == NULL ||
		    name->kind != DOC_SCALAR || !is_line(name->text, VECTOR_SOURCE_MAX) ||
		    date->kind != DOC_SCALAR || !is_date(date->text))
			wrong(r, n, "`{document: a line of text, date: 2014-01-17}`");
	}
}

static void check_keys(struct reader *r, const struct doc_node *map)
{
	for (const struct doc_node *n = map->first; n != NULL; n = n->next) {
		size_t i = 0;
		while (i < WD_COUNT(row_keys) && strcmp(n->key, row_keys[i]) != 0)
			i++;
		if (i < WD_COUNT(row_keys))
			continue;
		const char *near = nearest_word(n->key, row_keys, WD_COUNT(row_keys));
		problems_add(r->problems, n->at, near == NULL ? "a key of docs/vectors.md" : near,
			     "unknown key `%s` in a vector", n->key);
	}
}

/* The class a row belongs to: what it says, or its own id if it has ports. */
static void read_class(struct reader *r, const struct doc_node *map, struct vector_row *row)
{
	const struct doc_node *n = doc_member(map, "class");
	const char *class = n == NULL ? row->from_count + row->to_count > 0 ? row->id : ""
			    : n->kind == DOC_SCALAR ? n->text : "";
	if (n != NULL && !text_is_id(class, strlen(class), VECTOR_ID_MAX))
		wrong(r, n, "the id of a class: 1 to 31 of a-z, 0-9 and . _ - inside");
	(void)text_copy(row->class, sizeof(row->class), class);
	if (row->class[0] == '\0' || vector_class_is_fixed(row->class))
		return;
	if (row->protocol != 17 || row->from_count + row->to_count == 0)
		problems_add(r->problems, n == NULL ? map->at : n->at,
			     "protocol udp with `from` or `to`, or a class of docs/vectors.md",
			     "`%s` has a class that nothing would fall into", row->id);
}

/* Each number "n" or, for `length`, a range. */
static void read_numbers(struct reader *r, const struct doc_node *map, struct vector_row *row)
{
	const struct doc_node *n;
	struct vector_ports x;

	row->icmp_type = row->icmp_code = row->protocol == 1 ? -1 : 0;
	if ((n = doc_member(map, "length")) != NULL) {
		if (!is_text(n) || !range(n->text, &x) || x.low == 0)
			wrong(r, n, "bytes of IP, or a range of them: `28-1500`");
		else
			row->length_min = x.low, row->length_max = x.high;
	}
	static const char *const keys[] = {"type", "code"};
	int16_t *const fields[] = {&row->icmp_type, &row->icmp_code};
	for (size_t i = 0; i < WD_COUNT(keys); i++) {
		if ((n = doc_member(map, keys[i])) == NULL)
			continue;
		if (!is_text(n) || !range(n->text, &x) || x.low != x.high || x.low > 255 ||
		    row->protocol != 1)
			wrong(r, n, "0 to 255, of a vector with protocol icmp");
		else
			*fields[i] = (int16_t)x.low;
	}
}

static bool read_name(struct reader *r, const struct doc_node *map, struct vector_row *row)
{
	const struct doc_node *id = doc_member(map, "id"), *name = doc_member(map, "name");
	if (id == NULL || id->kind != DOC_SCALAR ||
	    !text_is_id(id->text, strlen(id->text), VECTOR_ID_MAX)) {
		problems_add(r->problems, id == NULL ? map->at : id->at,
			     "`id:` and 1 to 31 of a-z, 0-9 and, not first or last, . _ -",
			     id == NULL ? "a vector without an id" : "an id of another form");
		return false;
	}
	if (name == NULL || name->kind != DOC_SCALAR || !is_line(name->text, VECTOR_NAME_MAX)) {
		problems_add(r->problems, name == NULL ? map->at : name->at,
			     "`name:` and a line of at most 63 bytes", "the name of `%s`",
			     id->text);
		return false;
	}
	(void)text_copy(row->id, sizeof(row->id), id->text);
	(void)text_copy(row->name, sizeof(row->name), name->text);
	return true;
}

static void read_row(struct reader *r, const struct doc_node *map, struct vector_row *row)
{
	if (map->kind != DOC_MAP) {
		wrong(r, map, "`{id: …, name: …, …}`");
		return;
	}
	check_keys(r, map);
	if (!read_name(r, map, row))
		return;
	row->family = (enum vector_family)read_word(r, map, "family", families, WD_COUNT(families));
	row->status = (enum source_status)read_word(r, map, "status", statuses, WD_COUNT(statuses));
	row->protocol = read_protocol(r, doc_member(map, "protocol"));
	row->from_count = read_ports(r, doc_member(map, "from"), row->from);
	row->to_count = read_ports(r, doc_member(map, "to"), row->to);
	row->unverified = read_flag(r, map, "unverified");
	row->any_port = read_flag(r, map, "any_port");
	read_class(r, map, row);
	read_numbers(r, map, row);
	read_payload(r, map, row);
	read_signs(r, doc_member(map, "signs"), row);
	read_factor(r, doc_member(map, "factor"), row);
	read_documents(r, map, row);
}

/* Puts the row where its id stands, or at the end. */
static void keep_row(struct reader *r, const struct doc_node *n, const struct vector_row *row,
		     uint32_t own_first)
{
	struct vector_book *b = r->book;
	uint32_t i = 0;
	while (i < b->count && strcmp(b->rows[i].id, row->id) != 0)
		i++;
	if (i < b->count && i >= own_first) {
		problems_add(r->problems, n->at, "another id", "`%s` stands here twice", row->id);
		return;
	}
	if (i == VECTOR_ROWS_MAX) {
		problems_add(r->problems, n->at, "at most 255", "too many vectors");
		return;
	}
	b->rows[i] = *row;
	b->count += i == b->count;
}

static void read_root(struct reader *r, const struct doc_node *root)
{
	uint32_t own_first = r->book->count;
	if (root->kind != DOC_MAP) {
		wrong(r, root, "`sources:` and `vectors:`");
		return;
	}
	for (const struct doc_node *n = root->first; n != NULL; n = n->next) {
		if (strcmp(n->key, "sources") != 0 && strcmp(n->key, "vectors") != 0)
			problems_add(r->problems, n->at, "sources or vectors", "unknown key `%s`",
				     n->key);
	}
	r->documents = doc_member(root, "sources");
	check_documents(r);
	const struct doc_node *list = doc_member(root, "vectors");
	if (list != NULL && list->kind != DOC_LIST) {
		wrong(r, list, "a list, each `- {id: …, name: …, …}`");
		return;
	}
	for (const struct doc_node *n = list == NULL ? NULL : list->first; n != NULL; n = n->next) {
		struct vector_row row = {0};
		size_t errors = r->problems->errors;
		read_row(r, n, &row);
		if (r->problems->errors == errors)
			keep_row(r, n, &row, own_first);
	}
}

enum wd_err vectors_read(const char *file, const char *bytes, size_t len, struct vector_book *book,
			 struct problems *problems)
{
	struct doc *doc;
	size_t errors = problems->errors;
	enum wd_err err = doc_read(file, bytes, len, &doc, problems);
	if (err != WD_OK)
		return err;
	struct vector_book *copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		doc_free(doc);
		return WD_NOMEM;
	}
	*copy = *book;
	struct reader r = {.problems = problems, .book = copy};
	read_root(&r, doc_root(doc));
	if (problems->errors == errors)
		*book = *copy;
	free(copy);
	doc_free(doc);
	return problems->errors == errors ? WD_OK : WD_MALFORMED;
}

void vectors_builtin(struct vector_book *ret_book)
{
	const struct embedded *file = embedded_find("vectors.yaml");
	struct problems problems;
	WD_CHECK(file != NULL); /* the build puts it there */
	ret_book->count = 0;
	problems_init(&problems);
	enum wd_err err = vectors_read("vectors.yaml", (const char *)file->bytes, file->len,
				       ret_book, &problems);
	problems_done(&problems);
	WD_CHECK(err == WD_OK); /* vectors_read_test reads the same bytes */
}
