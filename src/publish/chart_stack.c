/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/chart_stack.h"

#include "publish/chart_inner.h"
#include "publish/words.h"

#include <math.h>

/* The sum of the layers up to and including k. */
static double height(const struct chart_stack *c, size_t i, size_t k)
{
	double sum = 0;
	for (size_t n = 0; n <= k; n++)
		sum += fmax(c->value(c->ctx, i, n), 0);
	return sum;
}

static double stack_top(const struct chart_stack *c)
{
	double highest = 1;
	for (size_t i = 0; i < c->count; i++) {
		highest = fmax(highest, height(c, i, c->layers - 1));
		if (c->usual != NULL)
			highest = fmax(highest, c->usual(c->ctx, i));
	}
	return chart_axis_top(highest);
}

static void layer_path(struct buf *b, const struct chart_stack *c, size_t k, double top)
{
	struct pen pen = {.b = b};
	pen_move(&pen, 0, chart_height_of(height(c, 0, k), top, PLOT_HEIGHT));
	for (size_t i = 1; i < c->count; i++)
		pen_to(&pen, 1, chart_height_of(height(c, i, k), top, PLOT_HEIGHT));
	pen_flush(&pen); /* the way back would cancel a level run */
	for (size_t i = c->count; i-- > 0;)
		pen_to(&pen, i + 1 == c->count ? 0 : -1,
		       k == 0 ? PLOT_HEIGHT
			      : chart_height_of(height(c, i, k - 1), top, PLOT_HEIGHT));
	pen_flush(&pen);
	buf_char(b, 'z');
}

static void plot(struct buf *b, const struct chart_stack *c, double top)
{
	for (size_t k = 0; k < c->layers; k++) {
		if (c->plain)
			buf_str(b, "<path class=\"vp\" d=\"");
		else
			buf_fmt(b, "<path class=\"v%zu\" d=\"", k);
		layer_path(b, c, k, top);
		buf_str(b, "\"/>");
	}
	if (c->usual == NULL)
		return;
	struct pen pen = {.b = b};
	buf_str(b, "<path class=\"usual\" d=\"");
	for (size_t i = 0; i < c->count; i++) {
		int y = chart_height_of(c->usual(c->ctx, i), top, PLOT_HEIGHT);
		if (i == 0)
			pen_move(&pen, 0, y);
		else
			pen_to(&pen, 1, y);
	}
	pen_flush(&pen);
	buf_str(b, "\"/>");
}

void chart_stack_svg(struct buf *b, const struct chart_stack *c)
{
	if (c->count == 0 || c->layers == 0)
		return;
	double top = stack_top(c);
	int plot_height = c->height - AXIS_HEIGHT - TOP_HEIGHT, bottom = TOP_HEIGHT + plot_height;
	struct frame frame = chart_frame(c->begin, c->step, c->count, c->window);

	struct chart_head head = {"chart stack", c->id, c->title, c->description, c->height};

	chart_open(b, &head, &frame);
	chart_grid(b, bottom, plot_height);
	chart_time_labels(b, &frame, bottom);
	buf_fmt(b, "<svg class=\"plot\" y=\"%d\" width=\"100%%\" height=\"%d\"", TOP_HEIGHT,
		plot_height);
	chart_viewbox(b, &frame);
	plot(b, c, top);
	buf_str(b, "</svg>");
	chart_mark(b, &frame, c->mark, plot_height);
	for (int i = 1; i <= 2; i++) {
		buf_fmt(b, "<text class=\"y\" x=\"0\" y=\"%d\">", bottom - plot_height * i / 2 - 4);
		words_rate(b, top * i / 2, c->unit);
		buf_str(b, "</text>");
	}
	buf_str(b, "</svg>");
}
