/* SPDX-License-Identifier: Apache-2.0 */
#include "store/testing.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder folder_make(void)
{
	struct folder f;
	/* In memory, where there is such a place: what is tested is order, not the disk's speed. */
	const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(f.path, sizeof(f.path), "%s/whydown-store-XXXXXX", place);
	assert_non_null(mkdtemp(f.path));
	return f;
}

void folder_remove(const struct folder *f)
{
	DIR *dir = opendir(f->path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	}
	closedir(dir);
	assert_int_equal(rmdir(f->path), 0);
}

const char *folder_file(const struct folder *f, const char *name)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return path;
}

int folder_count(const struct folder *f, const char *prefix)
{
	int count = 0;
	DIR *dir = opendir(f->path);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(dir);
	return count;
}

void file_copy(const char *from, const char *to)
{
	static char block[1 << 16];
	FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
	assert_non_null(in);
	assert_non_null(out);
	for (size_t got; (got = fread(block, 1, sizeof(block), in)) > 0;)
		assert_int_equal(fwrite(block, 1, got, out), got);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

long file_size(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

void file_damage(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	int c = fgetc(f);
	assert_int_not_equal(c, EOF);
	assert_int_equal(fseek(f, -1, SEEK_CUR), 0);
	fputc(~c & 0xff, f);
	assert_int_equal(fclose(f), 0);
}

struct store *store_must_open(const struct folder *f)
{
	struct store *s = NULL;
	struct wd_why why = {0};
	if (store_open(&(struct store_options){.folder = f->path, .now = wall_s(1)}, &s, &why) !=
	    WD_OK)
		fail_msg("store_open: %s (errno %d)", why.what, why.os_errno);
	return s;
}

void frames_add(struct frames *f, uint64_t number, uint64_t id, const char *comment)
{
	struct observation o = observation_blank(OBSERVATION_REPORT);
	o.at = wall_s(1000);
	o.person = number;
	o.service = "x";
	o.surface = "app";
	o.comment = comment;
	memcpy(o.id.bytes, &id, sizeof(id));
	assert_true(f->len + OBSERVATION_FRAME_MAX <= sizeof(f->bytes));
	f->len += observation_encode(&o, f->bytes + f->len);
	f->count++;
}

struct store_batch frames_batch(struct frames *f, int64_t stamp_s, int64_t ticked_s)
{
	return (struct store_batch){.stamp = wall_s(stamp_s), .ticked = wall_s(ticked_s),
				    .frames = f->bytes, .len = f->len, .count = f->count};
}

void append_reports(struct store *s, int64_t stamp_s, uint64_t first, uint32_t count)
{
	struct frames *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	for (uint32_t i = 0; i < count; i++)
		frames_add(f, first + i, 0, "");
	struct store_batch b = frames_batch(f, stamp_s, 0);
	assert_int_equal(store_append(s, &b, NULL, NULL, NULL), WD_OK);
	free(f);
}

static void told_advance(void *ctx, wd_wall now)
{
	struct story *story = ctx;
	story->advances++;
	if (!story->quiet)
		story->len +=
			(size_t)snprintf(story->text + story->len, sizeof(story->text) - story->len,
					 "advance %g\n", (double)now.ns / 1e9);
	assert_true(story->len < sizeof(story->text));
}

static void told_observe(void *ctx, const struct observation *o)
{
	struct story *story = ctx;
	story->reports++;
	story->sum += o->person;
	if (!story->quiet)
		story->len +=
			(size_t)snprintf(story->text + story->len, sizeof(story->text) - story->len,
					 "report %llu\n", (unsigned long long)o->person);
	assert_true(story->len < sizeof(story->text));
}

struct store_replay story_handler(struct story *story)
{
	return (struct store_replay){told_advance, told_observe, story};
}

struct store_position story_tell(struct store *s, struct story *story, struct store_position from)
{
	struct store_replay handler = story_handler(story);
	bool quiet = story->quiet;
	memset(story, 0, sizeof(*story));
	story->quiet = quiet;
	assert_int_equal(store_replay(s, &handler, &from, NULL), WD_OK);
	return from;
}
