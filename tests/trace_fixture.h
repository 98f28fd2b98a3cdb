/* SPDX-License-Identifier: Apache-2.0 */
/* trace_fixture: packets in, as one incident's trace; for the tests of vectors and sources. */
#ifndef WD_TESTS_TRACE_FIXTURE_H
#define WD_TESTS_TRACE_FIXTURE_H

#include "base/prng.h"
#include "explain/tracer.h"

struct trace_fixture {
	struct vector_book book;
	struct vector_classes classes;
	struct vector_index index;
	struct traffic_rules rules;
	struct prng random;
	struct tracer tracer;
	struct trace trace;
	struct traffic_tick tick;
	uint32_t sampling;  /* one in so many packets is looked at; 1 = all */
	double flood_share; /* classes with at least this share of a tick's packets flood */
	double usual[VECTOR_CLASSES_MAX]; /* packets a second */
};

/* A fresh one with the rows that come with the program; the caller frees. */
struct trace_fixture *fixture_new(void);
void fixture_packet(struct trace_fixture *x, const struct flow *f, bool outbound);
void fixture_write(struct trace_fixture *x);
/* The vector of that id, or NULL. */
const struct trace_vector *fixture_vector(const struct trace_fixture *x, const char *id);
/* Reads a capture's packets for which `inside` is the destination (0: all are inbound), in
 * their order of time; `each` is called after each. False: no such file. */
bool fixture_capture(struct trace_fixture *x, const char *name, uint32_t inside,
		     void (*each)(struct trace_fixture *x, const struct flow *f));
void fixture_print(const struct trace_fixture *x);

#endif
