/* SPDX-License-Identifier: Apache-2.0 */
#include "command/traffic_rules.h"

#include "command/log.h"
#include "command/vectors_read.h"
#include "intake/geo_read.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

void traffic_book_open(struct traffic_book *b, const struct hash_key *key,
		       const struct place_files *files)
{
	struct wd_why why = {0};
	*b = (struct traffic_book){.geo = NULL};
	vectors_builtin(&b->book);
	vector_book_compile(&b->book, &b->classes);
	b->rules = (struct traffic_rules){&b->classes, address_key_of(key)};
	if (files != NULL && geo_read(files, &b->geo, &why) != WD_OK) {
		b->geo = NULL;
		log_why(LOG_LEVEL_ERROR, "places_of_traffic_not_read", &why);
	}
	b->places = tracer_places_of(b->geo);
#ifdef __GLIBC__
	/* Making the tables took twice their memory: back with it, before others' buffers, of
	 * which little is ever used, come to lie in it. */
	(void)malloc_trim(0);
#endif
}

void traffic_book_close(struct traffic_book *b)
{
	geo_close(b->geo);
	b->geo = NULL;
}

void traffic_book_options(const struct traffic_book *b, struct engine_options *o)
{
	o->classes = &b->classes;
	o->book = &b->book;
	o->places = &b->places;
	o->source_key = &b->rules.key;
}

static bool read_key(int fd, struct hash_key *ret_key)
{
	struct hash_key key;
	if (read(fd, &key, sizeof(key)) != (ssize_t)sizeof(key))
		return false;
	*ret_key = key;
	return true;
}

struct hash_key traffic_key(const char *data_folder, struct wd_why *why)
{
	char path[PATH_MAX];
	struct hash_key key;
	int len = snprintf(path, sizeof(path), "%s/traffic.key", data_folder);
	int fd = len > 0 && (size_t)len < sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool known = fd >= 0 && read_key(fd, &key);

	if (fd >= 0)
		close(fd);
	if (known)
		return key;
	randombytes_buf(&key, sizeof(key));
	/* One that was cut short is written anew. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, &key, sizeof(key)) != (ssize_t)sizeof(key) || fsync(fd) != 0)
		(void)wd_fail_os(why, errno, "keep traffic.key");
	if (fd >= 0)
		close(fd);
	return key;
}
