/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds of incidents, of the site or of one service: Atom (RFC 4287) and JSON Feed 1.1. */
#include "publish/api.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/timetext.h"

#include <string.h>

enum { ENTRIES_MAX = 50 };

static bool belongs(const struct render *r, const struct incident *i)
{
	return r->service == NULL || strcmp(i->service, r->service->service->id) == 0;
}

/* When anything in the feed last changed. */
static wd_wall updated(const struct render *r)
{
	wd_wall last = r->snapshot->since;

	for (size_t i = 0; i < r->snapshot->incident_count; i++) {
		const struct incident *incident = &r->snapshot->incidents[i];
		if (belongs(r, incident) && wall_before(last, incident->changed_at))
			last = incident->changed_at;
	}
	return last;
}

static void title(const struct render *r, struct buf *text)
{
	buf_str(text, "Incidents");
	if (r->service != NULL) {
		buf_str(text, " of ");
		buf_str(text, r->service->service->name);
	}
	buf_str(text, " · ");
	buf_str(text, r->site->name);
}

/* ---- Atom ---- */

static void element(struct buf *b, const char *name, const char *text)
{
	buf_fmt(b, "<%s>", name);
	buf_xml(b, text);
	buf_fmt(b, "</%s>\n", name);
}

static void time_element(struct buf *b, const char *name, wd_wall t)
{
	char text[TIMETEXT_LEN_MAX];
	timetext_write(text, t);
	element(b, name, text);
}

/* Without a base URL: a UUID (RFC 9562 5.8) that the site's name and the path give. The keys are no
 * secret; they must stay as they are, or readers take all entries for new ones. */
static void made_id(const struct render *r, const char *path, const char *id)
{
	static const struct hash_key keys[2] = {{{1}}, {{2}}};
	struct buf name;
	uint64_t half[2];

	buf_init(&name, 4096);
	buf_fmt(&name, "%s\n%s%s", r->site->name, path, id);
	r->out->bad |= name.bad;
	for (size_t i = 0; i < WD_COUNT(half); i++)
		half[i] = name.bad ? 0 : hash_bytes(&keys[i], name.data, name.len);
	buf_done(&name);
	half[0] = (half[0] & ~UINT64_C(0xf000)) | 0x8000; /* version 8 */
	half[1] = half[1] >> 2 | UINT64_C(1) << 63;       /* variant 10 */
	buf_fmt(r->out, "urn:uuid:%08llx-%04llx-%04llx-%04llx-%012llx",
		(unsigned long long)(half[0] >> 32), (unsigned long long)(half[0] >> 16 & 0xffff),
		(unsigned long long)(half[0] & 0xffff), (unsigned long long)(half[1] >> 48),
		(unsigned long long)(half[1] & UINT64_C(0xffffffffffff)));
}

/* An id must never change and be an absolute URI (RFC 4287 4.2.6). */
static void id_element(const struct render *r, const char *path, const char *id)
{
	buf_str(r->out, "<id>");
	if (r->site->base_url[0] != '\0') {
		buf_xml(r->out, r->site->base_url);
		buf_xml(r->out, path);
		buf_xml(r->out, id);
	} else {
		made_id(r, path, id);
	}
	buf_str(r->out, "</id>\n");
}

/* The same as Atom's: unique among the items of all feeds (JSON Feed 1.1, "items"). */
static void id_member(const struct render *r, const char *path, const char *id)
{
	if (r->site->base_url[0] != '\0') {
		wd_json_url(r->out, "id", r->site->base_url, path, id);
		return;
	}
	wd_json_name(r->out, "id");
	buf_char(r->out, '"');
	made_id(r, path, id);
	buf_char(r->out, '"');
}

static void link_element(const struct render *r, const char *rel, const char *type,
			 const char *path, const char *id, const char *tail)
{
	buf_fmt(r->out, "<link rel=\"%s\" type=\"%s\" href=\"", rel, type);
	buf_xml(r->out, r->site->base_url);
	buf_xml(r->out, path);
	buf_xml(r->out, id);
	buf_xml(r->out, tail);
	buf_str(r->out, "\"/>\n");
}

static void text_element(const struct render *r, const char *open, const char *name,
			 sentence_of_incident *sentence, const struct incident *i)
{
	struct buf text;

	buf_init(&text, 4096);
	struct words w = {.out = &text, .now = r->snapshot->now, .dated = true};
	sentence(&w, r->snapshot, i);
	buf_str(r->out, open);
	buf_xml(r->out, text.bad || text.data == NULL ? "" : text.data);
	buf_fmt(r->out, "</%s>\n", name);
	buf_done(&text);
}

