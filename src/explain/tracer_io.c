/* SPDX-License-Identifier: Apache-2.0 */
/* tracer: its state as bytes and back. One walk over the fields does both, so that they cannot
 * differ. Layout: version u32; the ids of the classes and rows that numbers below mean; the
 * fields in the order of the structs, little-endian; CRC-32 of all of it.
 *
 * Version 2 had a slot's sources in twice as many registers, and a set of sources a slot instead
 * of one for all; up to 3 nothing was kept of the time before, up to 4 nothing of new names, up to
 * 5 nothing of which bucket a place is of, up to 6 nothing of what is not answered. Read, no longer
 * written. */
#include "explain/tracer.h"

#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { VERSION = 7, VERSION_MIN = 2 };

/* Either writes to o or reads from c. */
struct io {
	struct out *o;
	struct cur *c;
	uint32_t version;
	bool wrong; /* what was read cannot be */
	uint8_t class_of[256], row_of[256]; /* what a stored number is now */
};

static void io_uint(struct io *io, void *x, size_t len)
{
	uint64_t n = 0;
	memcpy(&n, x, len); /* little-endian machines only, as the journal */
	if (io->o != NULL) {
		out_uint(io->o, n, len);
		return;
	}
	n = cur_uint(io->c, len);
	memcpy(x, &n, len);
}

static void io_bytes(struct io *io, void *x, size_t len)
{
	if (io->o != NULL)
		out_bytes(io->o, x, len);
	else
		cur_copy(io->c, x, len);
}

/* Amounts: finite and not below zero. */
static void io_f64(struct io *io, double *x)
{
	io_uint(io, x, sizeof(*x));
	if (io->c != NULL && (!isfinite(*x) || *x < 0)) {
		io->wrong = true;
		*x = 0;
	}
}

static void io_f32(struct io *io, float *x)
{
	io_uint(io, x, sizeof(*x));
	if (io->c != NULL && (!isfinite(*x) || *x < 0)) {
		io->wrong = true;
		*x = 0;
	}
}

static void io_floats(struct io *io, float *x, size_t count)
{
	for (size_t i = 0; i < count; i++)
		io_f32(io, &x[i]);
}

static void io_flag(struct io *io, bool *x)
{
	uint8_t n = *x;
	io_uint(io, &n, 1);
	io->wrong |= n > 1;
	if (io->c != NULL)
		*x = n == 1;
}

/* A number that must not be above max. */
static void io_count(struct io *io, uint32_t *x, uint32_t max)
{
	io_uint(io, x, sizeof(*x));
	if (io->c != NULL && *x > max) {
		io->wrong = true;
		*x = 0;
	}
}

static void io_registers(struct io *io, uint8_t *registers, unsigned bits)
{
	io_bytes(io, registers, (size_t)1 << bits);
	for (size_t i = 0; io->c != NULL && i < (size_t)1 << bits; i++) {
		if (registers[i] > 64 - bits + 1) {
			io->wrong = true;
			registers[i] = 0;
		}
	}
}

static void io_class(struct io *io, uint8_t *class)
{
	io_uint(io, class, 1);
	if (io->c != NULL)
		*class = io->class_of[*class];
}

static void io_top(struct io *io, struct profile_top *t)
{
	io_uint(io, &t->count, 1);
	if (io->c != NULL && t->count > PROFILE_TOP) {
		io->wrong = true;
		t->count = 0;
	}
	io_floats(io, t->weight, PROFILE_TOP);
	for (size_t i = 0; i < PROFILE_TOP; i++)
		io_uint(io, &t->value[i], sizeof(t->value[i]));
}

static void io_profile(struct io *io, struct profile *p)
{
	io_f64(io, &p->weight);
	io_f64(io, &p->squares);
	io_uint(io, &p->records, sizeof(p->records));
	io_floats(io, p->octets, 256);
	io_floats(io, p->ttls, 256);
	io_top(io, &p->length);
	io_top(io, &p->sport);
	io_top(io, &p->dport);
	io_registers(io, p->dports, PROFILE_BITS);
	io_registers(io, p->sports, PROFILE_BITS);
	io_registers(io, p->sources, PROFILE_BITS);
	float *const amounts[] = {&p->length_weight, &p->packet_weight, &p->options,
				  &p->no_options, &p->window_zero, &p->sequence_low_zero,
				  &p->sequence_target, &p->flags_weight, &p->payload_weight,
				  &p->empty, &p->proved};
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		io_f32(io, amounts[i]);
	uint8_t *const bytes[] = {&p->flags_or, &p->protocol, &p->family, &p->octets_seen,
				  &p->payload_len};
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		io_uint(io, bytes[i], 1);
	io_bytes(io, p->payload, sizeof(p->payload));
	io->wrong |= p->payload_len > PROFILE_PAYLOAD;
	io_flag(io, &p->payload_any);
	io_uint(io, &p->length_min, sizeof(p->length_min));
	io_uint(io, &p->length_max, sizeof(p->length_max));
}

