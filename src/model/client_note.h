/* SPDX-License-Identifier: Apache-2.0 */
/* client_note: what one client of a service did, or many together, far below any flood: searched
 * for weak spots, tried passwords … (detect/conduct.h finds it). No incident and no probability: it
 * says what was seen, of whom, and how often.
 *
 * It holds the client's address. Who is shown it is the operator (by token) and who replays a log
 * of their own; the public is told network and country. It lies in memory alone, for a day: no
 * store, journal or log of ours takes it. */
#ifndef WD_MODEL_CLIENT_NOTE_H
#define WD_MODEL_CLIENT_NOTE_H

#include "base/units.h"
#include "model/incident.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum client_kind {
	CLIENT_PROBE,  /* searches for weak spots: http.probe */
	CLIENT_LOGIN,  /* tries passwords: http.login */
	CLIENT_SCRAPE, /* copies page after page and does not say that it is a crawler: load */
	CLIENT_HAMMER, /* asks for one thing again and again: http.get, http.post, and with
			* another query each time http.cachebust */
	CLIENT_KINDS,
};

enum {
	CLIENT_NOTES_MAX = 64, /* of one service; further ones are counted */
	CLIENT_WORDS_MAX = 160,
};

struct client_note {
	uint8_t kind;    /* enum client_kind */
	uint8_t family;  /* of the client; 0: a name stood there */
	bool many;       /* not one client but many together; `client` is blank */
	bool posts;      /* CLIENT_HAMMER: they were POSTs */
	bool queries;    /* CLIENT_HAMMER: each with another query */
	char country[3]; /* where the address is registered; "" = not known */
	uint32_t network; /* AS number; 0 = not known */
	uint8_t client[16];
	wd_wall began, last; /* of the requests that count */
	uint64_t requests;   /* that count for it; 0: none, the place is free */
	/* Of these: for things that are not there; known weak spots, injections and tools. */
	uint64_t missing, marked;
};

/* "http.probe" … */
const char *client_note_vector(const struct client_note *n);
/* "Search for weak spots": of one client, no flood. */
const char *client_note_title(const struct client_note *n);
/* What was seen, in words. */
void client_note_words(const struct client_note *n, char dst[CLIENT_WORDS_MAX]);

/* Of one service, shared between snapshots. */
struct client_notes {
	int references;
	uint64_t more; /* clients like these that found no room */
	size_t count;
	struct client_note notes[];
};

struct client_notes *client_notes_hold(struct client_notes *c);
void client_notes_release(struct client_notes *c); /* NULL is fine; any thread */

/* What many did together, or a flood of requests that was going on, is told of there: is this one
 * of `count` notes of the service a part of it? */
bool client_note_is_part(const struct client_note *notes, size_t count, size_t i,
			 const char *service, const struct incident *incidents,
			 size_t incident_count);

#endif
