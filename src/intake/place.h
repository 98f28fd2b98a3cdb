/* SPDX-License-Identifier: Apache-2.0 */
/* place: an address → country, region, city and network, by up to three MaxMind DB files.
 * The layouts of GeoLite2 and DB-IP (nested: country.iso_code, city.names.en) and of
 * ip-location-db (flat: country_code, city, autonomous_system_number) are understood. Each
 * file may know anything; the city file is asked first, so that country and city agree.
 * Addresses are 16 bytes, IPv4 mapped (::ffff:a.b.c.d). Any thread. */
#ifndef WD_INTAKE_PLACE_H
#define WD_INTAKE_PLACE_H

#include "base/err.h"
#include "model/observation.h"

#include <stdbool.h>
#include <stdint.h>

/* Paths; NULL or "" = no such file. */
struct place_files { const char *city, *country, *network; };

struct place {
	char country[3]; /* ISO 3166-1 alpha-2; "" = not known, here and below */
	char region[OBSERVATION_PLACE_MAX + 1];
	char city[OBSERVATION_PLACE_MAX + 1];
	uint32_t network; /* AS number; 0 = not known */
};

struct places;

/* WD_OS: a file cannot be read; WD_MALFORMED: it is no MaxMind DB file. at = 0 city,
 * 1 country, 2 network. */
enum wd_err places_open(const struct place_files *files, struct places **ret_places,
			struct wd_why *why) WD_MUST_CHECK;
/* Opens other files, or newer ones of the same names, while lookups go on. On failure the
 * old ones stay in use. A file in use must be replaced by renaming, not overwritten. */
enum wd_err places_reload(struct places *p, const struct place_files *files, struct wd_why *why)
	WD_MUST_CHECK;
void places_close(struct places *p); /* NULL is fine */

/* Nothing is known of private, local and multicast addresses, whatever the files say. */
struct place places_find(struct places *p, const uint8_t address[16]);

/* Loopback, link-local, private (RFC 1918, 4193), shared (RFC 6598), multicast, unspecified. */
bool address_is_private(const uint8_t address[16]);

#endif
