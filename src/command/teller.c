/* SPDX-License-Identifier: Apache-2.0 */
#include "command/teller.h"

#include "command/clock.h"
#include "command/log.h"

#include <stdio.h>
#include <stdlib.h>

static const wd_span TELL_EVERY = {WD_NS_PER_S / 2};
enum { EVENT_SERVICES_MAX = 200 };

/* With another catalogue all services that have something to show are told again. */
static bool follow_catalogue(struct teller *t, const struct snapshot *now)
{
	bool same = t->told->catalogue == now->catalogue;
	if (t->versions != NULL && same)
		return true;
	free(t->versions);
	t->versions = calloc(now->service_count + 1, sizeof(*t->versions));
	t->from = 0;
	/* Those who come after the start have fetched what was there then. */
	for (size_t n = 0; t->versions != NULL && same && n < now->service_count; n++)
		t->versions[n] = t->told->services[n]->version + 1;
	return t->versions != NULL;
}

static bool has_news(const struct teller *t, const struct service_state *s, size_t n)
{
	return (s->first_seen_at.ns != 0 || s->traffic != NULL) &&
	       t->versions[n] != s->version + 1;
}

/* Those over the maximum are told the next time, before others have their turn again. */
static void tell_changes(struct teller *t, struct http *http, const struct snapshot *now)
{
	char data[64], name[SERVICE_ID_MAX + 16];
	size_t told = 0, from = t->from;

	int len = snprintf(data, sizeof(data), "{\"version\": %llu}",
			   (unsigned long long)now->version);
	t->untold = false;
	for (size_t k = 0; k < now->service_count && !t->untold; k++) {
		size_t n = (from + k) % now->service_count;
		const struct service_state *s = now->services[n];
		if (!has_news(t, s, n))
			continue;
		t->untold = told == EVENT_SERVICES_MAX;
		t->from = n;
		if (t->untold)
			break;
		snprintf(name, sizeof(name), "service.%s", s->service->id);
		if (http_stream_publish(http, name, data, (size_t)len) != WD_OK)
			continue;
		t->versions[n] = s->version + 1; /* 0: of nothing */
		told++;
	}
	if (http_stream_publish(http, "now", data, (size_t)len) != WD_OK)
		log_line(LOG_LEVEL_WARNING, "event_not_sent", "bytes=%d", len);
}

void teller_init(struct teller *t, struct snapshot *first)
{
	*t = (struct teller){.told = snapshot_hold(first)};
}

void teller_done(struct teller *t)
{
	snapshot_release(t->told);
	free(t->versions);
}

void teller_tell(struct teller *t, struct http *http, struct snapshot *now)
{
	if (http == NULL || (t->told == now && !t->untold) || mono_now().ns < t->due.ns ||
	    !follow_catalogue(t, now))
		return;
	tell_changes(t, http, now);
	snapshot_release(t->told);
	t->told = snapshot_hold(now);
	t->due = mono_add(mono_now(), TELL_EVERY);
}
