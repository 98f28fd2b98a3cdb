/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_main: replays a folder of inputs through a fuzz target, in place of libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Runs one file; 0 if it could be read (and the target came back). */
static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return -1;
	}
	size_t cap = 1 << 20;
	uint8_t *data = malloc(cap);
	size_t size = data == NULL ? 0 : fread(data, 1, cap, f);
	fclose(f);
	if (data == NULL)
		return -1;
	/* An exact copy, so that the sanitizer sees a read past the end. */
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL) {
		free(data);
		return -1;
	}
	for (size_t i = 0; i < size; i++)
		exact[i] = data[i];
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

int main(int argc, char **argv)
{
	int replayed = 0;
	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		if (dir == NULL) {
			perror(argv[i]);
			return 1;
		}
		for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
			char path[4096];
			if (entry->d_name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
			if (replay(path) != 0)
				return 1;
			replayed++;
		}
		closedir(dir);
	}
	printf("%d inputs replayed\n", replayed);
	return replayed > 0 ? 0 : 1;
}
