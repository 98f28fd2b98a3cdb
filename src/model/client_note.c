/* SPDX-License-Identifier: Apache-2.0 */
#include "model/client_note.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *client_note_vector(const struct client_note *n)
{
	static const char *const names[CLIENT_KINDS] = {
		[CLIENT_PROBE] = "http.probe", [CLIENT_LOGIN] = "http.login",
		[CLIENT_SCRAPE] = "http.scrape", [CLIENT_HAMMER] = "http.get",
	};
	WD_CHECK(n->kind < CLIENT_KINDS);
	if (n->kind == CLIENT_HAMMER && (n->posts || n->queries))
		return n->posts ? "http.post" : "http.cachebust";
	return names[n->kind];
}

const char *client_note_title(const struct client_note *n)
{
	static const char *const titles[CLIENT_KINDS] = {
		[CLIENT_PROBE] = "Search for weak spots", [CLIENT_LOGIN] = "Tries of passwords",
		[CLIENT_SCRAPE] = "Copying", [CLIENT_HAMMER] = "Hammering",
	};
	WD_CHECK(n->kind < CLIENT_KINDS);
	return titles[n->kind];
}

void client_note_words(const struct client_note *n, char dst[CLIENT_WORDS_MAX])
{
	switch (n->kind) {
	case CLIENT_PROBE:
		if (n->many) {
			snprintf(dst, CLIENT_WORDS_MAX,
				 "the first of each client, with what only an attack has in it");
			break;
		}
		snprintf(dst, CLIENT_WORDS_MAX,
			 "%lu for things that are not there, %lu for known weak spots, with an "
			 "injection or by a scanner's name",
			 (unsigned long)n->missing, (unsigned long)n->marked);
		break;
	case CLIENT_LOGIN:
		snprintf(dst, CLIENT_WORDS_MAX, "sign-ins that failed, one after the other");
		break;
	case CLIENT_SCRAPE:
		snprintf(dst, CLIENT_WORDS_MAX,
			 "different pages that no page led to, of a client that does not say that "
			 "it is a crawler");
		break;
	default:
		snprintf(dst, CLIENT_WORDS_MAX,
			 "for one thing again and again%s, as no browser asks",
			 n->queries ? ", with another query each time" : "");
		break;
	}
}

/* Any reader's thread may drop the last reference. */
struct client_notes *client_notes_hold(struct client_notes *c)
{
	if (c != NULL)
		__atomic_fetch_add(&c->references, 1, __ATOMIC_RELAXED);
	return c;
}

void client_notes_release(struct client_notes *c)
{
	if (c != NULL && __atomic_sub_fetch(&c->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(c);
}

/* ---- what is told elsewhere ---- */

static bool is_meanwhile(const struct client_note *n, const struct client_note *o)
{
	return !wall_before(n->last, o->began) && !wall_before(o->last, n->began);
}

static bool is_volume(const struct client_note *n)
{
	return n->kind == CLIENT_SCRAPE || n->kind == CLIENT_HAMMER;
}

/* What many are said to have done is of few, whose own notes tell it. */
static bool is_of_few(const struct client_note *notes, size_t count, const struct client_note *many)
{
	enum { FEW = 3 };
	uint64_t requests = 0, clients = 0;

	for (size_t i = 0; i < count && many->kind != CLIENT_PROBE; i++) {
		const struct client_note *n = &notes[i];
		bool is = !n->many && n->requests > 0 && n->kind == many->kind &&
			  is_meanwhile(n, many);
		clients += is;
		requests += is ? n->requests : 0;
	}
	return clients > 0 && clients <= FEW && 10 * requests >= 9 * many->requests;
}

/* Did many together do meanwhile what is noted of one? Of searches by many the first request of
 * each client is told alone. */
static bool is_of_many(const struct client_note *notes, size_t count, const struct client_note *n)
{
	for (size_t i = 0; i < count && !n->many && n->kind != CLIENT_PROBE; i++) {
		const struct client_note *o = &notes[i];
		if (o->many && o->requests > 0 && is_meanwhile(n, o) &&
		    (o->kind == n->kind || (is_volume(n) && o->kind == CLIENT_HAMMER)) &&
		    !is_of_few(notes, count, o))
			return true;
	}
	return false;
}

/* May what is noted be a part of what the incident found? */
static bool is_found(const struct incident_requests *r, const struct client_note *n)
{
	for (uint32_t i = 0; i < r->finding_count; i++) {
		const char *id = r->findings[i].id;
		if (is_volume(n) || strcmp(id, client_note_vector(n)) == 0 ||
		    (n->kind == CLIENT_PROBE && strcmp(id, "http.cachebust") == 0))
			return true;
	}
	return false;
}

/* Did the service's flood of requests go on meanwhile? */
static bool is_of_flood(const struct incident *x, const char *service, const struct client_note *n)
{
	if ((x->kinds & INCIDENT_REQUESTS) == 0 || strcmp(x->service, service) != 0)
		return false;
	bool ended = x->ended_at.ns != 0 && wall_before(x->ended_at, n->began);
	return !ended && !wall_before(n->last, x->began_at) && is_found(&x->requests, n);
}

bool client_note_is_part(const struct client_note *notes, size_t count, size_t i,
			 const char *service, const struct incident *incidents,
			 size_t incident_count)
{
	for (size_t k = 0; k < incident_count; k++)
		if (is_of_flood(&incidents[k], service, &notes[i]))
			return true;
	return notes[i].many ? is_of_few(notes, count, &notes[i])
			     : is_of_many(notes, count, &notes[i]);
}
