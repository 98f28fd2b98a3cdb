/* SPDX-License-Identifier: Apache-2.0 */
/* log: one line an event on stderr: UTC time, level, event, key=value. Text that strangers
 * chose is quoted and escaped. Repeats of one event are held back after ten in a minute, and
 * the next line says how many. Any thread. */
#ifndef WD_COMMAND_LOG_H
#define WD_COMMAND_LOG_H

#include "base/err.h"
#include "config/config.h"

#include <stdint.h>

void log_level_set(enum log_level level);

/* log_line(LOG_LEVEL_INFO, "listening", "address=%s port=%u", …): `event` is static text. */
void log_line(enum log_level level, const char *event, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for a failure: adds error=… what=… errno=… at=… */
void log_why(enum log_level level, const char *event, const struct wd_why *why);

/* Escapes for a value: "text with spaces" in quotes, a quote as \", what is not plain
 * (text_character) byte by byte as \xNN; cut to fit. */
const char *log_text(char *dst, size_t dst_size, const char *text);

#endif
