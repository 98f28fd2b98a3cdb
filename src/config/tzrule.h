/* SPDX-License-Identifier: Apache-2.0 */
/* tzrule: a POSIX TZ text such as "GMT0BST,M3.5.0/1,M10.5.0" in, the two changes it makes in
 * a year out. Pure. */
#ifndef WD_CONFIG_TZRULE_H
#define WD_CONFIG_TZRULE_H

#include "model/zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A day of the year and a time of that day, as the clock before the change shows it. */
struct tzrule_date {
	char kind;   /* 'M': month, week (5 = last), weekday (0 = Sunday); 'J': day 1 to 365, 29
		      * February is never counted; '0': day 0 to 365, it is */
	int month, week, day;
	int32_t time_s; /* may be negative or more than a day (RFC 8536 section 3.3.1) */
};

struct tzrule {
	int32_t standard_east_s, daylight_east_s;
	bool daylight; /* there is a daylight time, from begin to end */
	struct tzrule_date begin, end;
};

/* False if the text is malformed, or leaves out when daylight time begins and ends. */
bool tzrule_read(const char *text, size_t len, struct tzrule *ret_rule);

/* The two changes of that year, the earlier one first. rule->daylight is true. */
void tzrule_year(const struct tzrule *rule, int year, struct zone_change ret_changes[2]);

#endif
