/* SPDX-License-Identifier: Apache-2.0 */
#include "command/web_ticks.h"

#include "base/check.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

struct piece { struct piece *next; struct web_tick tick; };

struct web_ticks {
	pthread_mutex_t lock; /* of all */
	struct piece *free;
	size_t allowed, made, out;
};

enum wd_err web_ticks_open(struct web_ticks **ret)
{
	struct web_ticks *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return WD_NOMEM;
	pthread_mutex_init(&t->lock, NULL);
	t->allowed = WEB_TICKS_SHARED;
	*ret = t;
	return WD_OK;
}

void web_ticks_close(struct web_ticks *t)
{
	if (t == NULL)
		return;
	WD_CHECK(t->out == 0);
	for (struct piece *p = t->free, *next; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void web_ticks_allow(struct web_ticks *t, const struct catalogue *c, size_t watched_max)
{
	size_t alone = 0;

	for (size_t i = 0; i < catalogue_count(c) && alone < watched_max; i++)
		alone += catalogue_at(c, i)->address_count == 0;
	pthread_mutex_lock(&t->lock);
	t->allowed = WEB_TICKS_SHARED + WEB_TICKS_ALONE * alone;
	pthread_mutex_unlock(&t->lock);
}

struct web_tick *web_ticks_take(void *web_ticks)
{
	struct web_ticks *t = web_ticks;

	pthread_mutex_lock(&t->lock);
	struct piece *p = t->free;
	if (p != NULL)
		t->free = p->next;
	else if (t->made < t->allowed && (p = malloc(sizeof(*p))) != NULL)
		t->made++;
	t->out += p != NULL;
	pthread_mutex_unlock(&t->lock);
	return p == NULL ? NULL : &p->tick;
}

void web_ticks_give(struct web_ticks *t, struct web_tick *tick)
{
	struct piece *p = (void *)((char *)tick - offsetof(struct piece, tick));

	pthread_mutex_lock(&t->lock);
	t->out--;
	if (t->made > t->allowed) { /* there are fewer services now */
		t->made--;
	} else {
		p->next = t->free;
		t->free = p;
		p = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	free(p);
}

bool web_ticks_scarce(struct web_ticks *t)
{
	pthread_mutex_lock(&t->lock);
	bool scarce = t->out * 2 > t->allowed;
	pthread_mutex_unlock(&t->lock);
	return scarce;
}
