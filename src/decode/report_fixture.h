/* SPDX-License-Identifier: Apache-2.0 */
/* report_fixture: a small catalogue for tests and fuzzing: x (X, Twitter; surfaces app and
 * website; problems login and not-loading) and barclays (Barclays; no surface, no problem). */
#ifndef WD_DECODE_REPORT_FIXTURE_H
#define WD_DECODE_REPORT_FIXTURE_H

#include "model/service.h"

struct catalogue *fixture_catalogue(void); /* the caller releases it */

#endif
