/* SPDX-License-Identifier: Apache-2.0 */
/* token: bearer tokens as hashes. They are long and random, so one round of BLAKE2b is
 * enough; a stolen core file does not hold them. token_is stands in config.h. */
#ifndef WD_CONFIG_TOKEN_H
#define WD_CONFIG_TOKEN_H

#include "config/config.h"

void token_make(struct token *token, const char *text, size_t len);

#endif
