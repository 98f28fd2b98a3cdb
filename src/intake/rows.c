/* SPDX-License-Identifier: Apache-2.0 */
/* The rows are put together by service (a counting sort), each service's by time, and then
 * merged over a heap of the services by their next row. */
#include "intake/rows.h"

#include "base/check.h"
#include "base/hash.h"
#include "decode/widths.h"
#include "model/service.h"

#include <stdlib.h>
#include <string.h>

struct stream {
	char *name; /* owned */
	size_t count, first, next, end; /* in rows; the last three after rows_sort */
	int64_t said_ns, step_ns;       /* the width, as rows say and as it is; 0 = not known */
};

struct rows {
	struct row *rows;
	size_t count, cap, rows_max, dropped;
	struct stream *streams;
	size_t stream_count, stream_cap;
	uint32_t *slots; /* 1 + index of stream; open addressing, a power of two */
	size_t slot_count;
	uint32_t last;   /* the stream of the row added last: files are mostly grouped */
	uint32_t *heap;  /* streams that have rows left, the earliest next row first */
	size_t heap_count;
	int64_t step_ns; /* for streams of one row */
};

/* Nothing hostile is gained by aiming at one slot of a tool that somebody runs over a file of
 * theirs; the key is fixed so that every run does the same. */
static const struct hash_key key = {"rows"};

struct rows *rows_open(size_t rows_max)
{
	struct rows *r = calloc(1, sizeof(*r));
	if (r != NULL)
		r->rows_max = rows_max;
	return r;
}

void rows_close(struct rows *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->stream_count; i++)
		free(r->streams[i].name);
	free(r->rows);
	free(r->streams);
	free(r->slots);
	free(r->heap);
	free(r);
}

/* ---- adding ---- */

static size_t slot_of(const struct rows *r, const char *name)
{
	size_t at = hash_bytes(&key, name, strlen(name)) & (r->slot_count - 1);
	while (r->slots[at] != 0 && strcmp(r->streams[r->slots[at] - 1].name, name) != 0)
		at = (at + 1) & (r->slot_count - 1);
	return at;
}

static bool grow_streams(struct rows *r)
{
	size_t cap = r->stream_cap == 0 ? 64 : 2 * r->stream_cap;
	struct stream *streams = reallocarray(r->streams, cap, sizeof(*streams));
	if (streams == NULL)
		return false;
	r->streams = streams;
	uint32_t *slots = calloc(2 * cap, sizeof(*slots));
	if (slots == NULL)
		return false;
	free(r->slots);
	r->slots = slots;
	r->slot_count = 2 * cap;
	r->stream_cap = cap;
	for (size_t i = 0; i < r->stream_count; i++)
		r->slots[slot_of(r, r->streams[i].name)] = (uint32_t)i + 1;
	return true;
}

/* Index of the stream of that name, which is made if there is none. */
static enum wd_err find_stream(struct rows *r, const char *name, uint32_t *ret_index,
			       struct wd_why *why)
{
	if (r->stream_count > 0 && strcmp(r->streams[r->last].name, name) == 0) {
		*ret_index = r->last;
		return WD_OK;
	}
	if (r->stream_count == r->stream_cap && !grow_streams(r))
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	size_t slot = slot_of(r, name);
	if (r->slots[slot] == 0) {
		if (r->stream_count == SERVICES_MAX)
			return wd_fail(why, WD_FULL, 0, "a file has at most 100000 services");
		char *copy = strdup(name);
		if (copy == NULL)
			return wd_fail(why, WD_NOMEM, 0, "memory ran out");
		r->streams[r->stream_count++] = (struct stream){.name = copy};
		r->slots[slot] = (uint32_t)r->stream_count;
	}
	*ret_index = r->last = r->slots[slot] - 1;
	return WD_OK;
}

enum wd_err rows_add(struct rows *r, const char *service, const struct row *row, wd_span step,
		     struct wd_why *why)
{
	uint32_t stream = 0;

	if (r->count == r->rows_max)
		return wd_fail(why, WD_FULL, 0,
			       "the file has more rows than are taken: part it by service or time");
	if (r->count == r->cap) {
		size_t cap = r->cap == 0 ? 4096 : r->cap + r->cap / 2;
		struct row *rows = reallocarray(r->rows, cap, sizeof(*rows));
		if (rows == NULL)
			return wd_fail(why, WD_NOMEM, 0, "memory ran out");
		r->rows = rows;
		r->cap = cap;
	}
	enum wd_err err = find_stream(r, service, &stream, why);
	if (err != WD_OK)
		return err;
	struct stream *s = &r->streams[stream];
	if (step.ns != 0 && s->said_ns != 0 && step.ns != s->said_ns)
		return wd_fail(why, WD_MALFORMED, 1,
			       "an earlier row of this service has another step");
	if (step.ns != 0)
		s->said_ns = step.ns;
	s->count++;
	r->rows[r->count] = *row;
	r->rows[r->count++].service = stream;
	return WD_OK;
}