static void io_second(struct io *io, struct second *s)
{
	io_uint(io, &s->next, sizeof(s->next));
	for (size_t i = 0; i < SECOND_TICKS; i++)
		io_uint(io, &s->end_ns[i], sizeof(s->end_ns[i]));
	io_floats(io, s->seconds, SECOND_TICKS);
	for (size_t i = 0; i < SECOND_TICKS; i++)
		io_floats(io, s->value[i], SECOND_VALUES);
}

static void io_set(struct io *io, struct source_set *s)
{
	io_count(io, &s->count, SOURCE_SET_MAX);
	io_uint(io, &s->below, sizeof(s->below));
	for (uint32_t i = 0; i < s->count; i++) {
		io_uint(io, &s->hashes[i], sizeof(s->hashes[i]));
		io->wrong |= i > 0 && s->hashes[i] <= s->hashes[i - 1];
	}
}

/* Two registers into one: the bit that told them apart is the first of the rank. */
static void read_wide_registers(struct io *io, uint8_t *registers, unsigned bits)
{
	for (size_t i = 0; i < (size_t)1 << bits; i++) {
		uint8_t low = cur_u8(io->c), high = cur_u8(io->c);
		io->wrong |= low > 64 - bits || high > 64 - bits;
		registers[i] = low > 0 ? low + 1 : high > 0;
	}
}

static void io_alone(struct io *io, struct tracer_slot *s)
{
	double *const amounts[] = {&s->alone_ticks, &s->alone_packets, &s->alone_bytes,
				   &s->beside_packets, &s->before_packets, &s->last_packets};
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		io_f64(io, amounts[i]);
	io_uint(io, &s->told, 1);
	io_flag(io, &s->alone);
}

static void io_slot(struct io *io, struct tracer_slot *s, struct who *who, uint8_t bit)
{
	double *const amounts[] = {&s->packets, &s->bytes, &s->records, &s->seen, &s->asked,
				   &s->peak_packets_per_s, &s->peak_bits_per_s,
				   &s->peak_fragments_per_s, &s->peak_fragment_bits_per_s,
				   &s->usual_packets_per_s, &s->usual_bits_per_s, &s->usual_ticks,
				   &s->tcp, &s->continued};
	io_class(io, &s->class);
	io_uint(io, &s->first_ns, sizeof(s->first_ns));
	io_uint(io, &s->last_ns, sizeof(s->last_ns));
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		io_f64(io, amounts[i]);
	io_second(io, &s->second);
	io_flag(io, &s->flooded);
	io_flag(io, &s->sources_lost);
	io_flag(io, &s->first_fragments);
	if (io->version > 2) {
		io_registers(io, s->sources, TRAFFIC_CLASS_BITS);
		if (io->version > 4)
			io_f64(io, &s->new_names);
		if (io->version > 6)
			io_alone(io, s);
		return;
	}
	struct source_set set = {.count = 0};
	read_wide_registers(io, s->sources, TRAFFIC_CLASS_BITS);
	io_set(io, &set);
	who_merge(who, &set, bit);
}

static void io_place(struct io *io, struct tracer_place *p, uint32_t slot_count)
{
	io_bytes(io, p->address, sizeof(p->address));
	io_f32(io, &p->packets);
	io_f32(io, &p->bytes);
	io_f32(io, &p->priority);
	io_uint(io, &p->as, sizeof(p->as));
	io_uint(io, &p->family, 1);
	io_uint(io, &p->slot, 1);
	io->wrong |= p->slot >= slot_count;
}

