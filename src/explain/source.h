/* SPDX-License-Identifier: Apache-2.0 */
/* source: what the source addresses of one vector prove, before anything is said of where
 * they are. docs/vectors.md has the rule; tests hold it to real captures.
 *
 * No number decides alone. A crowd of small machines has a near-uniform spread of addresses
 * as forged ones have; answers off a few CDNs all travelled as far as each other, as forged
 * packets from one machine did. So `spoofed` takes three marks (of those that can be had),
 * `reflector` an answer nobody asked for, `proved` a handshake that no marks contradict; the
 * rest is unknown. */
#ifndef WD_EXPLAIN_SOURCE_H
#define WD_EXPLAIN_SOURCE_H

#include "explain/profile.h"
#include "model/trace.h"
#include "model/vector.h"

/* What is known of the traffic; negative or 0 = not known. */
struct source_facts {
	const struct profile *profile;
	const struct vector_row *row; /* NULL: no row matched */
	double packets;       /* sampling undone */
	double seen;          /* packets looked at */
	double sources;       /* distinct among those */
	double asked;         /* packets that the service sent and that ask for such answers */
	bool new_names;       /* what floods asks for names that nobody asked for before */
	double acknowledged;  /* share of sampled TCP that continued a connection it had opened */
};

struct source_finding {
	enum source_status status;
	char why[TRACE_TEXT_MAX + 1];
	float octet_entropy, hop_entropy; /* bits; < 0 not known */
	bool forged, true_sources, few, new_names; /* the signs that a row may ask for */
};

void source_judge(const struct source_facts *f, struct source_finding *ret);

#endif
