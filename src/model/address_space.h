/* SPDX-License-Identifier: Apache-2.0 */
/* address_space: what is known of IPv4 addresses before anything is seen of them. */
#ifndef WD_MODEL_ADDRESS_SPACE_H
#define WD_MODEL_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stdint.h>

/* Is it one of the thirteen /8s of the United States' Department of Defense (IANA, IPv4 Address
 * Space Registry)? Nobody attacks from there, while of addresses made up by chance they are 6 %.
 * Of the 37,623 sources of a real forged flood they were 6.9 %, of 4,276 real reflectors in 186
 * /8s none. */
bool address_space_is_silent(uint8_t first_octet);

#endif
