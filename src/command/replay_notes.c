/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_notes.h"

#include "base/timetext.h"
#include "explain/place.h"

#include <stdio.h>
#include <string.h>

static bool is_meanwhile(const struct conduct_note *n, const struct conduct_note *o)
{
	return !wall_before(n->last, o->began) && !wall_before(o->last, n->began);
}

/* Did many together do meanwhile what is noted of one? */
static bool is_of_many(const struct conduct *c, const struct conduct_note *n)
{
	bool volume = n->kind == CONDUCT_SCRAPE || n->kind == CONDUCT_HAMMER;

	for (uint32_t i = 0; i < c->note_count && !n->many; i++) {
		const struct conduct_note *o = &c->notes[i];
		if (o->many && is_meanwhile(n, o) && (o->kind == n->kind ||
						      (volume && o->kind == CONDUCT_HAMMER)))
			return true;
	}
	return false;
}

/* May what is noted be a part of what the incident found? */
static bool is_found(const struct incident_requests *r, const struct conduct_note *n)
{
	for (uint32_t i = 0; i < r->finding_count; i++) {
		const char *id = r->findings[i].id;
		if (n->kind == CONDUCT_SCRAPE || n->kind == CONDUCT_HAMMER ||
		    strcmp(id, conduct_vector(n)) == 0 ||
		    (n->kind == CONDUCT_PROBE && strcmp(id, "http.cachebust") == 0))
			return true;
	}
	return false;
}

/* Did the service's flood of requests go on meanwhile? */
static bool is_of_flood(const struct snapshot *s, const char *service,
			const struct conduct_note *n)
{
	for (size_t i = 0; i < s->incident_count; i++) {
		const struct incident *x = &s->incidents[i];
		if ((x->kinds & INCIDENT_REQUESTS) == 0 || strcmp(x->service, service) != 0)
			continue;
		bool ended = x->ended_at.ns != 0 && wall_before(x->ended_at, n->began);
		if (!ended && !wall_before(n->last, x->began_at) && is_found(&x->requests, n))
			return true;
	}
	return false;
}

static void who(char dst[ADDRESS_TEXT_MAX], const struct conduct_note *n)
{
	if (n->many)
		snprintf(dst, ADDRESS_TEXT_MAX, "many clients");
	else if (n->family == 0)
		snprintf(dst, ADDRESS_TEXT_MAX, "a client with a name");
	else
		address_text(dst, n->client, n->family);
}

static void add_text(struct buf *b, const char *service, const struct conduct_note *n)
{
	char client[ADDRESS_TEXT_MAX], words[CONDUCT_WORDS_MAX];
	struct civil from = civil_of(n->began), to = civil_of(n->last);

	who(client, n);
	conduct_words(n, words);
	buf_fmt(b,
		"%s: %04d-%02d-%02d %02d:%02d:%02d to %02d:%02d:%02d UTC, %s by %s: no incident\n"
		"  %llu requests: %s\n",
		service, from.year, from.month, from.day, from.hour, from.minute, from.second,
		to.hour, to.minute, to.second, conduct_vector(n), client,
		(unsigned long long)n->requests, words);
}

static void add_json(struct buf *b, const char *service, const struct conduct_note *n)
{
	char client[ADDRESS_TEXT_MAX], words[CONDUCT_WORDS_MAX], time[TIMETEXT_LEN_MAX];

	who(client, n);
	conduct_words(n, words);
	buf_str(b, "{\"v\":1,\"state\":\"noted\",\"kinds\":[\"client\"],\"service\":");
	buf_char(b, '"');
	buf_json(b, service);
	buf_str(b, "\",\"began_at\":\"");
	timetext_write(time, n->began);
	buf_str(b, time);
	buf_str(b, "\",\"ended_at\":\"");
	timetext_write(time, n->last);
	buf_str(b, time);
	buf_fmt(b,
		"\",\"client\":\"%s\",\"requests\":{\"count\":%llu,\"findings\":["
		"{\"id\":\"%s\"}]},\"why\":\"%s\"}\n",
		client, (unsigned long long)n->requests, conduct_vector(n), words);
}

size_t replay_notes_write(struct buf *b, const struct traffic_play *play,
			  const struct snapshot *s, bool json)
{
	const struct conduct *c;
	const char *service;
	size_t count = 0;

	for (size_t i = 0; (c = traffic_play_conduct(play, i, &service)) != NULL; i++) {
		for (uint32_t k = 0; k < c->note_count; k++) {
			const struct conduct_note *n = &c->notes[k];
			if (is_of_flood(s, service, n) || is_of_many(c, n))
				continue;
			if (json)
				add_json(b, service, n);
			else
				add_text(b, service, n);
			count++;
		}
		count += c->notes_dropped;
		if (c->notes_dropped > 0 && !json)
			buf_fmt(b, "%s: %llu clients more like these\n", service,
				(unsigned long long)c->notes_dropped);
	}
	return count;
}
