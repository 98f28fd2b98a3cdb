/* SPDX-License-Identifier: Apache-2.0 */
/* web_mark: what one request alone shows (enum web_mark of tally/web.h). */
#ifndef WD_TALLY_WEB_MARK_H
#define WD_TALLY_WEB_MARK_H

#include "model/request.h"

#include <stdint.h>

/* `of_agent`: web_marks_of_agent. */
uint16_t web_marks_of(const struct request *r, uint16_t of_agent);
uint16_t web_marks_of_agent(struct text_span agent);

/* The name of the query's first parameter; all of it if it has no '='. A lone number that is
 * the time of the request (seconds or milliseconds, within a day) has no name: pages add it
 * against caches, and it says nothing. */
struct text_span web_key_of(const struct request *r);
/* Asks for the same again: the first or the last value of the query is the time of the request,
 * or its name is "_", as browsers' libraries have it against caches. */
bool web_is_poll(const struct request *r);
/* What programs ask for, by its path. */
bool web_is_api(struct text_span path);

#endif