/* ---- order ---- */

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

static int compare_ns(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static int64_t median(int64_t *ns, size_t count)
{
	qsort(ns, count, sizeof(*ns), compare_ns);
	return ns[(count - 1) / 2];
}

/* Each service's rows side by side, in the order of the file. */
static bool group(struct rows *r)
{
	struct row *grouped = reallocarray(NULL, r->count + 1, sizeof(*grouped));
	size_t first = 0;

	if (grouped == NULL)
		return false;
	for (size_t i = 0; i < r->stream_count; i++) {
		struct stream *s = &r->streams[i];
		s->first = s->next = s->end = first;
		first += s->count;
	}
	for (size_t i = 0; i < r->count; i++)
		grouped[r->streams[r->rows[i].service].end++] = r->rows[i];
	free(r->rows);
	r->rows = grouped;
	r->cap = r->count;
	return true;
}

/* Sorts one service's rows, drops seconds of one time, and works out its width. */
static bool order(struct rows *r, struct stream *s, struct widths *w, uint32_t *line)
{
	struct row *rows = r->rows + s->first;
	size_t count = s->end - s->first, kept = 0;
	bool sorted = true;

	for (size_t i = 1; i < count && sorted; i++)
		sorted = compare_rows(&rows[i - 1], &rows[i]) < 0;
	if (!sorted)
		qsort(rows, count, sizeof(*rows), compare_rows);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && rows[i].at_ns == rows[kept - 1].at_ns) {
			if (*line == 0 || rows[i].line < *line)
				*line = rows[i].line;
			continue;
		}
		if (kept <= WIDTHS_GAPS &&
		    widths_add(w, s->name, (wd_wall){rows[i].at_ns}) != WD_OK)
			return false;
		rows[kept++] = rows[i];
	}
	r->dropped += count - kept;
	s->end = s->first + kept;
	s->step_ns = s->said_ns != 0 ? s->said_ns : widths_of(w, s->name).ns;
	return true;
}

static bool before(const struct rows *r, uint32_t a, uint32_t b)
{
	return compare_rows(&r->rows[r->streams[a].next], &r->rows[r->streams[b].next]) < 0;
}

static void sink(struct rows *r, size_t at)
{
	uint32_t moved = r->heap[at];
	for (size_t child; (child = 2 * at + 1) < r->heap_count; at = child) {
		if (child + 1 < r->heap_count && before(r, r->heap[child + 1], r->heap[child]))
			child++;
		if (!before(r, r->heap[child], moved))
			break;
		r->heap[at] = r->heap[child];
	}
	r->heap[at] = moved;
}

enum wd_err rows_sort(struct rows *r, uint32_t *ret_line, struct wd_why *why)
{
	struct widths *widths = NULL;
	int64_t *steps = reallocarray(NULL, r->stream_count, sizeof(*steps));
	size_t known = 0;
	uint32_t line = 0;
	bool ok = steps != NULL && widths_open(r->stream_count, &widths) == WD_OK && group(r);

	WD_CHECK(r->heap == NULL && r->count > 0);
	r->heap = reallocarray(NULL, r->stream_count, sizeof(*r->heap));
	for (size_t i = 0; ok && r->heap != NULL && i < r->stream_count; i++) {
		ok = order(r, &r->streams[i], widths, &line);
		if (r->streams[i].step_ns > 0)
			steps[known++] = r->streams[i].step_ns;
		r->heap[r->heap_count++] = (uint32_t)i;
	}
	ok = ok && r->heap != NULL;
	if (ok) {
		r->step_ns = known > 0 ? median(steps, known) : 60 * WD_NS_PER_S;
		for (size_t i = r->heap_count; i-- > 0;)
			sink(r, i);
		*ret_line = line;
	}
	widths_close(widths);
	free(steps);
	return ok ? WD_OK : wd_fail(why, WD_NOMEM, 0, "memory ran out");
}

const struct row *rows_next(struct rows *r)
{
	if (r->heap_count == 0)
		return NULL;
	struct stream *s = &r->streams[r->heap[0]];
	const struct row *row = &r->rows[s->next++];
	if (s->next == s->end)
		r->heap[0] = r->heap[--r->heap_count];
	if (r->heap_count > 0)
		sink(r, 0);
	return row;
}

size_t rows_count(const struct rows *r) { return r->count - r->dropped; }
size_t rows_dropped(const struct rows *r) { return r->dropped; }
const char *rows_service(const struct rows *r, uint32_t service)
{
	return r->streams[service].name;
}

wd_span rows_step(const struct rows *r, uint32_t service)
{
	int64_t step_ns = r->streams[service].step_ns;
	return (wd_span){step_ns > 0 ? step_ns : r->step_ns};
}
