/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_notes.h"

#include "base/timetext.h"
#include "explain/place.h"

#include <stdio.h>
#include <string.h>

static void who(char dst[ADDRESS_TEXT_MAX], const struct client_note *n)
{
	if (n->many)
		snprintf(dst, ADDRESS_TEXT_MAX, "many clients");
	else if (n->family == 0)
		snprintf(dst, ADDRESS_TEXT_MAX, "a client with a name");
	else
		address_text(dst, n->client, n->family);
}

static void add_text(struct buf *b, const char *service, const struct client_note *n)
{
	char client[ADDRESS_TEXT_MAX], words[CLIENT_WORDS_MAX];
	struct civil from = civil_of(n->began), to = civil_of(n->last);

	who(client, n);
	client_note_words(n, words);
	buf_fmt(b,
		"%s: %04d-%02d-%02d %02d:%02d:%02d to %02d:%02d:%02d UTC, %s by %s: no incident\n"
		"  %llu request%s: %s\n",
		service, from.year, from.month, from.day, from.hour, from.minute, from.second,
		to.hour, to.minute, to.second, client_note_vector(n), client,
		(unsigned long long)n->requests, n->requests == 1 ? "" : "s", words);
}

static void add_json(struct buf *b, const char *service, const struct client_note *n)
{
	char client[ADDRESS_TEXT_MAX], words[CLIENT_WORDS_MAX], time[TIMETEXT_LEN_MAX];

	who(client, n);
	client_note_words(n, words);
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
		client, (unsigned long long)n->requests, client_note_vector(n), words);
}

size_t replay_notes_of(struct buf *b, const struct conduct *c, const char *service,
		       const struct snapshot *s, bool json)
{
	size_t told = 0;

	for (uint32_t k = 0; k < c->note_count; k++) {
		const struct client_note *n = &c->notes[k];
		if (client_note_is_part(c->notes, c->note_count, k, service, s->incidents,
					s->incident_count))
			continue;
		if (json)
			add_json(b, service, n);
		else
			add_text(b, service, n);
		told++;
	}
	/* Where all that found room are told of in the incident, so are those that found none. */
	if (told == 0 || c->notes_dropped == 0)
		return told;
	if (!json)
		buf_fmt(b, "%s: %llu client%s more like these\n", service,
			(unsigned long long)c->notes_dropped, c->notes_dropped == 1 ? "" : "s");
	return told + c->notes_dropped;
}

size_t replay_notes_write(struct buf *b, const struct traffic_play *play,
			  const struct snapshot *s, bool json)
{
	const struct conduct *c;
	const char *service;
	size_t count = 0;

	for (size_t i = 0; (c = traffic_play_conduct(play, i, &service)) != NULL; i++)
		count += replay_notes_of(b, c, service, s, json);
	return count;
}
