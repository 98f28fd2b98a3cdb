/* SPDX-License-Identifier: Apache-2.0 */
#include "config/tzif.h"

#include "base/timetext.h"
#include "config/tzrule.h"

#include <stdbool.h>
#include <string.h>

/* One of the two data blocks of a file (RFC 8536 section 3.2), lengths checked. */
struct data_block {
	uint32_t time_count, type_count;
	const uint8_t *times;   /* time_count big-endian numbers of time_size bytes */
	const uint8_t *indices; /* time_count bytes */
	const uint8_t *types;   /* type_count of 6 bytes: offset, is daylight time, designation */
	size_t time_size;
};

static uint64_t big_endian(const uint8_t *p, size_t size)
{
	uint64_t n = 0;
	for (size_t i = 0; i < size; i++)
		n = n << 8 | p[i];
	return n;
}

static int64_t block_time(const struct data_block *b, uint32_t i)
{
	uint64_t n = big_endian(b->times + i * b->time_size, b->time_size);
	return b->time_size == 8 ? (int64_t)n : (int32_t)n;
}

static int32_t block_east(const struct data_block *b, uint32_t type)
{
	return (int32_t)big_endian(b->types + (size_t)type * 6, 4);
}

/* The block whose header is at *at; moves *at behind it. */
static enum wd_err block_read(const uint8_t *bytes, size_t len, size_t *at, size_t time_size,
			      struct data_block *ret_block, struct wd_why *why)
{
	enum { HEADER = 44 };
	if (len - *at < HEADER)
		return wd_fail(why, WD_SHORT, (uint32_t)*at, "the header is cut");
	const uint8_t *header = bytes + *at;
	if (memcmp(header, "TZif", 4) != 0)
		return wd_fail(why, WD_MALFORMED, (uint32_t)*at, "not a time zone file");
	uint64_t counts[6]; /* UT flags, standard flags, leap seconds, times, types, characters */
	for (size_t i = 0; i < 6; i++)
		counts[i] = big_endian(header + 20 + 4 * i, 4);
	uint64_t size = counts[3] * (time_size + 1) + counts[4] * 6 + counts[5] +
			counts[2] * (time_size + 4) + counts[1] + counts[0];
	if (size > len - *at - HEADER)
		return wd_fail(why, WD_SHORT, (uint32_t)*at, "the data block is cut");
	if (counts[4] == 0 || counts[4] > 256)
		return wd_fail(why, WD_MALFORMED, (uint32_t)*at,
			       "the number of types is not 1 to 256");
	struct data_block b = {.time_count = (uint32_t)counts[3], .type_count = (uint32_t)counts[4],
			       .times = header + HEADER, .time_size = time_size};
	b.indices = b.times + counts[3] * time_size;
	b.types = b.indices + counts[3];
	for (uint32_t i = 0; i < b.time_count; i++) {
		if (b.indices[i] >= b.type_count)
			return wd_fail(why, WD_MALFORMED, (uint32_t)*at,
				       "a type that is not there");
	}
	for (uint32_t i = 0; i < b.type_count; i++) {
		/* RFC 8536: "SHOULD be more than -25 hours and less than 26 hours". */
		int32_t east_s = block_east(&b, i);
		if (east_s <= -25 * 3600 || east_s >= 26 * 3600)
			return wd_fail(why, WD_MALFORMED, (uint32_t)*at,
				       "an offset of more than a day");
	}
	*at += HEADER + (size_t)size;
	*ret_block = b;
	return WD_OK;
}

static int64_t year_begin_s(int year)
{
	struct civil c = {.year = year, .month = 1, .day = 1};
	return wall_to_s(civil_to_wall(&c));
}

/* A table being filled; sticks at the first error. */
struct filling {
	struct zone *zone;
	int64_t last_s; /* of the latest change, in the table or not */
	enum wd_err err;
	const char *what;
};

static void fill_fail(struct filling *f, enum wd_err err, const char *what)
{
	f->err = err;
	f->what = what;
}

