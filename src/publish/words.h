/* SPDX-License-Identifier: Apache-2.0 */
/* words: what numbers mean, in the plain words that pages, feeds and badges share. The same
 * sentence is written either as HTML (names escaped, times in <time>) or as plain text, which
 * the caller escapes for where it goes. */
#ifndef WD_PUBLISH_WORDS_H
#define WD_PUBLISH_WORDS_H

#include "base/buf.h"
#include "model/snapshot.h"

#include <stdbool.h>

struct words {
	struct buf *out;
	bool html;
	wd_wall now; /* a time of the same day is told without its date */
	bool dated;  /* but not where it is read on another day: with it always */
};

void words_text(const struct words *w, const char *text); /* escaped if HTML */
/* The same of a name, kept apart where it is written from right to left: a number after it would
 * else stand before it. */
void words_name(const struct words *w, const char *name);
void words_time(const struct words *w, wd_wall t); /* "09:45 UTC", "10 Mar 2025, 09:45 UTC" */
void words_second(const struct words *w, wd_wall t); /* "09:45:12 UTC", as above */
void words_date(const struct words *w, wd_wall t); /* "10 Mar 2025" */

/* Numbers: the same in HTML and text. */
void words_count(struct buf *b, double n);                         /* "20,400", "4", "0.3" */
void words_number(struct buf *b, double n); /* any: three digits, "0.037", "-12.5", "20,400" */
void words_ratio(struct buf *b, double observed, double expected); /* "78" */
void words_times(struct buf *b, double observed, double expected); /* "78 × usual" */
/* "21,900 packets/s", "1.2 M packets/s"; of bits "182 Mbit/s". */
void words_rate(struct buf *b, double a_second, const char *unit);
void words_span(struct buf *b, wd_span d);                         /* "6 h 12 min" */
void words_odds(struct buf *b, double log10_return, wd_span step); /* "once in 3 years" */
void words_place(struct buf *b, size_t place);                     /* "", "2nd ", "3rd " */

const char *status_name(enum status s);  /* in data: "unknown", "usual", "unusual", "incident" */
const char *status_label(enum status s); /* on pages: "learning", "usual", "unusual", "incident" */

/* The last whole 5 minutes (or whatever the day's buckets are). */
struct now {
	bool seen;
	float observed, expected, low, high;
	wd_span step;
	wd_wall until; /* its end, if that is not the last whole bucket's; else 0 */
};
struct now service_now(const struct service_state *s);
/* The same, but where reports of an incident still rise the last whole minute: its first minutes
 * are not in the last whole five. Of a metric the last value that came, up to three buckets ago:
 * who measures sends it when its time is over. */
struct now service_newest(const struct service_state *s);

/* "reports in 5 minutes": what a point of the series counts. */
enum { WORDS_UNIT_MAX = 48 };
void words_unit(char dst[WORDS_UNIT_MAX], const struct service_state *s,
		const struct series *series);

/* The service's status in one sentence, and what the odds of a false alarm are in another
 * ("" where no alarm is raised). */
void words_status(const struct words *w, const struct snapshot *snapshot,
		  const struct service_state *s);
void words_status_odds(const struct words *w, const struct snapshot *snapshot,
		       const struct service_state *s);

/* The one number that stands for an incident: "78 × usual", "21,900 packets/s"; of a metric, which
 * may have fallen, "77 where 99 is usual". */
void words_strength(struct buf *b, const struct incident *i);
/* "X: incident since 09:45 UTC, 78 × usual", "X: incident of 6 h 12 min on 10 Mar 2025". */
void words_headline(const struct words *w, const struct snapshot *snapshot,
		    const struct incident *i);
/* What it is called: "Peak", of a metric "Farthest from usual". */
const char *words_strength_label(const struct incident *i);
/* "At its peak, 11:55 UTC, 1,712 in 5 min where 40 is usual; 6 h 12 min in all in 3 waves." */
void words_peak(const struct words *w, const struct incident *i);
/* "3rd longest and most severe of 41 for X since 2026-01", no full stop. */
void words_rank(const struct words *w, const struct snapshot *snapshot, const struct incident *i);

/* Both, and that it is a reconstruction if it is one. */
void words_incident(const struct words *w, const struct snapshot *snapshot,
		    const struct incident *i);

/* A scope's or share's value as people write it: the surface's name, "Germany", "London, GB". */
void words_value(const struct words *w, const struct service *s, enum dimension d,
		 const char *value);
const char *dimension_label(enum dimension d); /* "Surface", "Problem", … */

/* The service's name, or its id if the catalogue has it no more. */
const char *service_title(const struct snapshot *snapshot, const char *id);
/* NULL if there is none. */
const struct service_state *snapshot_service(const struct snapshot *snapshot, const char *id);

extern const char words_reconstruction[]; /* the one sentence that says what it is */

#endif
