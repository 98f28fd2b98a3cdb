/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/chart_inner.h"

#include "base/check.h"
#include "base/timetext.h"
#include "publish/words.h"

#include <math.h>
#include <string.h>

enum { SPARK_POINTS = 24, SPARK_HEIGHT = 18 };

double chart_axis_top(double highest)
{
	static const double steps[] = {1, 2, 2.5, 4, 5, 10};

	if (!isfinite(highest) || highest > 1e15)
		highest = 1e15;
	double unit = pow(10, floor(log10(highest)));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		/* Whole halves: the middle of the axis carries a label too. */
		if (steps[i] * unit >= highest && fmod(steps[i] * unit, 2) == 0)
			return steps[i] * unit;
	}
	return 10 * unit;
}

double chart_top(const struct series *series)
{
	double highest = 1;

	for (size_t i = 0; i < series->count; i++) {
		highest = fmax(highest, series->points[i].observed);
		highest = fmax(highest, series->points[i].high);
	}
	return chart_axis_top(highest);
}

static double axis_of_values(double farthest)
{
	static const double steps[] = {1, 2, 2.5, 4, 5, 10};
	if (!(farthest > 1e-12) || farthest > 1e15)
		return farthest > 1 ? 1e15 : 1;
	double unit = pow(10, floor(log10(farthest)));
	for (size_t i = 0; i < WD_COUNT(steps); i++) {
		if (steps[i] * unit >= farthest)
			return steps[i] * unit;
	}
	return 10 * unit;
}

struct axis chart_axis(const struct series *series, bool values)
{
	double highest = 0, lowest = 0;

	if (!values)
		return (struct axis){0, chart_top(series)};
	for (size_t i = 0; i < series->count; i++) {
		const struct point *p = &series->points[i];
		if (!point_is_seen(p) || !isfinite(p->observed))
			continue;
		highest = fmax(highest, fmax(p->observed, p->expected));
		lowest = fmin(lowest, fmin(p->observed, p->expected));
	}
	return (struct axis){lowest < 0 ? -axis_of_values(-lowest) : 0,
			     highest > 0 || lowest == 0 ? axis_of_values(highest) : 0};
}

void chart_shade(struct chart *c, wd_wall begin, wd_wall end)
{
	const struct series *s = c->series;
	wd_wall last = wall_add(s->begin, (wd_span){s->step.ns * (int64_t)s->count});

	if (end.ns == 0 || wall_before(last, end))
		end = last;
	if (wall_before(begin, s->begin))
		begin = s->begin;
	if (c->span_count < CHART_SPANS_MAX && wall_before(begin, end))
		c->spans[c->span_count++] = (struct chart_span){begin, end};
}

bool chart_shade_incidents(struct chart *c, const struct snapshot *snapshot, const char *service)
{
	bool reconstruction = false;

	for (size_t i = 0; i < snapshot->incident_count; i++) {
		const struct incident *incident = &snapshot->incidents[i];
		size_t before = c->span_count;
		if (strcmp(incident->service, service) != 0)
			continue;
		chart_shade(c, incident->began_at, incident->ended_at);
		if (c->span_count > before)
			reconstruction = reconstruction || incident->reconstruction;
	}
	return reconstruction;
}

int chart_height_of(double value, double top, int height)
{
	double share = value / top;
	if (!(share > 0))
		share = 0;
	return height - (int)lround(fmin(share, 1) * height);
}

static int height_on(double value, struct axis a)
{
	return chart_height_of(value - a.bottom, a.top - a.bottom, PLOT_HEIGHT);
}

void pen_flush(struct pen *p)
{
	if (p->run != 0)
		buf_fmt(p->b, "h%d", p->run);
	p->stepping = p->stepping && p->run == 0;
	p->run = 0;
}

void pen_move(struct pen *p, int x, int y)
{
	pen_flush(p);
	buf_fmt(p->b, "M%d %d", x, y);
	p->y = y;
	p->stepping = false;
}

void pen_to(struct pen *p, int dx, int y)
{
	int dy = y - p->y;

	if (dy == 0) {
		p->run += dx;
		return;
	}
	pen_flush(p);
	/* A minus sign separates as well as a space. */
	buf_fmt(p->b, !p->stepping ? "l%d" : dx < 0 ? "%d" : " %d", dx);
	buf_fmt(p->b, dy < 0 ? "%d" : " %d", dy);
	p->y = y;
	p->stepping = true;
}

enum which { OBSERVED, EXPECTED, LOW, HIGH };

