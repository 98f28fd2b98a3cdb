/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/client_notes.h"

#include "publish/html.h"
#include "publish/json_out.h"
#include "publish/words.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_MAX = 20, NETWORK_MAX = 16 };

/* What an incident tells already is not told again. */
static bool is_part(const struct snapshot *snapshot, const struct service_state *s, size_t i)
{
	return client_note_is_part(s->clients->notes, s->clients->count, i, s->service->id,
				   snapshot->incidents, snapshot->incident_count);
}

static const char *network_text(char dst[NETWORK_MAX], const struct client_note *n)
{
	if (n->network == 0)
		return NULL;
	snprintf(dst, NETWORK_MAX, "AS%u", n->network);
	return dst;
}

/* ---- the page ---- */

static void origin(struct buf *b, const struct client_note *n)
{
	char network[NETWORK_MAX];
	const char *as = network_text(network, n);

	if (n->many) {
		buf_str(b, "many clients");
		return;
	}
	buf_str(b, "one client");
	if (as != NULL)
		buf_fmt(b, " in %s", as);
	if (n->country[0] != '\0') {
		buf_str(b, as != NULL ? ", " : " in ");
		buf_html(b, n->country);
	}
}

static void entry(const struct render *r, const struct client_note *n)
{
	struct words w = html_words(r);
	struct buf *b = r->out;
	char what[CLIENT_WORDS_MAX];

	client_note_words(n, what);
	buf_fmt(b, "<dt>%s, ", client_note_title(n));
	origin(b, n);
	buf_str(b, "</dt><dd class=\"why\">");
	words_count(b, (double)n->requests);
	buf_str(b, n->requests == 1 ? " request, " : " requests, ");
	words_second(&w, n->began);
	if (n->last.ns != n->began.ns) {
		buf_str(b, " to ");
		words_second(&w, n->last);
	}
	buf_str(b, ": ");
	buf_html(b, what);
	buf_str(b, ".</dd>\n");
}

static void list_begin(struct buf *b)
{
	buf_str(b, "<section aria-labelledby=\"clients\"><h2 id=\"clients\">Single clients</h2>\n"
		   "<p class=\"note\">What the access log shows of single clients within a day, "
		   "far below any flood. It is no incident and no probability, and where a client "
		   "is does not say who it is.</p>\n<dl>");
}

void page_clients(const struct render *r)
{
	const struct client_notes *c = r->service->clients;
	struct buf *b = r->out;
	size_t told = 0;
	uint64_t more;

	if (c == NULL)
		return;
	more = c->more;
	for (size_t i = 0; i < c->count; i++) {
		if (is_part(r->snapshot, r->service, i))
			continue;
		if (told == ROWS_MAX) {
			more++;
			continue;
		}
		if (told++ == 0)
			list_begin(b);
		entry(r, &c->notes[i]);
	}
	if (told == 0)
		return;
	buf_str(b, "</dl>\n");
	if (more > 0)
		buf_fmt(b, "<p class=\"note\">and %llu more like these</p>\n",
			(unsigned long long)more);
	buf_str(b, "</section>\n");
}

/* ---- JSON ---- */

static void members(struct buf *b, const struct client_note *n)
{
	char what[CLIENT_WORDS_MAX], network[NETWORK_MAX];

	client_note_words(n, what);
	wd_json_string(b, "finding", client_note_vector(n));
	wd_json_time(b, "began_at", n->began);
	wd_json_time(b, "last_at", n->last);
	wd_json_count(b, "requests", n->requests);
	wd_json_string(b, "what", what);
	wd_json_truth(b, "many", n->many);
	wd_json_string(b, "network", network_text(network, n));
	wd_json_string(b, "country", n->country[0] != '\0' ? n->country : NULL);
}

void api_clients_members(const struct render *r)
{
	const struct client_notes *c = r->service->clients;
	struct buf *b = r->out;

	wd_json_open(b, "clients", '[');
	for (size_t i = 0; c != NULL && i < c->count; i++) {
		if (is_part(r->snapshot, r->service, i))
			continue;
		wd_json_open(b, NULL, '{');
		members(b, &c->notes[i]);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
	wd_json_count(b, "clients_more", c != NULL ? c->more : 0);
}

static void address(struct buf *b, const struct client_note *n)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (!n->many && n->family != 0)
		inet_ntop(n->family == 4 ? AF_INET : AF_INET6, n->client, text, sizeof(text));
	wd_json_string(b, "address", text[0] != '\0' ? text : NULL);
}

void client_notes_json(struct buf *b, const struct snapshot *snapshot)
{
	uint64_t more = 0;

	wd_json_open(b, NULL, '{');
	wd_json_time(b, "now", snapshot->now);
	wd_json_open(b, "clients", '[');
	for (size_t k = 0; k < snapshot->service_count; k++) {
		const struct service_state *s = snapshot->services[k];
		for (size_t i = 0; s->clients != NULL && i < s->clients->count; i++) {
			wd_json_open(b, NULL, '{');
			wd_json_string(b, "service", s->service->id);
			address(b, &s->clients->notes[i]);
			members(b, &s->clients->notes[i]);
			wd_json_truth(b, "part", is_part(snapshot, s, i));
			wd_json_close(b, '}');
		}
		more += s->clients != NULL ? s->clients->more : 0;
	}
	wd_json_close(b, ']');
	wd_json_count(b, "clients_more", more);
	wd_json_close(b, '}');
	buf_char(b, '\n');
}
