/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/intake_testing.h"

#include "base/bytes.h"
#include "base/check.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *testing_folder(void)
{
	char *folder = strdup("/tmp/whydown-intake-XXXXXX");
	WD_CHECK(folder != NULL && mkdtemp(folder) != NULL);
	return folder;
}

/* Calls back for each file of the folder. */
static bool any_file(const char *folder, bool (*each)(const char *path, const void *a, size_t b),
		     const void *a, size_t b)
{
	char path[4096];
	bool any = false;
	DIR *dir = opendir(folder);
	WD_CHECK(dir != NULL);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (entry->d_type != DT_REG)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		any = each(path, a, b) || any;
	}
	closedir(dir);
	return any;
}

static bool remove_file(const char *path, const void *a, size_t b)
{
	(void)a;
	(void)b;
	return unlink(path) == 0;
}

void testing_folder_remove(char *folder)
{
	any_file(folder, remove_file, NULL, 0);
	WD_CHECK(rmdir(folder) == 0);
	free(folder);
}

static bool file_holds(const char *path, const void *bytes, size_t len)
{
	static char content[1 << 22];
	FILE *f = fopen(path, "rb");
	WD_CHECK(f != NULL);
	size_t size = fread(content, 1, sizeof(content), f);
	WD_CHECK(size < sizeof(content));
	fclose(f);
	return memmem(content, size, bytes, len) != NULL;
}

bool testing_folder_holds(const char *folder, const void *bytes, size_t len)
{
	return any_file(folder, file_holds, bytes, len);
}

void testing_address(const char *text, uint8_t ret_address[16])
{
	memset(ret_address, 0, 16);
	if (strchr(text, ':') != NULL) {
		WD_CHECK(inet_pton(AF_INET6, text, ret_address) == 1);
		return;
	}
	ret_address[10] = ret_address[11] = 0xff;
	WD_CHECK(inet_pton(AF_INET, text, ret_address + 12) == 1);
}

/* A MaxMind DB file (format 2.0): a binary tree of nodes of two records, 16 zero bytes, data,
 * a marker and metadata. Numbers are big-endian. */
enum { NODES_MAX = 2048, NO_NODE = 0 };

struct tree {
	uint32_t records[NODES_MAX][2];
	uint32_t count;
}; /* 0 = nothing; data is set with DATA */
static const uint32_t data_flag = UINT32_C(1) << 31;

static void put_control(struct out *o, unsigned type, size_t len)
{
	WD_CHECK(len < 285);
	size_t small = len < 29 ? len : 29;
	out_u8(o, (uint8_t)((type > 7 ? 0 : type) << 5 | small));
	if (type > 7)
		out_u8(o, (uint8_t)(type - 7));
	if (len >= 29)
		out_u8(o, (uint8_t)(len - 29));
}

static void put_text(struct out *o, const char *text, size_t len)
{
	put_control(o, 2, len);
	out_bytes(o, text, len);
}

static void put_number(struct out *o, unsigned type, uint64_t n, unsigned len)
{
	put_control(o, type, len);
	while (len-- > 0)
		out_u8(o, (uint8_t)(n >> 8 * len));
}

/* `path` up to `path_end` is keys with dots between; then the value. */
static void put_path(struct out *o, const char *path, const char *path_end, const char *value,
		     size_t value_len)
{
	if (path == path_end) {
		if (value[0] == '#')
			put_number(o, 6, strtoul(value + 1, NULL, 10), 4); /* uint32 */
		else
			put_text(o, value, value_len);
		return;
	}
	const char *dot = memchr(path, '.', (size_t)(path_end - path));
	const char *key_end = dot != NULL ? dot : path_end,
		   *rest = dot != NULL ? dot + 1 : path_end;
	if (*path == '0') {
		put_control(o, 11, 1); /* array */
	} else {
		put_control(o, 7, 1); /* map */
		put_text(o, path, (size_t)(key_end - path));
	}
	put_path(o, rest, path_end, value, value_len);
}