static double point_value(const struct point *p, enum which which)
{
	switch (which) {
	case OBSERVED: return p->observed;
	case EXPECTED: return p->expected;
	case LOW: return p->low;
	default: return p->high;
	}
}

/* A line through the middles of the buckets; one that was not seen breaks it. */
static void line_path(struct buf *b, const struct series *s, size_t count, enum which which,
		      struct axis a)
{
	struct pen pen = {.b = b};
	bool down = false;

	for (size_t i = 0; i < count; i++) {
		const struct point *p = &s->points[i];
		int y = height_on(point_value(p, which), a);
		bool there = which == OBSERVED ? point_is_seen(p) : point_is_known(p);
		if (there && down)
			pen_to(&pen, 1, y);
		else if (there)
			pen_move(&pen, (int)i, y);
		down = there;
	}
	pen_flush(&pen);
}

/* Runs of buckets of which it is known what is usual. */
static void band_path(struct buf *b, const struct series *s, struct axis a)
{
	struct pen pen = {.b = b};

	for (size_t i = 0; i < s->count; i++) {
		size_t first = i;
		if (!point_is_known(&s->points[i]))
			continue;
		pen_move(&pen, (int)i, height_on(s->points[i].high, a));
		while (i + 1 < s->count && point_is_known(&s->points[i + 1]))
			pen_to(&pen, 1, height_on(s->points[++i].high, a));
		pen_flush(&pen); /* the way back would cancel a level run */
		for (size_t n = i + 1; n-- > first;)
			pen_to(&pen, n == i ? 0 : -1, height_on(s->points[n].low, a));
		pen_flush(&pen);
		buf_char(b, 'z');
		pen.stepping = false;
	}
}

/* The area under what was observed, so that a surge has weight: runs of seen buckets. */
static void area_path(struct buf *b, const struct series *s, size_t count, struct axis a)
{
	struct pen pen = {.b = b};

	for (size_t i = 0; i < count; i++) {
		if (!point_is_seen(&s->points[i]))
			continue;
		pen_move(&pen, (int)i, height_on(0, a));
		for (int dx = 0; i < count && point_is_seen(&s->points[i]); i++, dx = 1)
			pen_to(&pen, dx, height_on(s->points[i].observed, a));
		pen_flush(&pen);
		buf_fmt(b, "V%dz", height_on(0, a));
		pen.stepping = false;
	}
}

struct frame chart_frame(wd_wall begin, wd_span step, size_t count, struct chart_span window)
{
	wd_wall middle = wall_add(begin, (wd_span){step.ns / 2});
	double points = (double)(count > 1 ? count - 1 : 1);

	if (window.end.ns <= window.begin.ns || step.ns <= 0)
		return (struct frame){middle, points * (double)step.ns, 0, points, false};
	double span = (double)wall_sub(window.end, window.begin).ns;
	return (struct frame){window.begin, span,
			      (double)wall_sub(window.begin, middle).ns / (double)step.ns,
			      span / (double)step.ns, true};
}

double chart_share_of(const struct frame *f, wd_wall t)
{
	return fmin(1, fmax(0, (double)wall_sub(t, f->begin).ns / f->span_ns));
}

void chart_viewbox(struct buf *b, const struct frame *f)
{
	if (f->window)
		buf_fmt(b, " viewBox=\"%.3f 0 %.3f %d\" overflow=\"hidden\"", f->x0, f->width,
			PLOT_HEIGHT);
	else
		buf_fmt(b, " viewBox=\"0 0 %.0f %d\" overflow=\"visible\"", f->width,
			PLOT_HEIGHT);
	buf_str(b, " preserveAspectRatio=\"none\">");
}

void chart_mark(struct buf *b, const struct frame *f, wd_wall t, int height)
{
	double into = (double)wall_sub(t, f->begin).ns;
	if (t.ns == 0 || into < 0 || into > f->span_ns)
		return;
	buf_fmt(b, "<line class=\"alarm\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%d\"/>",
		into / f->span_ns * 100, into / f->span_ns * 100, TOP_HEIGHT, TOP_HEIGHT + height);
}

void chart_open(struct buf *b, const struct chart_head *h, const struct frame *f)
{
	buf_fmt(b,
		"<svg class=\"%s\" id=\"%s\" width=\"100%%\" height=\"%d\" role=\"img\" "
		"aria-labelledby=\"%s-t %s-d\"",
		h->kind, h->id, h->height, h->id, h->id);
	if (f->window) /* for the read-out: when it begins and ends */
		buf_fmt(b, " data-from=\"%lld\" data-span=\"%lld\"",
			(long long)(f->begin.ns / 1000000), (long long)(f->span_ns / 1e6));
	buf_fmt(b, "><title id=\"%s-t\">", h->id);
	buf_html(b, h->title);
	buf_fmt(b, "</title><desc id=\"%s-d\">", h->id);
	buf_html(b, h->description);
	buf_str(b, "</desc>");
}

