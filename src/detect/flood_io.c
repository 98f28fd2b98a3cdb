/* SPDX-License-Identifier: Apache-2.0 */
/* The stable form of struct flood: "WDF", version, the service's fields in the order below, how
 * many classes, then each class that was ever used: its id, so that another table of vectors
 * finds its own, and its fields. Little-endian, floats as their IEEE 754 bits. One list of
 * fields serves both directions. */
#include "base/check.h"
#include "detect/flood.h"
#include "detect/walk.h"

#include <string.h>

enum { VERSION = 2, VERSION_MIN = 1, HEAD = 4 };

static const char ends[] = "a service's traffic state ends early";
static const float big = 1e20F; /* flood_clean() lets 1e18 a tick in */

static void when(struct walk *io, int64_t *x)
{
	*x = (int64_t)walk_bits(io, (uint64_t)*x, 8);
	if (*x < 0 || *x > INT64_MAX / 2)
		walk_broken(io, WD_MALFORMED, "a time is out of its range");
}

static void flag(struct walk *io, bool *x)
{
	uint64_t got = walk_bits(io, *x, 1);

	if (got > 1)
		walk_broken(io, WD_MALFORMED, "neither yes nor no");
	*x = got != 0;
}

static void rate(struct walk *io, struct flood_rate *r)
{
	walk_real(io, &r->last, 0, big);
	walk_real(io, &r->peak, 0, big);
	for (int k = 0; k < METER_MEANS; k++)
		walk_real(io, &r->mean[k], 0, big);
	walk_real(io, &r->recent, 0, big);
	walk_real(io, &r->hours, 0, big);
	walk_real(io, &r->top, 0, big);
	for (int k = 0; k < METER_SPREADS; k++)
		walk_real(io, &r->spread[k], 0, 4);
}

static void meter(struct walk *io, struct flood_meter *m)
{
	for (int i = 0; i < METER_RATES; i++)
		rate(io, &m->rate[i]);
	walk_calibrate(io, &m->calibrate, big, 1e6F);
	flag(io, &m->used);
}

static void service(struct walk *io, struct flood *f)
{
	f->ticks = walk_bits(io, f->ticks, 8);
	when(io, &f->last);
	when(io, &f->began);
	when(io, &f->whole_began);
	when(io, &f->whole_last);
	when(io, &f->hot_last);
	flag(io, &f->cold_open);
	walk_whole(io, &f->hits, UINT32_MAX);
	walk_whole(io, &f->calm, UINT32_MAX);
	walk_whole(io, &f->frozen, UINT32_MAX);
	walk_whole(io, &f->pulses, UINT32_MAX);
	walk_whole(io, &f->quiet, UINT32_MAX);
	walk_real(io, &f->sampling, 0, big);
	walk_real(io, &f->out_share, 0, 100);
	for (int i = 0; i < FLOOD_SERIES; i++)
		meter(io, &f->whole[i]);
	meter(io, &f->out);
}

static void class(struct walk *io, struct flood *f, int c)
{
	when(io, &f->class_began[c]);
	when(io, &f->class_last[c]);
	walk_real(io, &f->cold_rate[c], 0, big);
	walk_real(io, &f->cold_bytes[c], 0, big);
	walk_real(io, &f->class_seen[c], 0, big);
	walk_real(io, &f->asked[c], 0, big);
	flag(io, &f->cold_fired[c]);
	meter(io, &f->class[c]);
	f->awake[c / 64] |= UINT64_C(1) << (c % 64);
}

/* From version 2 on. Which names were asked for is learned again in a second. */
static void names(struct walk *io, struct flood_names *n)
{
	walk_whole(io, &n->ticks, UINT32_MAX);
	meter(io, &n->meter);
}

static int used(const struct flood *f, const struct vector_classes *classes)
{
	int n = 0;

	for (int c = 0; c < classes->count && c < VECTOR_CLASSES_MAX; c++)
		n += f->class[c].used;
	return n;
}

size_t flood_write(const struct flood *f, const struct vector_classes *classes,
		   uint8_t bytes[FLOOD_BYTES_MAX])
{
	struct flood copy = *f;
	struct walk io = {.write = bytes, .at = HEAD, .len = FLOOD_BYTES_MAX, .ends = ends};

	memcpy(bytes, "WDF", 3);
	bytes[3] = VERSION;
	service(&io, &copy);
	names(&io, &copy.names);
	(void)walk_bits(&io, (uint64_t)used(f, classes), 1);
	for (int c = 0; c < classes->count && c < VECTOR_CLASSES_MAX; c++) {
		if (!f->class[c].used)
			continue;
		size_t len = strnlen(classes->id[c], VECTOR_ID_MAX);
		(void)walk_bits(&io, len, 1);
		for (size_t i = 0; i < len; i++)
			(void)walk_bits(&io, (uint8_t)classes->id[c][i], 1);
		class(&io, &copy, c);
	}
	WD_CHECK(!io.broken);
	return io.at;
}

/* The class of that id; VECTOR_CLASSES_MAX where the table no longer has it. */
static int find(const struct vector_classes *classes, const char *id)
{
	for (int c = 0; c < classes->count && c < VECTOR_CLASSES_MAX; c++)
		if (strncmp(classes->id[c], id, VECTOR_ID_MAX + 1) == 0)
			return c;
	return VECTOR_CLASSES_MAX;
}

static void read_class(struct walk *io, struct flood *f, struct flood *spare,
		       const struct vector_classes *classes)
{
	char id[VECTOR_ID_MAX + 1] = {0};
	uint64_t len = walk_bits(io, 0, 1);

	if (len > VECTOR_ID_MAX) {
		walk_broken(io, WD_MALFORMED, "a class's name is too long");
		return;
	}
	for (uint64_t i = 0; i < len; i++)
		id[i] = (char)walk_bits(io, 0, 1);
	int c = find(classes, id);
	if (c < VECTOR_CLASSES_MAX)
		class(io, f, c);
	else
		class(io, spare, 0);
}

enum wd_err flood_read(struct flood *ret_f, struct flood scratch[2],
		       const struct flood_plan *plan, const struct vector_classes *classes,
		       const uint8_t *bytes, size_t len, struct wd_why *why)
{
	struct walk io = {.read = bytes, .at = HEAD, .len = (uint32_t)len, .ends = ends};

	if (len < HEAD)
		return wd_fail(why, WD_SHORT, (uint32_t)len, "a traffic state ends in its head");
	if (memcmp(bytes, "WDF", 3) != 0)
		return wd_fail(why, WD_MALFORMED, 0, "not a service's traffic state");
	if (bytes[3] < VERSION_MIN || bytes[3] > VERSION)
		return wd_fail(why, WD_UNKNOWN, 3, "a traffic state of an unknown version");
	if (len > FLOOD_BYTES_MAX)
		return wd_fail(why, WD_MALFORMED, FLOOD_BYTES_MAX, "a traffic state is too long");
	flood_init(&scratch[0], plan);
	flood_init(&scratch[1], plan);
	service(&io, &scratch[0]);
	if (bytes[3] > 1)
		names(&io, &scratch[0].names);
	uint64_t count = walk_bits(&io, 0, 1);
	for (uint64_t i = 0; i < count && !io.broken; i++)
		read_class(&io, &scratch[0], &scratch[1], classes);
	if (!io.broken && io.at != len)
		walk_broken(&io, WD_MALFORMED, "bytes after a service's traffic state");
	if (io.broken)
		return wd_fail(why, io.err, io.broken_at, io.broken);
	*ret_f = scratch[0];
	return WD_OK;
}
