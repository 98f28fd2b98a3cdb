/* SPDX-License-Identifier: Apache-2.0 */
#include "model/address_space.h"

#include <string.h>

bool address_space_is_silent(uint8_t first_octet)
{
	static const uint8_t silent[] = {6, 7, 11, 21, 22, 26, 28, 29, 30, 33, 55, 214, 215};

	return memchr(silent, first_octet, sizeof(silent)) != NULL;
}
