/* SPDX-License-Identifier: Apache-2.0 */
/* log_hosts: whose requests they are, by the host that they name. */
#ifndef WD_COMMAND_LOG_HOSTS_H
#define WD_COMMAND_LOG_HOSTS_H

#include "model/request.h"
#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>

struct log_host { const char *name, *service; }; /* borrowed from the catalogue */
struct log_hosts { struct log_host *rows; size_t count; }; /* all 0: nobody's */

/* In place of what there was; the catalogue outlives it. False, and nothing changed, if memory ran
 * out. */
bool log_hosts_take(struct log_hosts *h, const struct catalogue *c);
void log_hosts_done(struct log_hosts *h);
/* The service's id; NULL: nobody's. A port and capitals in the host's name do not matter. */
const char *log_hosts_service(const struct log_hosts *h, const struct text_span *host);

#endif
