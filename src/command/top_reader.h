/* SPDX-License-Identifier: Apache-2.0 */
/* top_reader: rounds of questions to a server, and their answers into what is shown. */
#ifndef WD_COMMAND_TOP_READER_H
#define WD_COMMAND_TOP_READER_H

#include "command/top_fetch.h"
#include "command/top_view.h"

enum top_part { TOP_NOTHING, TOP_SERVICES, TOP_NOW, TOP_TRAFFIC, TOP_TRACE };

struct top_reader {
	enum top_part part;              /* is being asked for; TOP_NOTHING between rounds */
	char service[SERVICE_ID_MAX + 1]; /* whose details this round asks for; "" = none */
};

/* A round's first question. `service`: whose details are wanted, too; "" = none. */
void top_reader_begin(struct top_reader *r, struct top_fetch *f, const char *service);
/* An answer; then the next question, if one is left. True at the round's end: d->trouble says what
 * went wrong, if anything did, and what came before it is in *d. */
bool top_reader_take(struct top_reader *r, struct top_fetch *f, const struct top_answer *a,
		     struct top_data *d);

#endif
