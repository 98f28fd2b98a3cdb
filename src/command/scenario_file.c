/* SPDX-License-Identifier: Apache-2.0 */
#include "command/scenario_file.h"

#include "base/text.h"
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SUFFIX_LEN = 9, RECONSTRUCTIONS_MAX = 64 };

static const char suffix[] = ".scenario";

static char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;

	if (f == NULL)
		return NULL;
	text = malloc(SCENARIO_BYTES_MAX + 2);
	if (text != NULL) {
		*ret_len = fread(text, 1, SCENARIO_BYTES_MAX + 1, f);
		text[*ret_len] = '\0';
	}
	if (ferror(f)) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

/* The file as a path, else by name in the folder that comes with the program. */
static char *find_file(const char *name, char path[4096], size_t *ret_len)
{
	snprintf(path, 4096, "%s", name);
	char *text = read_file(path, ret_len);
	if (text != NULL || strchr(name, '/') != NULL)
		return text;
	int first_errno = errno;
	snprintf(path, 4096, "%s/scenarios/%s%s", config_share_folder(), name, suffix);
	text = read_file(path, ret_len);
	if (text == NULL) {
		errno = first_errno;
		snprintf(path, 4096, "%s", name);
	}
	return text;
}

/* Returns the characters that begin before `at`. */
static size_t print_plain(FILE *to, const char *text, size_t len, size_t at)
{
	size_t count = 0;
	for (size_t i = 0; i < len;) {
		bool plain;
		size_t n = text_character(text + i, &plain);
		fwrite(plain ? text + i : " ", 1, plain ? n : 1, to);
		count += i < at;
		i += n;
	}
	return count;
}

/* The line at fault with a mark under its column. */
static void show_line(const char *text, size_t len, size_t at)
{
	size_t begin = at, end = at;
	while (begin > 0 && text[begin - 1] != '\n')
		begin--;
	while (end < len && text[end] != '\n' && end - begin < 120)
		end++;
	if (at > end)
		return;
	fputs("    ", stderr);
	size_t before = print_plain(stderr, text + begin, end - begin, at - begin);
	fprintf(stderr, "\n    %*s^\n", (int)before, "");
}

void scenario_print_plain(FILE *to, const char *text, size_t len)
{
	(void)print_plain(to, text, len, 0);
}

/* "x" of "/usr/share/x.scenario"; nothing of a file that is not called like that. */
static void name_after_file(struct scenario *s, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	size_t len = strlen(name);

	if (len > SUFFIX_LEN && strcmp(name + len - SUFFIX_LEN, suffix) == 0 &&
	    text_is_id(name, len - SUFFIX_LEN, OBSERVATION_SCENARIO_MAX))
		memcpy(s->made_from.scenario, name, len - SUFFIX_LEN);
}

struct scenario *scenario_load(const char *path_or_name)
{
	char path[4096];
	size_t len = 0;
	struct wd_why why;
	struct scenario *s = NULL;
	char *text = find_file(path_or_name, path, &len);

	if (text == NULL) {
		fprintf(stderr,
			"whydown: %s: %s (whydown simulate --list shows the scenarios there are)\n",
			path, strerror(errno));
		return NULL;
	}
	if (scenario_read(text, len, &s, &why) != WD_OK) {
		struct text_place p = text_place_of(text, len, why.at);
		fprintf(stderr, "%s:%u:%u: %s\n", path, p.line, p.column, why.what);
		if (!text_begins_utf16(text, len))
			show_line(text, len, why.at);
	} else {
		name_after_file(s, path);
	}
	free(text);
	return s;
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_scenario(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > SUFFIX_LEN && strcmp(entry->d_name + len - SUFFIX_LEN, suffix) == 0;
}

bool scenario_each_installed(void (*each)(void *ctx, const char *name), void *ctx)
{
	char folder[4096];
	struct dirent **entries = NULL;
	snprintf(folder, sizeof(folder), "%s/scenarios", config_share_folder());
	int count = scandir(folder, &entries, is_scenario, compare_names);

	if (count < 0) {
		fprintf(stderr, "whydown: %s: %s\n", folder, strerror(errno));
		return false;
	}
	for (int i = 0; i < count; i++) {
		size_t len = strlen(entries[i]->d_name) - SUFFIX_LEN;
		char name[NAME_MAX + 1];
		snprintf(name, sizeof(name), "%.*s", (int)len, entries[i]->d_name);
		each(ctx, name);
		free(entries[i]);
	}
	free(entries);
	return true;
}

/* ---- reconstructions ---- */

static void add(struct reconstructions *all, const struct scenario *s)
{
	const struct reconstruction *m = &s->made_from;

	if (!s->reconstruction || m->scenario[0] == '\0' || all->count == RECONSTRUCTIONS_MAX ||
	    reconstruction_find(all, m->scenario) != NULL)
		return;
	struct reconstruction *more = reallocarray(all->items, all->count + 1, sizeof(*more));
	if (more == NULL)
		return;
	all->items = more;
	all->items[all->count++] = *m;
}

static void add_installed(void *ctx, const char *name)
{
	struct scenario *s = scenario_load(name);
	if (s != NULL)
		add(ctx, s);
	scenario_free(s);
}

struct reconstructions reconstructions_load(const struct scenario *also)
{
	struct reconstructions all = {NULL, 0};

	if (also != NULL)
		add(&all, also);
	if (config_share_folder()[0] != '\0')
		(void)scenario_each_installed(add_installed, &all);
	return all;
}

void reconstructions_free(struct reconstructions *all)
{
	free(all->items);
	*all = (struct reconstructions){NULL, 0};
}
