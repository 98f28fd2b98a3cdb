/* SPDX-License-Identifier: Apache-2.0 */
/* weblogs: access logs of the live program: files that are followed and lines that come as
 * syslog, in one thread, into a tick a second of each service that they are of. */
#ifndef WD_COMMAND_WEBLOGS_H
#define WD_COMMAND_WEBLOGS_H

#include "base/err.h"
#include "config/config.h"
#include "model/client_note.h"
#include "tally/web.h"

#include <stdbool.h>
#include <stdint.h>

enum { WEBLOGS_RING_BYTES = 1 << 20 }; /* the queue to the engine */

struct weblogs;

struct weblogs_options {
	const struct config *config;     /* for the time of the call */
	const struct address_key *key;   /* of the tallies; borrowed */
	void (*wake)(void *ctx);         /* the engine's thread has something to take */
	wd_wall (*clock)(void *ctx);     /* the engine's, never goes back; NULL: the system's */
	void *ctx;
};

struct weblogs_counts {
	uint64_t lines, bytes;
	uint64_t requests;    /* lines that were one and are a service's */
	uint64_t nobodys;     /* requests whose host is no service's */
	uint64_t malformed;   /* lines that could not be read */
	uint64_t others;      /* lines that are no requests */
	uint64_t late;        /* more than three seconds: counted when they came */
	uint64_t cut;         /* lines longer than 64 KB */
	uint64_t no_room;     /* requests of services beyond the maximum, or without memory */
	uint64_t ticks_dropped; /* the queue to the engine was full */
	uint64_t refused;     /* syslog of who may not send */
};

/* *ret is NULL if the configuration names neither logs nor syslog. A listener that cannot be
 * opened, and a format that cannot be read, is logged. */
enum wd_err weblogs_open(const struct weblogs_options *options, struct weblogs **ret,
			 struct wd_why *why) WD_MUST_CHECK;
enum wd_err weblogs_start(struct weblogs *w, struct wd_why *why) WD_MUST_CHECK;
void weblogs_stop(struct weblogs *w);
void weblogs_close(struct weblogs *w); /* NULL is fine */
/* Whose hosts are whose. */
void weblogs_reload(struct weblogs *w, const struct config *config);

/* What is noted of a service's clients now, in place of what was. */
struct weblogs_clients {
	char service[SERVICE_ID_MAX + 1];
	uint64_t more; /* clients like these without room */
	size_t count;
	struct client_note notes[CLIENT_NOTES_MAX];
};
struct weblogs_handler {
	void (*requests)(void *ctx, const struct web_tick *t);
	void (*clients)(void *ctx, const struct weblogs_clients *c); /* only when it changed */
	void *ctx;
};
/* The engine's thread; NULL: what is there is dropped. True if there was any. */
bool weblogs_take(struct weblogs *w, const struct weblogs_handler *handler);
void weblogs_count(struct weblogs *w, struct weblogs_counts *ret_counts);

#endif