/* Buckets as wide as the time they count: where a chart shares its axis with a finer one, a
 * line through their middles would rise before anything happened. */
static void steps_path(struct buf *b, const struct series *s, size_t from, size_t to,
		       struct axis a)
{
	bool down = false;

	for (size_t i = from; i < to; i++) {
		int y = height_on(s->points[i].observed, a);
		bool seen = point_is_seen(&s->points[i]);
		if (seen && down)
			buf_fmt(b, "V%dh1", y);
		else if (seen)
			buf_fmt(b, "M%.1f %dh1", (double)i - 0.5, y);
		down = seen;
	}
}

static void plot_steps(struct buf *b, const struct chart *c, size_t whole, struct axis a)
{
	const struct series *s = c->series;
	buf_str(b, "<path class=\"band\" d=\"");
	band_path(b, s, a);
	buf_str(b, "\"/><path class=\"usual\" d=\"");
	line_path(b, s, s->count, EXPECTED, a);
	buf_str(b, "\"/><path class=\"seen\" d=\"");
	steps_path(b, s, 0, whole, a);
	buf_str(b, "\"/>");
	if (whole < s->count && point_is_seen(&s->points[whole])) {
		buf_str(b, "<path class=\"seen running\" d=\"");
		steps_path(b, s, whole, s->count, a);
		buf_str(b, "\"/>");
	}
}

static void plot(struct buf *b, const struct chart *c, struct axis a)
{
	const struct series *s = c->series;
	size_t whole = c->unfinished && s->count > 1 ? s->count - 1 : s->count;

	if (s->count == 0)
		return;
	if (c->window.end.ns > c->window.begin.ns) {
		plot_steps(b, c, whole, a);
		return;
	}
	buf_str(b, "<path class=\"area\" d=\"");
	area_path(b, s, whole, a);
	buf_str(b, "\"/><path class=\"band\" d=\"");
	band_path(b, s, a);
	buf_str(b, "\"/><path class=\"usual\" d=\"");
	line_path(b, s, s->count, EXPECTED, a);
	buf_str(b, "\"/><path class=\"seen\" d=\"");
	line_path(b, s, whole, OBSERVED, a);
	buf_str(b, "\"/>");
	if (whole < s->count && point_is_seen(&s->points[whole]))
		/* A line without length with a round end: a dot that stretching leaves round. */
		buf_fmt(b, "<path class=\"last\" d=\"M%zu %dh0\"/>", whole,
			height_on(s->points[whole].observed, a));
}

/* The step between time labels: at most seven, of which a narrow screen shows every other. */
static int64_t tick_step_s(int64_t span_s_)
{
	static const int64_t steps[] = {1,      2,      5,       10,      15,    30,
					60,     120,    300,     900,    1800,  3600,
					7200,   10800,  14400,   21600,  43200, 86400,
					172800, 604800, 1209600, 2592000};
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (span_s_ / steps[i] <= 6)
			return steps[i];
	}
	return span_s_ / 6 + 1;
}

void chart_time_labels(struct buf *b, const struct frame *f, int y)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t begin = wall_to_s(f->begin), span = (int64_t)(f->span_ns / 1e9) + 1;
	int64_t step = tick_step_s(span);

	for (int64_t t = begin - begin % step + step; t < begin + span; t += step) {
		double share = chart_share_of(f, wall_s(t));
		if (share < 0.04 || share > 0.96)
			continue;
		struct civil at = civil_of(wall_s(t));
		buf_fmt(b,
			"<line class=\"tick\" x1=\"%.1f%%\" x2=\"%.1f%%\" y1=\"%d\" y2=\"%d\"/>"
			"<text class=\"x%s\" x=\"%.1f%%\" y=\"%d\"",
			share * 100, share * 100, y, y + 4, t / step % 2 ? " odd" : "", share * 100,
			y + 17);
		if (step < 60)
			buf_fmt(b, " data-t=\"%lld\">%02d:%02d:%02d</text>", (long long)t,
				at.hour, at.minute, at.second);
		else if (step < 86400)
			buf_fmt(b, " data-t=\"%lld\">%02d:%02d</text>", (long long)t, at.hour,
				at.minute);
		else
			buf_fmt(b, ">%d %s</text>", at.day, months[at.month - 1]);
	}
}

