/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the JSON of a trace, or ('i' before it) of an incident: what is read can be
 * written, and is then read as the same. */
#include "model/incident.h"
#include "model/trace.h"

#include "base/buf.h"
#include "base/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write(struct buf *b, const struct trace *t, const struct incident *i)
{
	if (t != NULL)
		trace_to_json(b, t);
	else
		incident_to_json(b, i);
}

static void round_trip(const char *text, size_t len, bool incident)
{
	static struct trace trace;
	static struct incident first;
	struct buf one, two;
	enum wd_err err = incident ? incident_from_json(text, len, &first, NULL)
				   : trace_from_json(text, len, &trace, NULL);
	if (err != WD_OK)
		return;
	buf_init(&one, 1 << 22);
	buf_init(&two, 1 << 22);
	write(&one, incident ? NULL : &trace, &first);
	WD_CHECK(!one.bad);
	err = incident ? incident_from_json(one.data, one.len, &first, NULL)
		       : trace_from_json(one.data, one.len, &trace, NULL);
	WD_CHECK(err == WD_OK);
	write(&two, incident ? NULL : &trace, &first);
	WD_CHECK(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
	buf_done(&one);
	buf_done(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool incident = size > 0 && data[0] == 'i';
	if (size <= 1 << 18)
		round_trip((const char *)data + incident, size - incident, incident);
	return 0;
}
