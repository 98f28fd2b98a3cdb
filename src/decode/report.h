/* SPDX-License-Identifier: Apache-2.0 */
/* report: the body of POST /api/v1/reports → an observation of kind report. The body is JSON
 * (a flat object; jansson reads only those that are not good, to say why) or an HTML form
 * (application/x-www-form-urlencoded); both have the same fields:
 *   service  id, name or alias of a service; the only one that must be there
 *   surface, problem  ids, or names, of that service's surfaces and kinds of problem
 *   comment  text of up to 500 bytes, held for moderation
 *   country, region, city  where, in the reporter's words; country is two letters,
 *           in any case, of a country that there is (model/country.h)
 *   at       when it happened; feeders only
 * An empty field, and null in JSON, is as good as none. A field that JSON names and we do not
 * know is an error; in a form it is left alone, since browsers add their own. Pure. */
#ifndef WD_DECODE_REPORT_H
#define WD_DECODE_REPORT_H

#include "base/err.h"
#include "model/observation.h"
#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	REPORT_BODY_MAX = 8192, /* bytes */
	REPORT_ERRORS_MAX = 8,
	REPORT_DETAIL_MAX = 1600, /* room for every problem of a service */
};

enum report_form { REPORT_JSON, REPORT_HTML_FORM };

struct report_source {
	enum report_form form;
	const char *body; /* up to REPORT_BODY_MAX bytes, or it is refused */
	size_t len;
	const struct catalogue *catalogue;
	bool from_feeder;
};

/* What is wrong with a field, and what would be right. */
struct report_error {
	const char *field; /* "surface", …; "" = the body as a whole */
	char detail[REPORT_DETAIL_MAX];
};

struct report_errors { size_t count; struct report_error items[REPORT_ERRORS_MAX]; };

struct report {
	/* Sound but for `at`, which is 0 if the body has none. Its strings are the catalogue's
	 * or stand in text, so a report is not to be copied. */
	struct observation observation;
	char text[REPORT_BODY_MAX + 1];
};

/* WD_MALFORMED: the body is no flat JSON object or form. WD_UNKNOWN: it is, but fields are
 * wrong. Then *ret_errors has at least one item, and *ret_report is of no use. */
enum wd_err report_read(const struct report_source *source, struct report *ret_report,
			struct report_errors *ret_errors) WD_MUST_CHECK;

#endif
