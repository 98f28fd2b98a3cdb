/* SPDX-License-Identifier: Apache-2.0 */
/* ndjson_reference: the same as ndjson_read, by jansson: slow, and written another way.
 * For tests, fuzzing and the bench only. */
#ifndef WD_DECODE_NDJSON_REFERENCE_H
#define WD_DECODE_NDJSON_REFERENCE_H

#include "decode/ndjson.h"

#include <jansson.h>

#include <stdbool.h>

/* The strings of *ret_ndjson belong to *ret_json, which the caller drops with json_decref.
 * False if the line is refused. */
bool ndjson_reference_read(const char *line, size_t len, struct ndjson *ret_ndjson,
			   json_t **ret_json);

/* Reads the line both ways and aborts unless they agree on whether it is accepted and, if so, on
 * every field. Returns whether it was accepted. Lines with numbers of more than 18 digits are left
 * out: jansson refuses integers beyond 64 bits, which JSON allows. */
bool ndjson_reference_agrees(const char *line, size_t len);

#endif
