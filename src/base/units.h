/* SPDX-License-Identifier: Apache-2.0 */
/* units: quantities that must not be mixed are one-field structs, so that mixing
 * them does not compile. wd_wall is UTC (for showing and storing), wd_mono is for
 * waiting and rates, wd_span is the difference of two of either. All in ns. */
#ifndef WD_BASE_UNITS_H
#define WD_BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define WD_NS_PER_S INT64_C(1000000000)

/* Rounded down, also below zero; b is positive. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

typedef struct { int64_t ns; } wd_span; /* a duration */
typedef struct { int64_t ns; } wd_wall; /* since 1970-01-01T00:00:00Z, no leap seconds */
typedef struct { int64_t ns; } wd_mono; /* since some start */

static inline wd_span span_s(int64_t s) { return (wd_span){s * WD_NS_PER_S}; }
static inline wd_span span_ms(int64_t ms) { return (wd_span){ms * 1000000}; }
static inline int64_t span_to_s(wd_span d) { return d.ns / WD_NS_PER_S; } /* towards zero */

static inline wd_wall wall_s(int64_t s) { return (wd_wall){s * WD_NS_PER_S}; }
/* What the system's clock says (struct timespec), which may be anything: beyond 1700 to 2223 it is
 * the nearest of these, so that nothing that is added to it overflows. */
static inline wd_wall wall_of_clock(int64_t s, int64_t ns)
{
	const int64_t max_s = INT64_C(8000000000);
	return s >= max_s ? wall_s(max_s) : s <= -max_s ? wall_s(-max_s)
							  : (wd_wall){s * WD_NS_PER_S + ns};
}
/* Whole seconds, rounded down (also before 1970). */
static inline int64_t wall_to_s(wd_wall t)
{
	return floor_div(t.ns, WD_NS_PER_S);
}
static inline wd_wall wall_add(wd_wall t, wd_span d) { return (wd_wall){t.ns + d.ns}; }
static inline wd_wall wall_back(wd_wall t, wd_span d) { return (wd_wall){t.ns - d.ns}; }
static inline wd_span wall_sub(wd_wall later, wd_wall earlier)
{
	return (wd_span){later.ns - earlier.ns};
}
static inline bool wall_before(wd_wall a, wd_wall b) { return a.ns < b.ns; }

static inline wd_mono mono_add(wd_mono t, wd_span d) { return (wd_mono){t.ns + d.ns}; }
static inline wd_span mono_sub(wd_mono later, wd_mono earlier)
{
	return (wd_span){later.ns - earlier.ns};
}

#endif
