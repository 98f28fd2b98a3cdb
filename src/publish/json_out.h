/* SPDX-License-Identifier: Apache-2.0 */
/* json_out: JSON, member by member. A comma is put where one is due; in a list the name is NULL. */
#ifndef WD_PUBLISH_JSON_OUT_H
#define WD_PUBLISH_JSON_OUT_H

#include "base/buf.h"
#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

void json_name(struct buf *b, const char *name);                     /* what follows is its value */
void json_open(struct buf *b, const char *name, char bracket);       /* '{' or '[' */
void json_close(struct buf *b, char bracket);                        /* '}' or ']' */
void json_string(struct buf *b, const char *name, const char *text); /* NULL gives null */
void json_number(struct buf *b, const char *name, double n); /* what is not finite gives null */
void json_count(struct buf *b, const char *name, uint64_t n);
void json_truth(struct buf *b, const char *name, bool truth);
void json_null(struct buf *b, const char *name);
void json_time(struct buf *b, const char *name, wd_wall t); /* RFC 3339; 0 gives null */
/* "…", with base and path joined: a URL. */
void json_url(struct buf *b, const char *name, const char *base, const char *path, const char *id);

#endif
