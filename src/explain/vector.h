/* SPDX-License-Identifier: Apache-2.0 */
/* explain/vector: from the class of a record to the vector it would be, and a name, a rule
 * and a fingerprint for what many records of a class show together.
 *
 * A class's rows are told apart in two steps. vector_match: by what one record shows (options,
 * payload, length …). vector_refine: among the rows that this leaves, by what holds of all
 * together (forged sources, random ports, one length). What a record does not show (a flow
 * export has neither payload nor options) rejects nothing: then the class's first row, the
 * most general, is said. */
#ifndef WD_EXPLAIN_VECTOR_H
#define WD_EXPLAIN_VECTOR_H

#include "explain/profile.h"
#include "explain/source.h"
#include "model/vector.h"

enum { VECTOR_NONE = 255 }; /* instead of a row's number: its content is none of its class's */

/* The book and its classes, and which rows a class has; all borrowed. */
struct vector_index {
	const struct vector_book *book;
	const struct vector_classes *classes;
	uint8_t class_of[VECTOR_ROWS_MAX];    /* 0 = none */
	uint8_t general[VECTOR_CLASSES_MAX];  /* the first row, or VECTOR_NONE */
	/* The rows of a class, in the book's order; those that any UDP can be. */
	uint8_t first[VECTOR_CLASSES_MAX], next[VECTOR_ROWS_MAX];
	uint8_t udp_first, udp_next[VECTOR_ROWS_MAX];
	uint8_t udp, tcp; /* rows "udp" and "tcp": what is left when nothing fits */
};
_Static_assert((int)VECTOR_ROWS_MAX <= (int)VECTOR_NONE, "rows are numbered by bytes");

void vector_index_init(struct vector_index *ix, const struct vector_book *book,
		       const struct vector_classes *classes);

/* The row that the record fits best by itself, or VECTOR_NONE. */
uint8_t vector_match(const struct vector_index *ix, const struct traffic_record *r);

/* The row for records that all matched `row`, or NULL: unknown. */
const struct vector_row *vector_refine(const struct vector_index *ix, uint8_t class, uint8_t row,
				       const struct profile *p, const struct source_finding *found);

/* "udp from 53, length 60-1500, ttl 45-60": the shortest rule that covers nine of ten. */
void vector_rule(const struct profile *p, char *dst, size_t size);
/* Equal for traffic of one shape, whoever is its target; 0 = its shape is too plain. */
uint64_t vector_fingerprint(const struct profile *p, const struct vector_row *row);

#endif