/* A list of titles must say it, too. */
static void title_of(const struct words *w, const struct snapshot *snapshot,
		     const struct incident *i)
{
	words_text(w, i->reconstruction ? "Reconstruction: " : "");
	words_headline(w, snapshot, i);
}

static void entry(const struct render *r, const struct incident *i)
{
	buf_str(r->out, "<entry>\n");
	id_element(r, "/i/", i->id);
	text_element(r, "<title>", "title", title_of, i);
	time_element(r->out, "updated", i->changed_at);
	time_element(r->out, "published", i->decided_at);
	link_element(r, "alternate", "text/html", "/i/", i->id, "");
	buf_fmt(r->out, "<category term=\"%s\"/>\n", incident_state_name(i->state));
	if (i->reconstruction)
		buf_str(r->out, "<category term=\"reconstruction\"/>\n");
	text_element(r, "<content type=\"text\">", "content", words_incident, i);
	buf_str(r->out, "</entry>\n");
}

void feed_atom(const struct render *r)
{
	const char *path = r->service != NULL ? "/s/" : "/";
	const char *id = r->service != NULL ? r->service->service->id : "";
	struct buf text;
	size_t listed = 0;

	buf_init(&text, 1024);
	title(r, &text);
	buf_str(r->out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
			"<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n");
	element(r->out, "title", text.bad ? "" : text.data);
	buf_done(&text);
	id_element(r, path, id);
	time_element(r->out, "updated", updated(r));
	buf_str(r->out, "<author>");
	element(r->out, "name", r->site->name);
	buf_str(r->out, "</author>\n<generator>whydown</generator>\n");
	link_element(r, "self", "application/atom+xml", path, id,
		     r->service != NULL ? "/feed.atom" : "feed.atom");
	link_element(r, "alternate", "text/html", path, id, "");
	for (size_t i = 0; i < r->snapshot->incident_count && listed < ENTRIES_MAX; i++) {
		if (!belongs(r, &r->snapshot->incidents[i]))
			continue;
		entry(r, &r->snapshot->incidents[i]);
		listed++;
	}
	buf_str(r->out, "</feed>\n");
}

/* ---- JSON Feed ---- */

static void item(const struct render *r, const struct incident *i)
{
	wd_json_open(r->out, NULL, '{');
	id_member(r, "/i/", i->id);
	wd_json_url(r->out, "url", r->site->base_url, "/i/", i->id);
	api_incident_sentence(r, "title", title_of, i);
	api_incident_sentence(r, "content_text", words_incident, i);
	wd_json_time(r->out, "date_published", i->decided_at);
	wd_json_time(r->out, "date_modified", i->changed_at);
	wd_json_open(r->out, "tags", '[');
	wd_json_string(r->out, NULL, incident_state_name(i->state));
	if (i->reconstruction)
		wd_json_string(r->out, NULL, "reconstruction");
	wd_json_close(r->out, ']');
	wd_json_close(r->out, '}');
}

void feed_json(const struct render *r)
{
	struct buf text;
	size_t listed = 0;

	buf_init(&text, 1024);
	title(r, &text);
	wd_json_open(r->out, NULL, '{');
	wd_json_string(r->out, "version", "https://jsonfeed.org/version/1.1");
	wd_json_string(r->out, "title", text.bad ? "" : text.data);
	buf_done(&text);
	if (r->service != NULL) {
		wd_json_url(r->out, "home_page_url", r->site->base_url, "/s/",
			    r->service->service->id);
		wd_json_name(r->out, "feed_url");
		buf_char(r->out, '"');
		buf_json(r->out, r->site->base_url);
		buf_fmt(r->out, "/s/%s/feed.json\"", r->service->service->id);
	} else {
		wd_json_url(r->out, "home_page_url", r->site->base_url, "/", "");
		wd_json_url(r->out, "feed_url", r->site->base_url, "/feed.json", "");
	}
	wd_json_string(r->out, "language", "en");
	wd_json_open(r->out, "items", '[');
	for (size_t i = 0; i < r->snapshot->incident_count && listed < ENTRIES_MAX; i++) {
		if (!belongs(r, &r->snapshot->incidents[i]))
			continue;
		item(r, &r->snapshot->incidents[i]);
		listed++;
	}
	wd_json_close(r->out, ']');
	wd_json_close(r->out, '}');
	buf_char(r->out, '\n');
}
