/* SPDX-License-Identifier: Apache-2.0 */
/* client_notes: what single clients of a service did (model/client_note.h), as the public reads it
 * (network and country, never an address) and as the operator does. */
#ifndef WD_PUBLISH_CLIENT_NOTES_H
#define WD_PUBLISH_CLIENT_NOTES_H

#include "base/buf.h"
#include "publish/render.h"

/* On the service's page: a table; nothing where nothing is noted. */
void page_clients(const struct render *r);
/* "clients": a list, and "clients_more". */
void api_clients_members(const struct render *r);
/* All services', with addresses: for the operator alone. */
void client_notes_json(struct buf *b, const struct snapshot *snapshot);

#endif
