/* SPDX-License-Identifier: Apache-2.0 */
/* country: what people call the country of a code, on pages. Data keep the
 * code (ISO 3166-1 alpha-2). */
#ifndef WD_PUBLISH_COUNTRY_H
#define WD_PUBLISH_COUNTRY_H

/* The code itself where there is no such country. */
const char *country_name(const char *code);

#endif
