/* SPDX-License-Identifier: Apache-2.0 */
/* witness_list: who has sent telemetry since the program started, an exporter or an interface: each
 * has a slot, by which its records call it (struct flow) and its words are told (lane_heard). Slots
 * are given in the order of coming and never taken back; beyond WITNESSES_MAX several share one,
 * which then speaks as long as one of them does. Any thread; looking up takes no lock. */
#ifndef WD_INTAKE_WITNESS_LIST_H
#define WD_INTAKE_WITNESS_LIST_H

#include "base/err.h"
#include "decode/exporter.h"
#include "model/witness.h"

#include <stdbool.h>
#include <stdint.h>

#define WITNESS_NONE UINT32_MAX

struct witness_list;

enum wd_err witness_list_open(struct witness_list **ret_list) WD_MUST_CHECK;
void witness_list_close(struct witness_list *l); /* NULL is fine */

/* Its slot; WITNESS_NONE without a list. */
uint32_t witness_list_exporter(struct witness_list *l, const struct exporter_address *address);
uint32_t witness_list_interface(struct witness_list *l, const char *name);
/* Whether it has ever told of traffic; `now`: it just did. */
bool witness_list_tells(struct witness_list *l, uint32_t slot, bool now);

/* The name of the slot's first: an address or an interface. NULL if it is free. */
const char *witness_list_name(const struct witness_list *l, uint32_t slot);

#endif