static void io_record(struct io *io, struct tracer_record *e)
{
	struct traffic_record *r = &e->record;
	uint16_t *const words[] = {&r->sport, &r->dport, &r->length, &r->window,
				   &r->payload_whole};
	uint8_t *const bytes[] = {&r->family, &r->protocol, &r->tcp_flags, &r->ttl,
				  &r->options_len, &r->known, &r->fragment, &r->payload_len};
	io_uint(io, &e->at_ns, sizeof(e->at_ns));
	io_bytes(io, r->src, sizeof(r->src));
	io_bytes(io, r->dst, sizeof(r->dst));
	io_f32(io, &r->packets);
	io_f32(io, &r->bytes);
	io_f32(io, &r->priority);
	io_uint(io, &r->sequence, sizeof(r->sequence));
	io_uint(io, &r->src_as, sizeof(r->src_as));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		io_uint(io, words[i], sizeof(*words[i]));
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		io_uint(io, bytes[i], 1);
	io_class(io, &r->class);
	io_bytes(io, r->payload, sizeof(r->payload));
	io->wrong |= r->payload_len > TRAFFIC_PAYLOAD;
}

static void io_point(struct io *io, struct tracer_sums *p)
{
	float *const amounts[] = {&p->packets, &p->bits, &p->records, &p->sources, &p->requests,
				  &p->usual_packets, &p->usual_bits, &p->ticks};
	for (size_t i = 0; i < sizeof(amounts) / sizeof(amounts[0]); i++)
		io_f32(io, amounts[i]);
	io_floats(io, p->slot_packets, TRACER_SLOTS);
	io_floats(io, p->slot_bits, TRACER_SLOTS);
}

/* Here what is negative is not known. */
static void io_before(struct io *io, struct trace_before *b)
{
	io_uint(io, &b->begin.ns, sizeof(b->begin.ns));
	io_uint(io, &b->step.ns, sizeof(b->step.ns));
	io_count(io, &b->count, TRACE_BEFORE_MAX);
	io->wrong |= b->count > 0 && b->step.ns <= 0;
	for (uint32_t i = 0; i < b->count; i++) {
		struct trace_before_point *p = &b->points[i];
		float *const rates[] = {&p->packets_per_s, &p->bits_per_s, &p->records_per_s,
					&p->requests_per_s, &p->usual_packets_per_s,
					&p->usual_bits_per_s};
		for (size_t k = 0; k < sizeof(rates) / sizeof(rates[0]); k++) {
			io_uint(io, rates[k], sizeof(*rates[k]));
			io->wrong |= !isfinite(*rates[k]);
		}
	}
}

static void io_head(struct io *io, struct tracer *t)
{
	io_bytes(io, t->incident, sizeof(t->incident));
	io->wrong |= t->incident[sizeof(t->incident) - 1] != '\0' ||
		     !text_is_utf8(t->incident, strnlen(t->incident, sizeof(t->incident)));
	io_uint(io, &t->begin_ns, sizeof(t->begin_ns));
	io_uint(io, &t->end_ns, sizeof(t->end_ns));
	io_uint(io, &t->step_ns, sizeof(t->step_ns));
	io->wrong |= t->step_ns < WD_NS_PER_S || t->end_ns < t->begin_ns;
	io_f64(io, &t->packets);
	io_f64(io, &t->bytes);
	io_f64(io, &t->records);
	io_f64(io, &t->requests);
	io_f64(io, &t->sampling);
	io_uint(io, &t->samples_dropped, sizeof(t->samples_dropped));
	io_uint(io, &t->patterns, sizeof(t->patterns));
	io_count(io, &t->slot_count, TRACER_SLOTS);
	io_count(io, &t->bucket_count, TRACER_BUCKETS);
	io_count(io, &t->place_count, TRACER_PLACES);
	io_count(io, &t->record_count, TRACE_EVIDENCE_MAX);
	io_count(io, &t->record_stride, 1U << 30);
	io->wrong |= t->record_stride == 0;
	io_uint(io, &t->record_number, sizeof(t->record_number));
	io_f32(io, &t->place_threshold);
	io_count(io, &t->point_count, TRACE_POINTS_MAX);
}

