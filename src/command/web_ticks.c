/* SPDX-License-Identifier: Apache-2.0 */
#include "command/web_ticks.h"

#include "base/check.h"

#include <pthread.h>
#include <stdlib.h>

struct web_ticks {
	pthread_mutex_t lock; /* of all */
	size_t allowed, out;  /* bytes */
};

enum wd_err web_ticks_open(struct web_ticks **ret)
{
	struct web_ticks *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return WD_NOMEM;
	pthread_mutex_init(&t->lock, NULL);
	t->allowed = WEB_TICKS_BYTES;
	*ret = t;
	return WD_OK;
}

void web_ticks_close(struct web_ticks *t)
{
	if (t == NULL)
		return;
	WD_CHECK(t->out == 0);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

void web_ticks_allow(struct web_ticks *t, const struct catalogue *c, size_t watched_max)
{
	size_t alone = 0;

	for (size_t i = 0; i < catalogue_count(c) && alone < watched_max; i++)
		alone += catalogue_at(c, i)->address_count == 0;
	pthread_mutex_lock(&t->lock);
	t->allowed = WEB_TICKS_BYTES + WEB_TICKS_ALONE * alone;
	pthread_mutex_unlock(&t->lock);
}

static bool is_scarce(const struct web_ticks *t)
{
	return t->out + web_tick_bytes(WEB_SAMPLES) > t->allowed / 2;
}

struct web_tick *web_ticks_take(void *web_ticks, uint32_t *ret_samples)
{
	struct web_ticks *t = web_ticks;

	pthread_mutex_lock(&t->lock);
	*ret_samples = is_scarce(t) ? WEB_TICKS_SMALL : WEB_SAMPLES;
	size_t bytes = web_tick_bytes(*ret_samples);
	struct web_tick *tick = t->out + bytes > t->allowed ? NULL : malloc(bytes);
	t->out += tick != NULL ? bytes : 0;
	pthread_mutex_unlock(&t->lock);
	return tick;
}

void web_ticks_give(struct web_ticks *t, struct web_tick *tick)
{
	size_t bytes = web_tick_bytes(tick->sample_max);

	free(tick);
	pthread_mutex_lock(&t->lock);
	t->out -= bytes;
	pthread_mutex_unlock(&t->lock);
}

bool web_ticks_scarce(struct web_ticks *t)
{
	pthread_mutex_lock(&t->lock);
	bool scarce = is_scarce(t);
	pthread_mutex_unlock(&t->lock);
	return scarce;
}
