/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of chart share. Internal to chart*.c. */
#ifndef WD_PUBLISH_CHART_INNER_H
#define WD_PUBLISH_CHART_INNER_H

#include "publish/chart.h"

/* In the stretched plot a point is one unit wide and the height is this many units. */
enum { PLOT_HEIGHT = 1000, AXIS_HEIGHT = 22, TOP_HEIGHT = 16 };

/* Writes a path short: a level run is one step, and a command's letter is not said twice. */
struct pen {
	struct buf *b;
	int y, run;    /* where it is; how far it went level and has not written yet */
	bool stepping; /* the last command was "l": more numbers may follow */
};
void pen_flush(struct pen *p);
void pen_move(struct pen *p, int x, int y);
void pen_to(struct pen *p, int dx, int y);

/* What an axis reaches so that `highest` fits under it. */
double chart_axis_top(double highest);
/* From where to where it goes: of counts from 0, of values as far as they do, 0 always in it. */
struct axis { double bottom, top; };
struct axis chart_axis(const struct series *series, bool values);
/* From the top of a plot of this height. */
int chart_height_of(double value, double top, int height);

/* The time that a chart shows, and where its points stand in it: point i is at x = i. Without
 * a window it is from the middle of the first bucket to the middle of the last. */
struct frame { wd_wall begin; double span_ns, x0, width; bool window; };
struct frame chart_frame(wd_wall begin, wd_span step, size_t count, struct chart_span window);
double chart_share_of(const struct frame *f, wd_wall t); /* of the width, 0..1 */
/* A chart up to its <desc>; `kind` is its class. */
struct chart_head { const char *kind, *id, *title, *description; int height; };
void chart_open(struct buf *b, const struct chart_head *h, const struct frame *f);
/* Level lines: the axis at y = `bottom`, the middle, the top. */
void chart_grid(struct buf *b, int bottom, int plot_height);
/* The attributes of the plot's <svg>: viewBox and what becomes of what is outside of it. */
void chart_viewbox(struct buf *b, const struct frame *f);
/* A line down the plot, whose height in pixels it is; nothing if t is not in the frame. */
void chart_mark(struct buf *b, const struct frame *f, wd_wall t, int height);
/* Under the axis, whose line is at y. */
void chart_time_labels(struct buf *b, const struct frame *f, int y);

#endif
