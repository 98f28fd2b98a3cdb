/* SPDX-License-Identifier: Apache-2.0 */
/* usage: what every command says when it is called in a way that it does not know, and how it
 * reads the values that its options are given. A reader that gives false leaves its ret_ alone. */
#ifndef WD_COMMAND_USAGE_H
#define WD_COMMAND_USAGE_H

#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Says what is wrong, and which --help tells how it is right. `what` NULL: getopt has said it.
 * Returns 2, the exit status of wrong usage. */
int usage_wrong(const char *command, const char *what);

/* The same of an option (or "argument") with a value that it cannot have. */
int usage_refuse(const char *command, const char *option, const char *value, const char *right);

/* Digits only, and a number from `least` to `most`. */
bool usage_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_n);

/* Above 0, up to `most`: "0.5", "60". */
bool usage_amount(const char *text, double most, double *ret_amount);

/* One of `count` words: which. */
bool usage_word(const char *text, const char *const *words, size_t count, size_t *ret_index);

/* As decode/counts_time reads times: "2025-03-10T09:00Z"; 20250310 is a day. */
bool usage_time(const char *text, wd_wall *ret_time);

/* A width of buckets: "90s", "15m", "1h", "1d", at most OBSERVATION_STEP_MAX_S. */
bool usage_width(const char *text, wd_span *ret_width);

#endif
