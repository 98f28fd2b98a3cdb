/* SPDX-License-Identifier: Apache-2.0 */
/* replay_targets: whose is the traffic of a recording? What the configuration says, what
 * `--service ID=PREFIX[,PREFIX]` says; and where neither says anything, the addresses that
 * most of the packets of the recordings went to. */
#ifndef WD_COMMAND_REPLAY_TARGETS_H
#define WD_COMMAND_REPLAY_TARGETS_H

#include "base/err.h"
#include "model/flow.h"
#include "model/service.h"
#include "tally/prefix.h"

#include <stdbool.h>
#include <stddef.h>

struct targets;

enum { TARGETS_ADOPTED_MAX = 32 };

enum wd_err targets_open(struct targets **ret_targets) WD_MUST_CHECK;
void targets_close(struct targets *t); /* NULL is fine */

/* False if memory ran out. */
bool targets_add_catalogue(struct targets *t, const struct catalogue *c);
/* "shop=192.0.2.0/24,2001:db8::/32"; *ret_what says what is wrong. */
bool targets_add_option(struct targets *t, const char *text, const char **ret_what);
bool targets_any(const struct targets *t);

/* Where nothing was said: all flows are shown first, then targets_adopt decides.
 *
 * Packets are counted by the /24 (IPv4) or /48 (IPv6) that they go to and come from. Each that
 * received a tenth of all packets or more is a service, unless it sent more than twice as much
 * as it received; named after itself, or after its one address that got nine tenths of it. If
 * there is none, or several of them are neighbours, nets of 4 (8) bits less are looked at, down to
 * /16 (/32); at last it is the one that received the most. */
void targets_see(struct targets *t, const struct flow *flows, size_t count);
/* Does any of what was shown receive a tenth? If not, another look at it may help: */
bool targets_found(const struct targets *t);
void targets_forget(struct targets *t);
/* False if memory ran out. */
bool targets_adopt(struct targets *t);

/* To be called once, at the end; what it hands out lives as long as the targets. at = index
 * of the prefix at fault. */
enum wd_err targets_table(struct targets *t, const struct prefix_table **ret_table,
			  const char *const **ret_services, uint32_t *ret_count,
			  struct wd_why *why) WD_MUST_CHECK;

#endif