/* From at_s on, this offset. */
static void fill(struct filling *f, int64_t at_s, int32_t east_s)
{
	struct zone *z = f->zone;
	if (f->err != WD_OK)
		return;
	if (at_s <= f->last_s) {
		fill_fail(f, WD_MALFORMED, "changes of offset that do not rise");
		return;
	}
	f->last_s = at_s;
	if (at_s < year_begin_s(TZIF_YEAR_FIRST)) {
		z->east_s = east_s;
		return;
	}
	int32_t before = z->count == 0 ? z->east_s : z->changes[z->count - 1].east_s;
	if (east_s == before || at_s >= year_begin_s(TZIF_YEAR_LAST + 1))
		return; /* a new designation only, or too far away */
	if (z->count == ZONE_CHANGES_MAX) {
		fill_fail(f, WD_FULL, "more changes of offset than a zone can hold");
		return;
	}
	z->changes[z->count++] = (struct zone_change){at_s, east_s};
}

/* What the rule at the end of the file says after the last time in it. */
static void fill_by_rule(struct filling *f, const struct tzrule *rule)
{
	int64_t after_s = f->last_s;

	if (!rule->daylight) {
		if (after_s < INT64_MAX)
			fill(f, after_s + 1, rule->standard_east_s);
		return;
	}
	struct zone_change next = {after_s, 0};
	for (int year = TZIF_YEAR_FIRST - 1; year <= TZIF_YEAR_LAST; year++) {
		struct zone_change changes[2];
		tzrule_year(rule, year, changes);
		for (size_t i = 0; i < 2; i++) {
			/* Daylight time that ends when the next year's begins does not end
			 * (RFC 8536 section 3.3.1). */
			if (next.at_s > after_s && next.at_s != changes[i].at_s)
				fill(f, next.at_s, next.east_s);
			next = changes[i];
		}
	}
	if (next.at_s > after_s)
		fill(f, next.at_s, next.east_s);
}

enum wd_err tzif_read(const uint8_t *bytes, size_t len, struct zone *ret_zone, struct wd_why *why)
{
	struct data_block block = {0};
	struct tzrule rule;
	struct zone z;
	size_t at = 0;
	bool has_rule = false;

	enum wd_err err = block_read(bytes, len, &at, 4, &block, why);
	if (err != WD_OK)
		return err;
	if (bytes[4] >= '2') { /* the same again, in 64 bits, and a rule for what comes after */
		err = block_read(bytes, len, &at, 8, &block, why);
		if (err != WD_OK)
			return err;
		const uint8_t *footer = bytes + at;
		const uint8_t *end = len - at < 2 ? NULL : memchr(footer + 1, '\n', len - at - 1);
		if (end == NULL || footer[0] != '\n')
			return wd_fail(why, WD_SHORT, (uint32_t)at, "the rule at the end is cut");
		has_rule = end > footer + 1;
		if (has_rule &&
		    !tzrule_read((const char *)footer + 1, (size_t)(end - footer - 1), &rule))
			return wd_fail(why, WD_MALFORMED, (uint32_t)at,
				       "the rule at the end is malformed");
	}
	memcpy(z.name, ret_zone->name, sizeof(z.name));
	z.count = 0;
	z.east_s = block_east(&block, 0); /* RFC 8536: type 0 holds before the first time */
	struct filling filling = {.zone = &z, .last_s = INT64_MIN, .err = WD_OK};
	for (uint32_t i = 0; i < block.time_count; i++)
		fill(&filling, block_time(&block, i), block_east(&block, block.indices[i]));
	if (has_rule)
		fill_by_rule(&filling, &rule);
	if (filling.err != WD_OK)
		return wd_fail(why, filling.err, 0, filling.what);
	memset(z.changes + z.count, 0, (ZONE_CHANGES_MAX - z.count) * sizeof(z.changes[0]));
	*ret_zone = z;
	return WD_OK;
}
