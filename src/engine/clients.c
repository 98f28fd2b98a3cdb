/* SPDX-License-Identifier: Apache-2.0 */
/* What is noted of single clients, on its way from who saw it to who is shown it. */
#include "engine/inner.h"
#include "explain/tracer.h"

#include <stdlib.h>
#include <string.h>

static int latest_first(const void *a, const void *b)
{
	const struct client_note *x = a, *y = b;
	if (x->last.ns != y->last.ns)
		return x->last.ns < y->last.ns ? 1 : -1;
	if (x->kind != y->kind)
		return (int)x->kind - (int)y->kind;
	return memcmp(x->client, y->client, sizeof(x->client));
}

static void find_place(const struct tracer_places *places, struct client_note *n)
{
	if (places == NULL || n->many || n->family == 0)
		return;
	if (places->network != NULL)
		n->network = places->network(places->context, n->client, n->family);
	if (places->country != NULL &&
	    !places->country(places->context, n->client, n->family, n->country))
		n->country[0] = '\0';
}

void engine_forget_clients(struct engine *e, struct track *t)
{
	if (t->clients == NULL)
		return;
	e->client_note_count -= t->clients->count;
	client_notes_release(t->clients);
	t->clients = NULL;
	engine_touch(e, t);
}

enum engine_verdict engine_clients(struct engine *e, const char *service,
				   const struct client_note *notes, size_t count, uint64_t more)
{
	struct track *t = memchr(service, '\0', SERVICE_ID_MAX + 1) == NULL
				  ? NULL
				  : engine_track(e, service);
	if (t == NULL || t->service == NULL)
		return ENGINE_UNKNOWN_SERVICE;
	size_t before = t->clients == NULL ? 0 : t->clients->count;
	size_t room = ENGINE_CLIENT_NOTES_MAX - (e->client_note_count - before);
	struct client_notes *c;

	if (count == 0 && more == 0) {
		engine_forget_clients(e, t);
		return ENGINE_COUNTED;
	}
	if (count > CLIENT_NOTES_MAX || count > room) {
		size_t most = room < CLIENT_NOTES_MAX ? room : CLIENT_NOTES_MAX;
		more += count - most;
		count = most;
	}
	c = malloc(sizeof(*c) + count * sizeof(*notes));
	if (c == NULL)
		return ENGINE_FULL;
	*c = (struct client_notes){.references = 1, .more = more, .count = count};
	for (size_t i = 0; i < count; i++) {
		c->notes[i] = notes[i];
		find_place(e->options.places, &c->notes[i]);
	}
	qsort(c->notes, count, sizeof(*notes), latest_first);
	engine_forget_clients(e, t);
	t->clients = c;
	e->client_note_count += count;
	engine_touch(e, t);
	return ENGINE_COUNTED;
}
