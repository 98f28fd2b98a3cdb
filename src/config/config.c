/* SPDX-License-Identifier: Apache-2.0 */
/* config: loading from disk. What the bytes mean stands in config_read.c. */
#include "config/config.h"

#include "base/text.h"
#include "config/config_read.h"
#include "config/tzif.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads to the end, so that a pipe will do as well as a file. */
static enum wd_err read_all(int fd, size_t len_max, char **ret_bytes, size_t *ret_len,
			    struct wd_why *why)
{
	char *bytes = NULL;
	size_t len = 0, cap = 0;

	for (;;) {
		if (len == cap) {
			cap = cap == 0 ? 1 << 16 : cap * 2;
			char *grown = realloc(bytes, cap);
			if (grown == NULL) {
				free(bytes);
				return wd_fail(why, WD_NOMEM, 0, "no memory for it");
			}
			bytes = grown;
		}
		ssize_t got = read(fd, bytes + len, cap - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int os_errno = errno;
			free(bytes);
			return wd_fail_os(why, os_errno, "read");
		}
		if (got == 0)
			break;
		len += (size_t)got;
		if (len > len_max) {
			free(bytes);
			return wd_fail(why, WD_FULL, 0, "larger than such a file may be");
		}
	}
	*ret_bytes = bytes;
	*ret_len = len;
	return WD_OK;
}

static enum wd_err disk_read(void *ctx, const char *path, size_t len_max, char **ret_bytes,
			     size_t *ret_len, struct wd_why *why)
{
	(void)ctx;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return wd_fail_os(why, errno, "open");
	enum wd_err err = read_all(fd, len_max, ret_bytes, ret_len, why);
	close(fd);
	return err;
}

/* Near its end such a file has this mark (MaxMind DB file format 2.0, "Metadata section"). What
 * else is in it, who looks addresses up in it reads. */
static const char *disk_places(void *ctx, const char *path)
{
	static const char mark[] = "\xab\xcd\xefMaxMind.com";
	enum { WITHIN = 128 << 10 };
	const char *wrong = "the path of a MaxMind DB file, which mostly ends in .mmdb";
	FILE *f = fopen(path, "re");
	char *end = malloc(WITHIN);

	(void)ctx;
	if (f == NULL)
		wrong = "the path of a file that can be read, seen from the folder of this one";
	if (f != NULL && end != NULL && fseek(f, 0, SEEK_END) == 0) {
		long size = ftell(f);
		bool there = fseek(f, size > WITHIN ? size - WITHIN : 0, SEEK_SET) == 0;
		size_t len = there ? fread(end, 1, WITHIN, f) : 0;
		if (memmem(end, len, mark, sizeof(mark) - 1) != NULL)
			wrong = NULL;
	}
	if (f != NULL)
		fclose(f);
	free(end);
	return wrong;
}

static const char *zone_folder(void)
{
	const char *folder = getenv("TZDIR");
	return folder != NULL && folder[0] == '/' ? folder : "/usr/share/zoneinfo";
}

static enum wd_err disk_zone(void *ctx, const char *name, struct zone **ret_zone,
			     struct wd_why *why)
{
	char path[PATH_MAX];
	char *bytes;
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s", zone_folder(), name) >= (int)sizeof(path))
		return wd_fail(why, WD_UNKNOWN, 0, "too long a name");
	enum wd_err err = disk_read(ctx, path, TZIF_BYTES_MAX, &bytes, &len, why);
	if (err == WD_NOMEM)
		return err;
	if (err != WD_OK && access(zone_folder(), X_OK) != 0)
		return wd_fail_os(why, errno, "no time zone data");
	if (err != WD_OK)
		return wd_fail(why, WD_UNKNOWN, 0, "there is none of that name");
	struct zone *zone = calloc(1, sizeof(*zone));
	if (zone == NULL) {
		free(bytes);
		return wd_fail(why, WD_NOMEM, 0, "memory for a zone");
	}
	(void)text_copy(zone->name, sizeof(zone->name), name);
	err = tzif_read((const uint8_t *)bytes, len, zone, why);
	free(bytes);
	if (err != WD_OK) {
		free(zone);
		return err;
	}
	*ret_zone = zone;
	return WD_OK;
}

/* ---- what comes with the program -------------------------------------------------------- */

static char share_folder[PATH_MAX], country_file[PATH_MAX + 32];
static pthread_once_t find_once = PTHREAD_ONCE_INIT;

/* `folder`/`rest`/`name` if that can be read. */
static bool there(char *dst, size_t dst_size, const char *folder, const char *rest,
		  const char *name)
{
	int len = snprintf(dst, dst_size, "%s/%s%s", folder, rest, name);
	bool found = len > 0 && (size_t)len < dst_size && access(dst, R_OK) == 0;
	if (!found)
		dst[0] = '\0';
	return found;
}

/* Seen from the program: beside bin/ when installed; in the source tree of a build folder
 * build/ (the program) or build/tests/ (its tests) otherwise. */
static void find_share(void)
{
	static const char *const share_places[] = {"../share/whydown/", "../data/", "../../data/"};
	static const char *const country_places[] = {"../share/whydown/", "", "../"};
	char here[PATH_MAX], file[PATH_MAX + 32];

	ssize_t len = readlink("/proc/self/exe", here, sizeof(here) - 1);
	if (len <= 0)
		return;
	here[len] = '\0';
	char *slash = strrchr(here, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; i < 3 && share_folder[0] == '\0'; i++) {
		if (there(file, sizeof(file), here, share_places[i], "catalogue.yaml") &&
		    realpath(file, share_folder) != NULL)
			*strrchr(share_folder, '/') = '\0';
	}
	for (size_t i = 0; i < 3; i++) {
		if (there(country_file, sizeof(country_file), here, country_places[i],
			  "country.mmdb"))
			break;
	}
}

const char *config_share_folder(void)
{
	(void)pthread_once(&find_once, find_share);
	return share_folder;
}

const char *config_country_file(void)
{
	(void)pthread_once(&find_once, find_share);
	return country_file;
}

enum wd_err config_load(const char *file, struct config **ret_config, struct problems *problems)
{
	char catalogue_file[PATH_MAX + 32] = "";
	char *bytes = NULL;
	size_t len = 0;
	struct wd_why why = {.what = "cannot be read"};
	struct config *config;

	if (config_share_folder()[0] != '\0')
		(void)there(catalogue_file, sizeof(catalogue_file), config_share_folder(), "",
			    "catalogue.yaml");
	struct config_source source = {
		.read = disk_read,
		.places = disk_places,
		.zone = disk_zone,
		.catalogue_file = catalogue_file,
		.country_file = country_file,
	};
	enum wd_err err = WD_OK;
	if (file != NULL)
		err = disk_read(NULL, file, CONFIG_FILE_BYTES_MAX, &bytes, &len, &why);
	if (err != WD_OK) {
		problems_add(problems, (struct problem_at){file, 0},
			     err == WD_FULL ? "at most 16 MiB"
					    : "the path of a file that can be read",
			     "cannot read the configuration: %s",
			     why.os_errno != 0 ? strerror(why.os_errno) : why.what);
		return err;
	}
	err = config_read(file == NULL ? "" : file, bytes == NULL ? "" : bytes, len, &source,
			  &config, problems);
	free(bytes);
	if (err == WD_NOMEM)
		problems_add(problems, (struct problem_at){file, 0}, "", "memory ran out");
	if (err != WD_OK)
		return err;
	if (file == NULL) {
		free(config->file);
		config->file = NULL;
	}
	*ret_config = config;
	return WD_OK;
}
