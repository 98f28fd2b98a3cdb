/* SPDX-License-Identifier: Apache-2.0 */
/* chart: a series against what is usual, as SVG. No style attribute: classes only, so that a
 * strict content security policy lets it be. Text keeps its size whatever the width: the plot is a
 * nested, stretched <svg>, and labels stand at percentages beside it. */
#ifndef WD_PUBLISH_CHART_H
#define WD_PUBLISH_CHART_H

#include "base/buf.h"
#include "model/snapshot.h"

#include <stdbool.h>
#include <stddef.h>

enum { CHART_SPANS_MAX = 32 };

struct chart_span {
	wd_wall begin, end;
}; /* shaded: an incident or a wave */

struct chart {
	const struct series *series;
	const char *id;    /* of the title and description, unique in the page */
	const char *title; /* plain text, escaped here */
	const char *description;
	const char *unit; /* "reports in 5 minutes" */
	int height;       /* pixels */
	bool unfinished;  /* the last point's bucket still runs: drawn apart */
	bool values;      /* of a metric: may be small, or below 0 */
	bool numbered;    /* spans carry 1, 2, 3 */
	wd_wall mark; /* a line at that time; 0 = none */
	struct chart_span window; /* the time that it shows; end 0 = that of the series */
	size_t span_count;
	struct chart_span spans[CHART_SPANS_MAX];
};

/* Adds the span if it touches the series and there is room. end 0 = it lasts. */
void chart_shade(struct chart *c, wd_wall begin, wd_wall end);

/* Shades the incidents of a service; true if one of those that show is a reconstruction. */
bool chart_shade_incidents(struct chart *c, const struct snapshot *snapshot, const char *service);

/* The <svg> element, to stand in a page. */
void chart_svg(struct buf *b, const struct chart *c);
/* What is in it, for a frame of our own. width: of the plot in pixels; 0 = all there is. */
void chart_parts(struct buf *b, const struct chart *c, int width);

/* 24 h as a small line without labels, at most 32 points; hidden from assistive technology, as
 * the status beside it says the same. */
void chart_spark(struct buf *b, const struct series *series, bool values);

/* The largest of the points, at least 1: what the axis reaches, rounded up to 1, 2, 2.5 or 5. */
double chart_top(const struct series *series);

#endif
