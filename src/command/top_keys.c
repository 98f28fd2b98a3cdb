/* SPDX-License-Identifier: Apache-2.0 */
/* What the keys of `whydown top` do. */
#include "command/top_view.h"

#include <string.h>

static void type(struct top_view *v, int key)
{
	size_t len = strlen(v->filter);

	if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE) {
		v->typing = false;
		if (key == TOP_KEY_ESCAPE)
			v->filter[0] = '\0';
	} else if (key == TOP_KEY_BACKSPACE || key == 8) {
		/* A character of several bytes goes as a whole. */
		while (len > 0 && ((unsigned char)v->filter[--len] & 0xc0) == 0x80) {
		}
		v->filter[len] = '\0';
	} else if (key >= 0x20 && key < 0x100 && len < TOP_FILTER_MAX) {
		v->filter[len] = (char)key;
		v->filter[len + 1] = '\0';
	}
	v->first = 0;
}

static void choose(struct top_view *v, const struct top_data *d, long by)
{
	long at = 0, last = (long)v->order_count - 1;

	if (last < 0)
		return;
	for (long i = 0; i <= last; i++) {
		if (strcmp(d->services.rows[v->order[i]].id, v->chosen) == 0)
			at = i;
	}
	at += by;
	at = at < 0 ? 0 : at > last ? last : at;
	memcpy(v->chosen, d->services.rows[v->order[at]].id, sizeof(v->chosen));
}

static void scroll(struct top_view *v, long by)
{
	if (by > 0 && !v->more)
		return;
	v->scroll = by < 0 && (long)v->scroll < -by ? 0 : (unsigned)((long)v->scroll + by);
}

static void sort_next(struct top_view *v)
{
	v->sort = top_sort_name(v->sort + 1) != NULL ? v->sort + 1 : 0;
}

static void sort_before(struct top_view *v)
{
	if (v->sort > 0) {
		v->sort--;
		return;
	}
	while (top_sort_name(v->sort + 1) != NULL)
		v->sort++;
}

static void move(struct top_view *v, const struct top_data *d, long by)
{
	if (v->help || v->service[0] != '\0')
		scroll(v, by);
	else
		choose(v, d, by);
}

static void go_back(struct top_view *v)
{
	if (v->help)
		v->help = false;
	else if (v->service[0] != '\0')
		v->service[0] = '\0';
	else
		v->filter[0] = '\0';
	v->scroll = 0;
}

static void enter(struct top_view *v, const struct top_data *d)
{
	if (v->help || v->service[0] != '\0')
		return;
	choose(v, d, 0); /* the first, if none is */
	memcpy(v->service, v->chosen, sizeof(v->service));
	v->scroll = 0;
}

void top_view_key(struct top_view *v, const struct top_data *d, int key)
{
	long page = v->body > 1 ? (long)v->body - 1 : 1;

	if (v->typing && key < TOP_KEY_UP) {
		type(v, key);
		return;
	}
	switch (key) {
	case 'q': v->quit = true; break;
	case '?':
	case 'h':
		v->help = !v->help;
		v->scroll = 0;
		break;
	case '/':
		v->help = false;
		v->service[0] = '\0';
		v->typing = true;
		break;
	case 's': sort_next(v); break;
	case 'S': sort_before(v); break;
	case 'p': v->paused = !v->paused; break;
	case 'j':
	case TOP_KEY_DOWN: move(v, d, 1); break;
	case 'k':
	case TOP_KEY_UP: move(v, d, -1); break;
	case ' ':
	case TOP_KEY_PAGE_DOWN: move(v, d, page); break;
	case TOP_KEY_PAGE_UP: move(v, d, -page); break;
	case TOP_KEY_HOME: move(v, d, -TOP_SERVICES_MAX); break;
	case TOP_KEY_END:
		if (!v->help && v->service[0] == '\0')
			move(v, d, TOP_SERVICES_MAX);
		break;
	case TOP_KEY_ENTER: enter(v, d); break;
	case TOP_KEY_ESCAPE:
	case TOP_KEY_BACKSPACE: go_back(v); break;
	default: break;
	}
}
