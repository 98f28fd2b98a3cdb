/* SPDX-License-Identifier: Apache-2.0 */
/* html: what every page shares. The HTML is also well-formed XML (quoted attributes, closed
 * elements, no named entities), so that a test can read it strictly. */
#ifndef WD_PUBLISH_HTML_H
#define WD_PUBLISH_HTML_H

#include "publish/render.h"
#include "publish/words.h"

#include <stdbool.h>

struct html_page {
	const char *title;       /* plain text; the site's name is added */
	const char *description; /* plain text; NULL = none */
	const char *path;    /* for the canonical link and the mark in the menu; NULL = neither */
	const char *feed;    /* path of the feeds without ".atom"; NULL = those of the site */
	const char *live;    /* not NULL: part of it changes, see html_live_begin */
	const char *refresh; /* without script, go there after a second; NULL = stay */
};

void html_begin(const struct render *r, const struct html_page *page);
void html_end(const struct render *r);

/* Around the part that changes: fetched again from `path` when the event comes. */
void html_live_begin(const struct render *r, const char *path, const char *event);
void html_live_end(const struct render *r);

struct words html_words(const struct render *r); /* for sentences in the page */

void html_status(struct buf *b, enum status s); /* a shape, a colour and a word */
void html_service_link(const struct render *r, const char *id);
/* A row of a table of incidents: (service,) began, lasted, peak, severity, rank by duration. */
void html_incident_row(const struct render *r, const struct incident *i, bool with_service);
/* The banner; `sources` is where they stand, or NULL. */
void html_reconstruction(const struct render *r, const char *sources);

/* A series of a service with its incidents shaded. */
struct html_chart {
	const struct series *series;
	const char *id;   /* unique in the page */
	const char *span; /* "last 24 hours" */
	int height;
	bool unfinished; /* see struct chart */
};
void html_service_chart(const struct render *r, const struct service_state *s,
			const struct html_chart *how);
/* The same numbers in at most 24 rows, behind a fold. */
struct html_table {
	const struct series *series;
	const char *id; /* the chart's */
	const char *caption;
	bool unfinished;
	bool values; /* a metric's: a row has their mean, not their sum */
};
void html_series_table(const struct render *r, const struct html_table *how);

#endif
