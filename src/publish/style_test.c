/* SPDX-License-Identifier: Apache-2.0 */
/* The style sheet's colours are far enough apart to be read (WCAG 2.2: 1.4.3, 1.4.11), in light and
 * in dark, and it stays small. */
#include "publish/embedded.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *style_sheet(void)
{
	const struct embedded *file = embedded_find("site.css");
	assert_non_null(file);
	char *text = strndup((const char *)file->bytes, file->len);
	assert_non_null(text);
	return text;
}

/* The value of --name in the first or second :root block. */
static unsigned long colour(const char *css, const char *name, bool dark)
{
	char declaration[32];
	const char *at = strstr(css, ":root");

	if (dark)
		at = strstr(at + 1, ":root");
	snprintf(declaration, sizeof(declaration), "--%s: #", name);
	at = strstr(at, declaration);
	if (at == NULL)
		fail_msg("no --%s", name);
	return strtoul(at + strlen(declaration), NULL, 16);
}

/* WCAG's relative luminance. */
static double luminance(unsigned long rgb)
{
	static const double weights[] = {0.0722, 0.7152, 0.2126};
	double sum = 0;
	for (int i = 0; i < 3; i++) {
		double c = (double)(rgb >> (8 * i) & 255) / 255;
		sum += weights[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static double contrast(unsigned long a, unsigned long b)
{
	double x = luminance(a), y = luminance(b);
	return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

static void contrast_is_measured_as_wcag_says(void **state)
{
	(void)state;
	assert_true(fabs(contrast(0x000000, 0xffffff) - 21) < 0.01);
	assert_true(fabs(contrast(0x777777, 0xffffff) - 4.48) < 0.01);
}

static void text_and_marks_stand_out_from_what_is_behind_them(void **state)
{
	static const struct {
		const char *front, *back;
		double least;
	} pairs[] = {
		{"ink", "bg", 7},      {"ink", "card", 7},       {"soft", "bg", 4.5},
		{"soft", "card", 4.5}, {"link", "bg", 4.5},      {"link", "card", 4.5},
		{"bad", "bg", 4.5},    {"bad", "card", 4.5},     {"warn", "bg", 4.5},
		{"warn", "card", 4.5}, {"warn", "warn-bg", 4.5}, {"good", "bg", 4.5},
		{"good", "card", 4.5}, {"none", "bg", 4.5},      {"bg", "ink", 7},
		{"on", "bad", 4.5},    {"none", "card", 3},      {"seen", "bg", 3},
		{"seen", "band", 3},   {"seen", "shade", 3},     {"bad", "shade", 4.5},
		{"soft", "shade", 3},
	};
	char *css = style_sheet();
	(void)state;
	for (int dark = 0; dark < 2; dark++) {
		for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
			double c = contrast(colour(css, pairs[i].front, dark),
					    colour(css, pairs[i].back, dark));
			if (c < pairs[i].least)
				fail_msg("%s on %s, %s: %.2f is under %.1f", pairs[i].front,
					 pairs[i].back, dark ? "dark" : "light", c, pairs[i].least);
		}
	}
	free(css);
}

static void the_style_sheet_is_small_and_loads_nothing(void **state)
{
	char *css = style_sheet();
	(void)state;
	assert_true(strlen(css) < 14 * 1024);
	assert_null(strstr(css, "url("));
	assert_null(strstr(css, "@import"));
	free(css);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contrast_is_measured_as_wcag_says),
		cmocka_unit_test(text_and_marks_stand_out_from_what_is_behind_them),
		cmocka_unit_test(the_style_sheet_is_small_and_loads_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
