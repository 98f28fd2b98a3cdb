/* SPDX-License-Identifier: Apache-2.0 */
/* What a reconstruction was made from: the statements "source" and "assumed". */
#include "intake/scenario_inner.h"

#include "decode/words.h"

#include <string.h>

/* The rest of the line, as text that may stand on a page. */
static void take_text(struct reader *r, char *dst, const char *what)
{
	prose_skip_blanks(&r->p);
	size_t at = r->p.at;
	struct slice s = prose_rest(&r->p);
	if (!words_are_line(s.text, s.len, RECONSTRUCTION_TEXT_MAX))
		prose_fail_at(&r->p, WD_MALFORMED, at, what);
	prose_copy(&r->p, s, dst, RECONSTRUCTION_TEXT_MAX + 1, what);
}

void scenario_say_source(struct reader *r)
{
	static const char what[] =
		"here stands a source: a name in one word, its address and what was taken from it, "
		"like: source times https://times.example/x over 40,000 reports at 14:00 UTC";
	struct reconstruction *m = &r->s->made_from;

	if (m->source_count == RECONSTRUCTION_SOURCES_MAX) {
		prose_fail_at(&r->p, WD_FULL, r->p.at, "a scenario has at most 20 sources");
		return;
	}
	struct reconstruction_source *x = &m->sources[m->source_count++];
	struct slice name = prose_peek(&r->p);
	if (!words_are_line(name.text, name.len, RECONSTRUCTION_NAME_MAX))
		prose_fail(&r->p, what);
	prose_copy(&r->p, prose_take(&r->p), x->name, sizeof(x->name), what);
	prose_skip_blanks(&r->p);
	/* To the blank: an address may hold commas. */
	struct slice url = {r->p.text + r->p.at, 0};
	while (r->p.at + url.len < r->p.line_end && !slice_blank(url.text[url.len]))
		url.len++;
	if (!reconstruction_url_is_sound(url.text, url.len))
		prose_fail(&r->p, "here stands the source's address, like: https://times.example/x "
				  "(http or https, in ASCII, at most 300 bytes)");
	prose_copy(&r->p, url, x->url, sizeof(x->url), what);
	if (r->p.err == WD_OK)
		r->p.at += url.len;
	take_text(r, x->taken, what);
}

void scenario_say_assumed(struct reader *r)
{
	struct reconstruction *m = &r->s->made_from;

	if (m->assumed_count == RECONSTRUCTION_ASSUMED_MAX) {
		prose_fail_at(&r->p, WD_FULL, r->p.at,
			      "a scenario has at most 20 lines of what is assumed");
		return;
	}
	take_text(r, m->assumed[m->assumed_count++],
		  "here stands what is assumed, in 1 to 500 bytes, like: assumed the usual rate");
}

/* From the first surge's begin to the last one's end, inside the scenario. */
static void take_times(const struct scenario *s, struct reconstruction *m)
{
	wd_wall end = wall_add(s->begins, s->lasts);

	for (size_t i = 0; i < s->surge_count; i++) {
		const struct surge *x = &s->surges[i];
		if (wall_before(x->begins, s->begins) || !wall_before(x->begins, end))
			continue;
		double left = (double)wall_sub(end, x->begins).ns;
		double ns = (double)x->every.ns * (x->repeats - 1) + (double)x->rises.ns +
			    (double)x->stays.ns + (double)x->falls.ns;
		wd_wall over = ns < left ? wall_add(x->begins, (wd_span){(int64_t)ns}) : end;
		if (m->began_at.ns == 0 || wall_before(x->begins, m->began_at))
			m->began_at = x->begins;
		if (wall_before(m->ended_at, over))
			m->ended_at = over;
	}
}

void scenario_end_sources(struct reader *r)
{
	struct scenario *s = r->s;
	struct reconstruction *m = &s->made_from;

	if (r->p.err != WD_OK)
		return;
	if (m->source_count + m->assumed_count > 0 && !s->reconstruction)
		prose_fail_at(&r->p, WD_MALFORMED, 0,
			      "what has sources is a reconstruction: that line is missing");
	memcpy(m->title, s->title, sizeof(m->title));
	take_times(s, m);
}
