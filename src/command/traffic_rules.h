/* SPDX-License-Identifier: Apache-2.0 */
/* traffic_rules: what live telemetry and replay both need to tell traffic apart: the vectors,
 * the key that addresses are hashed with, and where addresses are. */
#ifndef WD_COMMAND_TRAFFIC_RULES_H
#define WD_COMMAND_TRAFFIC_RULES_H

#include "base/err.h"
#include "engine/engine.h"
#include "explain/tracer.h"
#include "intake/place.h"
#include "model/vector.h"
#include "tally/traffic.h"

struct traffic_book {
	struct vector_book book;
	struct vector_classes classes;
	struct traffic_rules rules;
	struct geo *geo; /* NULL: no country or network is known */
	struct tracer_places places;
};

/* The vectors that come with the program. `files` may be NULL; a file that cannot be read is
 * logged, and then no address has a place. Large: keep it on the heap. */
void traffic_book_open(struct traffic_book *b, const struct hash_key *key,
		       const struct place_files *files);
void traffic_book_close(struct traffic_book *b);
/* For the engine, which borrows it all. */
void traffic_book_options(const struct traffic_book *b, struct engine_options *o);

/* The key of this data folder, which ticks and traces of before a restart were made with;
 * drawn once and kept in traffic.key. Random if it cannot be kept (then *why says why). */
struct hash_key traffic_key(const char *data_folder, struct wd_why *why);

#endif
