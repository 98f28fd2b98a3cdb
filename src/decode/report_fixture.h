/* SPDX-License-Identifier: Apache-2.0 */
/* report_fixture: a small catalogue for tests and fuzzing: x (X, Twitter; surfaces app and
 * website; problems login and not-loading) and barclays (Barclays; no surface, no problem). */
#ifndef WD_DECODE_REPORT_FIXTURE_H
#define WD_DECODE_REPORT_FIXTURE_H

#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>

struct catalogue *fixture_catalogue(void); /* the caller releases it */

/* Reads the body as JSON and looks with jansson whether that is what it says: refused as no flat
 * JSON object if and only if jansson says so, and good texts to the byte. True if it was good. */
bool fixture_agrees_with_jansson(const struct catalogue *catalogue, const char *body, size_t len);

#endif
