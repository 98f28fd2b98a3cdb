/* SPDX-License-Identifier: Apache-2.0 */
/* The stable form of struct flood: "WDF", version, the service's fields in the order below, how
 * many classes, then each class that was ever used: its id, so that another table of vectors
 * finds its own, and its fields. Little-endian, floats as their IEEE 754 bits. One list of
 * fields serves both directions. */
#include "base/check.h"
#include "detect/flood.h"

#include <string.h>

enum { VERSION = 1, HEAD = 4 };

struct io {
	uint8_t *write; /* NULL when reading */
	const uint8_t *read;
	uint32_t at, len; /* len: of what is read, or room to write */
	const char *broken; /* the first broken rule */
	uint32_t broken_at;
	enum wd_err err;
};

static const float big = 1e20F; /* flood_clean() lets 1e18 a tick in */

static void broken(struct io *io, enum wd_err err, const char *what)
{
	if (!io->broken) {
		io->broken = what;
		io->broken_at = io->at;
		io->err = err;
	}
}

static uint64_t bits(struct io *io, uint64_t value, uint32_t bytes)
{
	uint64_t got = 0;

	if (io->len - io->at < bytes) {
		broken(io, WD_SHORT, "a service's traffic state ends early");
		return 0;
	}
	for (uint32_t i = 0; i < bytes; i++, io->at++) {
		if (io->write)
			io->write[io->at] = (uint8_t)(value >> (8 * i));
		else
			got |= (uint64_t)io->read[io->at] << (8 * i);
	}
	return io->write ? value : got;
}

static void real(struct io *io, float *x, float low, float high)
{
	uint32_t u;

	memcpy(&u, x, sizeof(u));
	u = (uint32_t)bits(io, u, 4);
	memcpy(x, &u, sizeof(u));
	if (!(*x >= low && *x <= high)) /* also what is no number */
		broken(io, WD_MALFORMED, "a number is out of its range");
}

static void whole(struct io *io, uint32_t *x)
{
	*x = (uint32_t)bits(io, *x, 4);
}

static void when(struct io *io, int64_t *x)
{
	*x = (int64_t)bits(io, (uint64_t)*x, 8);
	if (*x < 0 || *x > INT64_MAX / 2)
		broken(io, WD_MALFORMED, "a time is out of its range");
}

static void flag(struct io *io, bool *x)
{
	uint64_t got = bits(io, *x, 1);

	if (got > 1)
		broken(io, WD_MALFORMED, "neither yes nor no");
	*x = got != 0;
}

static void rate(struct io *io, struct flood_rate *r)
{
	real(io, &r->last, 0, big);
	real(io, &r->peak, 0, big);
	for (int k = 0; k < METER_MEANS; k++)
		real(io, &r->mean[k], 0, big);
	real(io, &r->recent, 0, big);
	real(io, &r->hours, 0, big);
	real(io, &r->top, 0, big);
	for (int k = 0; k < METER_SPREADS; k++)
		real(io, &r->spread[k], 0, 4);
}

static void meter(struct io *io, struct flood_meter *m)
{
	struct calibrate *c = &m->calibrate;

	for (int i = 0; i < METER_RATES; i++)
		rate(io, &m->rate[i]);
	real(io, &c->peak, 0, big);
	real(io, &c->excess, 0, big);
	real(io, &c->square, 0, big);
	real(io, &c->count, 0, 1e6F);
	real(io, &c->samples, 0, 1e6F); /* calibrate.c halves it at 400,000 */
	real(io, &c->scale, 1e-6F, big);
	real(io, &c->shape, 0, 1);
	real(io, &c->log10_rate, -100, 0);
	real(io, &c->log10_seen, 0, 100);
	flag(io, &m->used);
}

static void service(struct io *io, struct flood *f)
{
	f->ticks = bits(io, f->ticks, 8);
	when(io, &f->last);
	when(io, &f->began);
	when(io, &f->whole_began);
	when(io, &f->whole_last);
	when(io, &f->hot_last);
	flag(io, &f->cold_open);
	whole(io, &f->hits);
	whole(io, &f->calm);
	whole(io, &f->frozen);
	whole(io, &f->pulses);
	whole(io, &f->quiet);
	real(io, &f->sampling, 0, big);
	real(io, &f->out_share, 0, 100);
	for (int i = 0; i < FLOOD_SERIES; i++)
		meter(io, &f->whole[i]);
	meter(io, &f->out);
}

static void class(struct io *io, struct flood *f, int c)
{
	when(io, &f->class_began[c]);
	when(io, &f->class_last[c]);
	real(io, &f->cold_rate[c], 0, big);
	real(io, &f->cold_bytes[c], 0, big);
	real(io, &f->class_seen[c], 0, big);
	real(io, &f->asked[c], 0, big);
	flag(io, &f->cold_fired[c]);
	meter(io, &f->class[c]);
	f->awake[c / 64] |= UINT64_C(1) << (c % 64);
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
	struct io io = {.write = bytes, .at = HEAD, .len = FLOOD_BYTES_MAX};

	memcpy(bytes, "WDF", 3);
	bytes[3] = VERSION;
	service(&io, &copy);
	(void)bits(&io, (uint64_t)used(f, classes), 1);
	for (int c = 0; c < classes->count && c < VECTOR_CLASSES_MAX; c++) {
		if (!f->class[c].used)
			continue;
		size_t len = strnlen(classes->id[c], VECTOR_ID_MAX);
		(void)bits(&io, len, 1);
		for (size_t i = 0; i < len; i++)
			(void)bits(&io, (uint8_t)classes->id[c][i], 1);
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

static void read_class(struct io *io, struct flood *f, struct flood *spare,
		       const struct vector_classes *classes)
{
	char id[VECTOR_ID_MAX + 1] = {0};
	uint64_t len = bits(io, 0, 1);

	if (len > VECTOR_ID_MAX) {
		broken(io, WD_MALFORMED, "a class's name is too long");
		return;
	}
	for (uint64_t i = 0; i < len; i++)
		id[i] = (char)bits(io, 0, 1);
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
	struct io io = {.read = bytes, .at = HEAD, .len = (uint32_t)len};

	if (len < HEAD)
		return wd_fail(why, WD_SHORT, (uint32_t)len, "a traffic state ends in its head");
	if (memcmp(bytes, "WDF", 3) != 0)
		return wd_fail(why, WD_MALFORMED, 0, "not a service's traffic state");
	if (bytes[3] != VERSION)
		return wd_fail(why, WD_UNKNOWN, 3, "a traffic state of an unknown version");
	if (len > FLOOD_BYTES_MAX)
		return wd_fail(why, WD_MALFORMED, FLOOD_BYTES_MAX, "a traffic state is too long");
	flood_init(&scratch[0], plan);
	flood_init(&scratch[1], plan);
	service(&io, &scratch[0]);
	uint64_t count = bits(&io, 0, 1);
	for (uint64_t i = 0; i < count && !io.broken; i++)
		read_class(&io, &scratch[0], &scratch[1], classes);
	if (!io.broken && io.at != len)
		broken(&io, WD_MALFORMED, "bytes after a service's traffic state");
	if (io.broken)
		return wd_fail(why, io.err, io.broken_at, io.broken);
	*ret_f = scratch[0];
	return WD_OK;
}
