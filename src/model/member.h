/* SPDX-License-Identifier: Apache-2.0 */
/* member: the members of a JSON object, as the forms of this folder write and read them. Writers
 * put no comma. Readers go on after a mistake, and the last one sticks: it is judged once. */
#ifndef WD_MODEL_MEMBER_H
#define WD_MODEL_MEMBER_H

#include "base/buf.h"
#include "base/units.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

void member_put_time(struct buf *b, const char *name, wd_wall t); /* RFC 3339; 0 gives null */
/* The fewest digits that read back as x; what is not finite gives 0. */
void member_put_number(struct buf *b, const char *name, float x);
void member_put_double(struct buf *b, const char *name, double x);
void member_put_text(struct buf *b, const char *name, const char *text);

struct members { const char *wrong; };

/* Missing and null are 0. */
void member_get_time(struct members *r, const json_t *o, const char *name, wd_wall *ret_t);
/* Must be there, within ±1e30. */
float member_get_number(struct members *r, const json_t *o, const char *name);
double member_get_double(struct members *r, const json_t *o, const char *name);
/* A whole number up to 2^32 - 1; missing is 0. */
uint32_t member_get_count(struct members *r, const json_t *o, const char *name);
/* Must be there and fit. */
void member_get_text(struct members *r, const json_t *o, const char *name, char *dst,
		     size_t dst_size);
/* The index of a word in a table of words. */
unsigned member_get_word(struct members *r, const json_t *o, const char *name,
			 const char *const *words, size_t count);
/* The length of a list of at most `max`; a longer one is wrong, and none is 0. */
size_t member_get_list(struct members *r, const json_t *list, size_t max);

#endif
