/* SPDX-License-Identifier: Apache-2.0 */
/* intake_testing: what the tests of this folder share. Failures abort. */
#ifndef WD_INTAKE_INTAKE_TESTING_H
#define WD_INTAKE_INTAKE_TESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A fresh empty folder; removed, with what is in it, by testing_folder_remove. */
char *testing_folder(void);
void testing_folder_remove(char *folder);
/* Whether any file of the folder has these bytes in it. */
bool testing_folder_holds(const char *folder, const void *bytes, size_t len);

/* "203.0.113.7" or "2001:db8::1" as 16 bytes, IPv4 mapped. */
void testing_address(const char *text, uint8_t ret_address[16]);

/* Writes a MaxMind DB file of a few IPv6 (or mapped IPv4) prefixes. Each has its own map,
 * given as text: `key=text` and `key=#number` pairs with `;` between, keys nested by dots
 * ("city.names.en=London"); a number in a path is an array of one ("subdivisions.0.x=y"). */
struct testing_prefix { const char *address; unsigned bits; const char *map; };
void testing_mmdb(const char *path, const struct testing_prefix *prefixes, size_t count);

#endif
