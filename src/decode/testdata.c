/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/testdata.h"

#include "base/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

static void path_of(char *dst, const char *name)
{
	const char *folder = getenv("WHYDOWN_TEST_DATA"), *source = getenv("SOURCE");
	int len = folder != NULL ? snprintf(dst, PATH_SIZE, "%s/%s", folder, name)
				 : snprintf(dst, PATH_SIZE, "%s/../shared/data/%s",
					    source != NULL ? source : "..", name);
	WD_CHECK(len > 0 && len < PATH_SIZE);
}

static uint8_t *load(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	WD_CHECK(fseek(f, 0, SEEK_END) == 0);
	long size = ftell(f);
	WD_CHECK(size >= 0 && fseek(f, 0, SEEK_SET) == 0);
	/* To the byte, so that the sanitizer sees a read past the end. */
	uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
	WD_CHECK(bytes != NULL && fread(bytes, 1, (size_t)size, f) == (size_t)size);
	fclose(f);
	*ret_len = (size_t)size;
	return bytes;
}

uint8_t *testdata_load(const char *name, size_t *ret_len)
{
	char path[PATH_SIZE];
	path_of(path, name);
	uint8_t *bytes = load(path, ret_len);
	if (bytes == NULL)
		printf("skipped: no %s\n", path);
	return bytes;
}

static size_t each(const char *folder,
		   void (*visit)(void *, const char *, const uint8_t *, size_t), void *context)
{
	struct dirent **entries = NULL;
	size_t count = 0;
	int n = scandir(folder, &entries, NULL, alphasort);
	if (n < 0)
		return 0;
	for (int i = 0; i < n; i++) {
		char path[PATH_SIZE];
		int used = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		WD_CHECK(used > 0 && used < PATH_SIZE);
		size_t len = 0;
		uint8_t *bytes;
		if (entries[i]->d_name[0] == '.') {
			/* of no interest */
		} else if (entries[i]->d_type == DT_DIR) {
			count += each(path, visit, context);
		} else if ((bytes = load(path, &len)) != NULL) {
			visit(context, path, bytes, len);
			count++;
			free(bytes);
		}
		free(entries[i]);
	}
	free(entries);
	return count;
}

size_t testdata_each(const char *folder,
		     void (*visit)(void *, const char *, const uint8_t *, size_t), void *context)
{
	char path[PATH_SIZE];
	path_of(path, folder);
	size_t count = each(path, visit, context);
	if (count == 0)
		printf("skipped: nothing in %s\n", path);
	return count;
}
