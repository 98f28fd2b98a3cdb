/* SPDX-License-Identifier: Apache-2.0 */
#include "model/address_space.h"

#include <string.h>

bool address_space_is_silent(uint8_t first_octet)
{
	static const uint8_t silent[] = {6, 7, 11, 21, 22, 26, 28, 29, 30, 33, 55, 214, 215};

	return memchr(silent, first_octet, sizeof(silent)) != NULL;
}

bool address_space_is_reserved6(uint8_t first_octet)
{
	bool inside = first_octet >= 0xfc && first_octet <= 0xfe;

	if (first_octet >> 5 == 1) /* 2000::/3 */
		return first_octet >= 0x2d && first_octet != 0x3f;
	return first_octet != 0 && first_octet >> 1 != 1 && !inside;
}