static void io_all(struct io *io, struct tracer *t)
{
	io_head(io, t);
	io_registers(io, t->sources, TRAFFIC_SOURCES_BITS);
	io_registers(io, t->targets, TRAFFIC_TARGETS_BITS);
	io_registers(io, t->point_sources, TRAFFIC_SOURCES_BITS);
	for (uint32_t i = 0; i < t->slot_count; i++)
		io_slot(io, &t->slots[i], &t->who, (uint8_t)(1U << i));
	if (io->version > 2) {
		io_set(io, &t->who.set);
		io_bytes(io, t->who.slots, t->who.set.count);
	}
	for (uint32_t i = 0; i < t->bucket_count; i++) {
		struct tracer_bucket *b = &t->buckets[i];
		io_uint(io, &b->slot, 1);
		io_uint(io, &b->row, 1);
		io->wrong |= b->slot >= t->slot_count;
		if (io->c != NULL)
			b->row = io->row_of[b->row];
		io_profile(io, &b->profile);
	}
	for (uint32_t i = 0; i < t->place_count; i++) {
		io_place(io, &t->places[i], t->slot_count);
		/* A heap, as it was: no entry below its parent. */
		io->wrong |= i > 0 && t->places[i].priority < t->places[(i - 1) / 2].priority;
	}
	for (uint32_t i = 0; i < t->record_count; i++)
		io_record(io, &t->evidence[i]);
	for (uint32_t i = 0; i < t->point_count; i++)
		io_point(io, &t->points[i]);
	for (size_t i = 0; i < TRACER_OPENINGS; i++) {
		io_uint(io, &t->openings[i].flow, sizeof(t->openings[i].flow));
		io_uint(io, &t->openings[i].sequence, sizeof(t->openings[i].sequence));
	}
	if (io->version > 3)
		io_before(io, &t->before);
	for (uint32_t i = 0; i < t->place_count; i++) {
		uint8_t *bucket = &t->places[i].bucket;
		if (io->version > 5)
			io_uint(io, bucket, 1);
		else
			*bucket = TRACER_NO_BUCKET;
		io->wrong |= *bucket >= t->bucket_count && *bucket != TRACER_NO_BUCKET;
	}
}

void tracer_write_state(const struct tracer *t, const struct vector_index *ix, struct out *o)
{
	struct io io = {.o = o, .version = VERSION};
	size_t begin = o->len;

	out_u32(o, VERSION);
	out_u8(o, ix->classes->count);
	for (uint8_t i = 0; i < ix->classes->count; i++)
		out_text(o, ix->classes->id[i]);
	out_u8(o, (uint8_t)ix->book->count);
	for (uint32_t i = 0; i < ix->book->count; i++)
		out_text(o, ix->book->rows[i].id);
	/* Writing reads each field only; the walk is shared with reading, which changes them. */
	union { const struct tracer *given; struct tracer *walked; } both = {.given = t};
	io_all(&io, both.walked);
	if (!o->bad)
		out_u32(o, (uint32_t)crc32_z(0, o->bytes + begin, o->len - begin));
}

/* What the stored numbers of classes and rows are in today's book; a class that is gone is
 * "other", a row that is gone is none. */
static void read_ids(struct io *io, const struct vector_index *ix)
{
	char id[VECTOR_ID_MAX + 1];

	memset(io->row_of, VECTOR_NONE, sizeof(io->row_of));
	uint8_t count = cur_u8(io->c);
	for (unsigned i = 0; i < count && !io->c->bad; i++) {
		cur_text(io->c, id, sizeof(id));
		io->class_of[i] = vector_class_find(ix->classes, id);
	}
	count = cur_u8(io->c);
	for (unsigned i = 0; i < count && !io->c->bad; i++) {
		cur_text(io->c, id, sizeof(id));
		const struct vector_row *row = vector_book_find(ix->book, id);
		io->row_of[i] = row == NULL ? VECTOR_NONE : (uint8_t)(row - ix->book->rows);
	}
}

enum wd_err tracer_read_state(struct tracer *t, const struct vector_index *ix, struct cur *c,
			      struct wd_why *why)
{
	const uint8_t *begin = c->at;
	uint32_t version = cur_u32(c);
	struct io io = {.c = c, .version = version};

	if (c->bad)
		return wd_fail(why, WD_SHORT, 0, "a tracer's state ends early");
	if (version < VERSION_MIN || version > VERSION)
		return wd_fail(why, WD_UNKNOWN, 0, "a tracer's state of another version");
	struct tracer *read = calloc(1, sizeof(*read));
	if (read == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory");
	read_ids(&io, ix);
	io_all(&io, read);
	size_t len = c->bad ? 0 : (size_t)(c->at - begin);
	uint32_t sum = cur_u32(c);
	enum wd_err err = WD_OK;
	if (c->bad)
		err = wd_fail(why, WD_SHORT, 0, "a tracer's state ends early");
	else if (io.wrong || sum != (uint32_t)crc32_z(0, begin, len))
		err = wd_fail(why, WD_MALFORMED, 0, "a tracer's state is damaged");
	else
		*t = *read;
	free(read);
	return err;
}
