/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_addresses: which traffic and which requests are a service's: its `addresses` and
 * `hosts`, read and checked; none is two services'. Used by catalogue_read only. */
#ifndef WD_CONFIG_CATALOGUE_ADDRESSES_H
#define WD_CONFIG_CATALOGUE_ADDRESSES_H

#include "config/catalogue_collect.h"
#include "model/service.h"

#include <stdbool.h>

/* Both return false if memory ran out; mistakes are told. */
bool addresses_build(struct problems *p, const struct entry *entry, struct service *s);
/* Of a merged collection: a block or a host that stands twice is told with both places. */
bool addresses_check(struct problems *p, const struct collection *c);

#endif