/* The pairs as one map; pairs must not share their first key. */
static void put_map(struct out *o, const char *pairs)
{
	size_t count = 1;
	for (const char *p = pairs; *p != '\0'; p++)
		count += *p == ';';
	put_control(o, 7, count);
	for (const char *at = pairs; *at != '\0';) {
		size_t len = strcspn(at, ";");
		const char *equals = memchr(at, '=', len);
		WD_CHECK(equals != NULL);
		const char *dot = memchr(at, '.', (size_t)(equals - at));
		const char *key_end = dot != NULL ? dot : equals;
		put_text(o, at, (size_t)(key_end - at));
		put_path(o, dot != NULL ? dot + 1 : equals, equals, equals + 1,
			 (size_t)(at + len - equals - 1));
		at += len + (at[len] == ';');
	}
}

/* IPv4 stands at ::/96 in such a file, which is where the library looks for it. */
static void add_prefix(struct tree *t, const struct testing_prefix *p, uint32_t data)
{
	uint8_t address[16];
	bool is_v4 = strchr(p->address, ':') == NULL;
	unsigned bits = p->bits + (is_v4 ? 96 : 0);
	uint32_t node = 0;

	testing_address(p->address, address);
	if (is_v4)
		address[10] = address[11] = 0;
	for (unsigned i = 0; i < bits; i++) {
		unsigned bit = address[i / 8] >> (7 - i % 8) & 1;
		if (i + 1 == bits) {
			t->records[node][bit] = data | data_flag;
			return;
		}
		if (t->records[node][bit] == NO_NODE) {
			WD_CHECK(t->count < NODES_MAX);
			t->records[node][bit] = t->count++;
		}
		node = t->records[node][bit];
	}
}

static void put_metadata(struct out *o, uint32_t nodes)
{
	out_bytes(o, "\xab\xcd\xefMaxMind.com", 14);
	put_control(o, 7, 9);
	put_text(o, "binary_format_major_version", 27);
	put_number(o, 5, 2, 2);
	put_text(o, "binary_format_minor_version", 27);
	put_number(o, 5, 0, 2);
	put_text(o, "build_epoch", 11);
	put_number(o, 9, 1741599900, 8);
	put_text(o, "database_type", 13);
	put_text(o, "Test", 4);
	put_text(o, "description", 11);
	put_control(o, 7, 0);
	put_text(o, "ip_version", 10);
	put_number(o, 5, 6, 2);
	put_text(o, "languages", 9);
	put_control(o, 11, 0);
	put_text(o, "node_count", 10);
	put_number(o, 6, nodes, 4);
	put_text(o, "record_size", 11);
	put_number(o, 5, 32, 2);
}

void testing_mmdb(const char *path, const struct testing_prefix *prefixes, size_t count)
{
	static struct tree tree;
	struct out data, file;

	memset(&tree, 0, sizeof(tree));
	tree.count = 1;
	out_init(&data, 1 << 20);
	out_init(&file, 1 << 20);
	for (size_t i = 0; i < count; i++) {
		uint32_t offset = (uint32_t)data.len;
		put_map(&data, prefixes[i].map);
		add_prefix(&tree, &prefixes[i], offset);
	}
	for (uint32_t i = 0; i < tree.count; i++) {
		for (size_t k = 0; k < 2; k++) {
			uint32_t r = tree.records[i][k];
			r = r == NO_NODE        ? tree.count
			    : r & data_flag ? tree.count + 16 + (r & ~data_flag)
					    : r;
			r = htonl(r);
			out_bytes(&file, &r, sizeof(r));
		}
	}
	static const uint8_t separator[16];
	out_bytes(&file, separator, sizeof(separator));
	out_bytes(&file, data.bytes, data.len);
	put_metadata(&file, tree.count);
	WD_CHECK(!file.bad && !data.bad);
	FILE *f = fopen(path, "wb");
	WD_CHECK(f != NULL && fwrite(file.bytes, 1, file.len, f) == file.len && fclose(f) == 0);
	out_done(&data);
	out_done(&file);
}
