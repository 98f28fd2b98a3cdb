/* SPDX-License-Identifier: Apache-2.0 */
/* chart_stack: what adds up to a whole over time, one layer on the other, as SVG: traffic by
 * vector. The style sheet has a colour for each of the layers (v0 …); the legend that the
 * caller writes beside it, and the table that follows, name them. */
#ifndef WD_PUBLISH_CHART_STACK_H
#define WD_PUBLISH_CHART_STACK_H

#include "base/buf.h"
#include "base/units.h"
#include "publish/chart.h"

#include <stddef.h>

struct chart_stack {
	const char *id, *title, *description, *unit; /* as in struct chart */
	int height;
	wd_wall begin;
	wd_span step;
	size_t count, layers;
	struct chart_span window; /* as in struct chart */
	wd_wall mark;
	bool plain; /* one layer, of no vector: the colour of what is observed */
	/* Of point i in layer k, from the bottom up. */
	double (*value)(const void *ctx, size_t i, size_t k);
	/* What is usual of the whole; NULL = not known. */
	double (*usual)(const void *ctx, size_t i);
	const void *ctx;
};

void chart_stack_svg(struct buf *b, const struct chart_stack *c);

#endif
