/* SPDX-License-Identifier: Apache-2.0 */
/* json_out: JSON, member by member. A comma is put where one is due; in a list the name is NULL.
 * wd_, because jansson has a json_string and a json_null of its own. */
#ifndef WD_PUBLISH_JSON_OUT_H
#define WD_PUBLISH_JSON_OUT_H

#include "base/buf.h"
#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

void wd_json_name(struct buf *b, const char *name);               /* what follows is its value */
void wd_json_open(struct buf *b, const char *name, char bracket); /* '{' or '[' */
void wd_json_close(struct buf *b, char bracket);                  /* '}' or ']' */
void wd_json_string(struct buf *b, const char *name, const char *text); /* NULL gives null */
void wd_json_number(struct buf *b, const char *name, double n); /* what is not finite gives null */
void wd_json_count(struct buf *b, const char *name, uint64_t n);
void wd_json_truth(struct buf *b, const char *name, bool truth);
void wd_json_null(struct buf *b, const char *name);
void wd_json_time(struct buf *b, const char *name, wd_wall t); /* RFC 3339; 0 gives null */
/* "…", with base and path joined: a URL. */
void wd_json_url(struct buf *b, const char *name, const char *base, const char *path,
		 const char *id);

#endif
