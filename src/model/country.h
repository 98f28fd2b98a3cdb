/* SPDX-License-Identifier: Apache-2.0 */
/* country: the codes of countries (ISO 3166-1 alpha-2, in capitals, and the few others that files
 * of addresses give out) and what people call them. Data keep the code. What somebody sends must
 * name one that is known; what is in a journal or a recording stays as it is. */
#ifndef WD_MODEL_COUNTRY_H
#define WD_MODEL_COUNTRY_H

#include <stdbool.h>

bool country_is_known(const char *code);

/* The code itself where there is no such country. */
const char *country_name(const char *code);

#endif