void chart_grid(struct buf *b, int bottom, int plot_height)
{
	for (int i = 0; i <= 2; i++) {
		int y = bottom - plot_height * i / 2;
		buf_fmt(b, "<line class=\"grid%s\" x1=\"0\" x2=\"100%%\" y1=\"%d.5\" y2=\"%d.5\"/>",
			i == 0 ? " base" : "", y, y);
	}
}

void chart_parts(struct buf *b, const struct chart *c, int width)
{
	const struct series *s = c->series;
	struct axis axis = chart_axis(s, c->values);
	struct frame frame = chart_frame(s->begin, s->step, s->count, c->window);
	int plot_height = c->height - AXIS_HEIGHT - TOP_HEIGHT, bottom = TOP_HEIGHT + plot_height;

	for (size_t i = 0; i < c->span_count; i++) {
		double from = chart_share_of(&frame, c->spans[i].begin),
		       to = chart_share_of(&frame, c->spans[i].end);
		buf_fmt(b,
			"<rect class=\"inc\" x=\"%.2f%%\" y=\"%d\" width=\"%.2f%%\" "
			"height=\"%d\"/>",
			from * 100, TOP_HEIGHT, fmax(to - from, 0.002) * 100, plot_height);
		if (c->numbered)
			buf_fmt(b, "<text class=\"wave\" x=\"%.2f%%\" y=\"%d\">%zu</text>",
				(from + to) * 50, TOP_HEIGHT + 12, i + 1);
	}
	chart_grid(b, bottom, plot_height);
	chart_time_labels(b, &frame, bottom);
	if (width > 0)
		buf_fmt(b, "<svg y=\"%d\" width=\"%d\" height=\"%d\"", TOP_HEIGHT, width,
			plot_height);
	else
		buf_fmt(b, "<svg class=\"plot\" y=\"%d\" width=\"100%%\" height=\"%d\"", TOP_HEIGHT,
			plot_height);
	chart_viewbox(b, &frame);
	plot(b, c, axis);
	buf_str(b, "</svg>");
	chart_mark(b, &frame, c->mark, plot_height);
	/* Numbers last, over the lines. */
	for (int i = axis.bottom < 0 ? 0 : 1; i <= 2; i++) {
		double value = axis.bottom + (axis.top - axis.bottom) * i / 2;
		buf_fmt(b, "<text class=\"y\" x=\"0\" y=\"%d\">", bottom - plot_height * i / 2 - 4);
		if (c->values)
			words_number(b, value);
		else
			words_count(b, value);
		if (i == 2) {
			buf_char(b, ' ');
			buf_xml(b, c->unit);
		}
		buf_str(b, "</text>");
	}
}

void chart_svg(struct buf *b, const struct chart *c)
{
	struct chart_head head = {"chart", c->id, c->title, c->description, c->height};
	struct frame f = chart_frame(c->series->begin, c->series->step, c->series->count,
				     c->window);

	chart_open(b, &head, &f);
	chart_parts(b, c, 0);
	buf_str(b, "</svg>");
}

/* This stands on the home page a hundred times: the viewBox has the shape that the style sheet
 * gives it, so that it needs no stretching. */
void chart_spark(struct buf *b, const struct series *series, bool values)
{
	enum { STEP = 4, WIDTH = (SPARK_POINTS - 1) * STEP };
	size_t width = (series->count + SPARK_POINTS - 1) / SPARK_POINTS;
	struct axis axis = chart_axis(series, values);
	struct pen pen = {.b = b};
	bool down = false;

	buf_fmt(b, "<svg class=\"k\" viewBox=\"0 -2 %d %d\" aria-hidden=\"true\"><path d=\"", WIDTH,
		SPARK_HEIGHT + 4);
	for (size_t i = 0, x = 0; i < series->count; i += width, x += STEP) {
		double highest = -INFINITY;
		for (size_t j = i; j < i + width && j < series->count; j++) {
			if (point_is_seen(&series->points[j]))
				highest = fmax(highest, series->points[j].observed);
		}
		bool seen = highest > -INFINITY;
		int y = chart_height_of(highest - axis.bottom, axis.top - axis.bottom,
					SPARK_HEIGHT);
		if (seen && down)
			pen_to(&pen, STEP, y);
		else if (seen)
			pen_move(&pen, (int)x, y);
		down = seen;
	}
	pen_flush(&pen);
	buf_str(b, "\"/></svg>");
}
