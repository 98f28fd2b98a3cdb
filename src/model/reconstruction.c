/* SPDX-License-Identifier: Apache-2.0 */
#include "model/reconstruction.h"

#include <string.h>

const struct reconstruction *reconstruction_find(const struct reconstructions *all,
						 const char *scenario)
{
	for (size_t i = 0; all != NULL && scenario[0] != '\0' && i < all->count; i++) {
		if (strcmp(all->items[i].scenario, scenario) == 0)
			return &all->items[i];
	}
	return NULL;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool reconstruction_url_is_sound(const char *url, size_t len)
{
	size_t at = 0;

	if (len > RECONSTRUCTION_URL_MAX)
		return false;
	if (len > 8 && memcmp(url, "https://", 8) == 0)
		at = 8;
	else if (len > 7 && memcmp(url, "http://", 7) == 0)
		at = 7;
	if (at == 0 || !is_alphanumeric(url[at]))
		return false;
	for (size_t i = at; i < len; i++) {
		/* What RFC 3986 lets no URL hold (2.2 to 2.4), and the @ that hides a host. */
		if (url[i] <= ' ' || url[i] > '~' || strchr("\"<>\\^`{|}@", url[i]) != NULL)
			return false;
	}
	return true;
}
