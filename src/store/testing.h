/* SPDX-License-Identifier: Apache-2.0 */
/* testing: what the tests of this folder share: a data folder of their own, observations
 * made to a pattern, and a record of what a replay told. */
#ifndef WD_STORE_TESTING_H
#define WD_STORE_TESTING_H

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct folder { char path[64]; };

struct folder folder_make(void);
void folder_remove(const struct folder *f);
/* "path/name", valid until the next call. */
const char *folder_file(const struct folder *f, const char *name);
/* Names in the folder that begin like this. */
int folder_count(const struct folder *f, const char *prefix);
void file_copy(const char *from, const char *to);
long file_size(const char *path);
/* Flips every bit of the byte at `at`, which may be negative: from the end. */
void file_damage(const char *path, long at);

/* A store that must open. */
struct store *store_must_open(const struct folder *f);

struct frames { uint8_t bytes[64 * OBSERVATION_FRAME_MAX]; size_t len; uint32_t count; };

/* Adds a report whose person is `number`; `id` 0 = without an id. */
void frames_add(struct frames *f, uint64_t number, uint64_t id, const char *comment);
struct store_batch frames_batch(struct frames *f, int64_t stamp_s, int64_t ticked_s);
/* Appends `count` reports numbered from `first`; must succeed. */
void append_reports(struct store *s, int64_t stamp_s, uint64_t first, uint32_t count);

/* "advance 12.5", "report 7" …, a line each. */
struct story { char text[1 << 16]; size_t len; uint64_t reports, advances, sum; bool quiet; };

struct store_replay story_handler(struct story *story);
/* Replays everything after `from` into an empty story. */
struct store_position story_tell(struct store *s, struct story *story, struct store_position from);

#endif
