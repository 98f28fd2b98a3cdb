/* SPDX-License-Identifier: Apache-2.0 */
/* Any requests, as a reader of logs may hand them on: what they give away, what their clients do,
 * and each second of them judged. A line is a request: four bytes (method and form, status, client,
 * seconds since the one before), then path, query, agent, referer and host with tabs between. */
#include "detect/conduct.h"
#include "detect/web.h"

#include "base/check.h"
#include "base/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4, FIELDS = 5, CLIENT_ROWS = 64 };

static const struct address_key key = {{1, 2, 3, 4}};
static struct conduct conduct;
static struct web_agents agents;
static struct web_watch watch;
static struct web_tick tick;
static struct web_reading reading;

/* A block of its own of just that size, so that reading past it shows; the caller frees it. */
static struct text_span field(const uint8_t **at, const uint8_t *end, char **ret_block)
{
	const uint8_t *tab = memchr(*at, '\t', (size_t)(end - *at));
	size_t len = (size_t)((tab != NULL ? tab : end) - *at);
	char *block = *ret_block = malloc(len > 0 ? len : 1);

	WD_CHECK(block != NULL);
	memcpy(block, *at, len);
	*at = tab != NULL ? tab + 1 : end;
	return len > 0 ? (struct text_span){block, (uint32_t)len} : (struct text_span){NULL, 0};
}

static void judge(bool frozen)
{
	web_watch_step(&watch, &tick, frozen, &reading);
	WD_CHECK(isfinite(reading.log10_return) && isfinite(reading.requests_per_s));
	WD_CHECK(reading.finding_count <= WEB_FINDINGS_MAX);
	for (uint32_t n = 0; n < reading.finding_count; n++)
		WD_CHECK(reading.findings[n].share >= 0 && reading.findings[n].share <= 1 &&
			 memchr(reading.findings[n].why, '\0', sizeof(reading.findings[n].why)) !=
				 NULL);
}

static void request(const uint8_t *at, const uint8_t *end, wd_wall *now)
{
	static const uint16_t statuses[] = {200, 304, 302, 400, 401, 403, 404,
					    405, 410, 429, 499, 500, 0};
	char *blocks[FIELDS];
	struct request r = {.family = 4, .bytes = at[3] * 37 - 1, .duration_us = at[2] * 1000 - 1};

	r.method = (uint8_t)(at[0] % REQUEST_METHODS);
	r.malformed = (at[0] & 0x40) != 0;
	r.absolute = (at[0] & 0x20) != 0;
	r.unreferred = (at[0] & 0x10) != 0;
	r.status = statuses[at[1] % WD_COUNT(statuses)];
	r.client[3] = (uint8_t)(at[2] % 16);
	if (at[3] % 4 == 3) {
		judge(at[3] & 0x80);
		*now = wall_add(*now, span_s(1 + at[3] / 16));
		web_clear(&tick, "shop", *now);
	}
	r.at = *now;
	at += HEAD;
	r.path = field(&at, end, &blocks[0]);
	r.query = field(&at, end, &blocks[1]);
	r.agent = field(&at, end, &blocks[2]);
	r.referer = field(&at, end, &blocks[3]);
	r.host = field(&at, end, &blocks[4]);
	const struct web_facts facts = web_facts_of(&agents, &key, &r);
	web_add(&tick, &key, &r, &facts, hash_mix((uint64_t)now->ns + tick.requests));
	conduct_expect(&conduct, &facts);
	if (conduct_see(&conduct, &r, &facts))
		tick.marks[WEB_AGAIN]++;
	for (int i = 0; i < FIELDS; i++)
		free(blocks[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct client_note notes[CLIENT_NOTES_MAX];
	struct conduct_table *table = NULL;
	wd_wall now = wall_s(1700000000);
	char words[CLIENT_WORDS_MAX];

	if (conduct_table_open(&key, CLIENT_ROWS, &table) != WD_OK)
		return 0;
	conduct_init(&conduct, table, "shop");
	web_watch_init(&watch);
	web_clear(&tick, "shop", now);
	for (const uint8_t *at = data, *end = data + size; at < end;) {
		const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop != NULL ? stop : end;
		if (stop - at > HEAD)
			request(at, stop, &now);
		at = stop < end ? stop + 1 : end;
	}
	judge(false);
	size_t count = conduct_notes(&conduct, notes);
	WD_CHECK(count <= CLIENT_NOTES_MAX);
	for (size_t n = 0; n < count; n++) {
		WD_CHECK(client_note_vector(&notes[n]) != NULL);
		client_note_words(&notes[n], words);
		WD_CHECK(words[0] != '\0');
	}
	conduct_forget(&conduct, wall_to_s(now) + 1);
	WD_CHECK(conduct_notes(&conduct, notes) == 0);
	conduct_table_close(table);
	return 0;
}
