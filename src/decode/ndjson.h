/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson: one line of our NDJSON (docs/formats.md, what observation_to_json writes) → an
 * observation. A recording of a month has hundreds of millions of lines, so this is a
 * scanner for one flat object with known members and for nothing else: a member that is
 * not known, or there twice, is refused, as is a nested value. It accepts exactly the JSON
 * that RFC 8259 allows for such an object. Pure; no memory is taken. */
#ifndef WD_DECODE_NDJSON_H
#define WD_DECODE_NDJSON_H

#include "base/err.h"
#include "base/units.h"
#include "model/observation.h"

#include <stddef.h>

enum {
	NDJSON_LINE_MAX = 8192, /* bytes; the longest observation fits with every byte escaped */
	NDJSON_ID_MAX = 64,
};

struct ndjson {
	struct observation observation; /* sound; its strings point into the line */
	wd_wall received;               /* 0 = not stated */
	const char *id;                 /* as written, "" = none; points into the line */
};

/* Reads `line` of len bytes, without its line end. The line is changed: strings are unescaped
 * and ended in place, also on failure. Times are cut to milliseconds. An id of 32 hex digits
 * is the observation's id; of any other, observation.id is none and the caller makes one.
 * WD_UNKNOWN if a later version wrote it. at = byte offset. */
enum wd_err ndjson_read(char *line, size_t len, struct ndjson *ret_ndjson, struct wd_why *why)
	WD_MUST_CHECK;

#endif
