/* SPDX-License-Identifier: Apache-2.0 */
/* config_verified: a configuration that a server will take: all that config_load checks, and what
 * only other folders know the form of (formats of access logs). */
#ifndef WD_COMMAND_CONFIG_VERIFIED_H
#define WD_COMMAND_CONFIG_VERIFIED_H

#include "config/config.h"

/* As config_load. */
enum wd_err config_load_verified(const char *file, struct config **ret_config,
				 struct problems *problems) WD_MUST_CHECK;

#endif
