/* SPDX-License-Identifier: Apache-2.0 */
/* exporters: who sends telemetry and how well that goes, for the operator: plain values in, JSON
 * out. They hold addresses of the operator's network, so nobody else is shown them. */
#ifndef WD_PUBLISH_EXPORTERS_H
#define WD_PUBLISH_EXPORTERS_H

#include "base/buf.h"
#include "base/units.h"
#include "model/witness.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPORTERS_ROWS_MAX = 256, EXPORTERS_REFUSED_MAX = 64 };

/* What is counted of each; the names are those of struct export_counts (decode/export.h). */
#define EXPORTER_COUNTS(X)                                                                        \
	X(datagrams) X(bytes) X(flows) X(records) X(records_not_flows) X(malformed) X(lost)       \
	X(late) X(restarts) X(templates_changed) X(templates_refused) X(held) X(held_dropped)     \
	X(sampling_unknown)

/* As in struct flow. family 0 = not told. */
struct exporters_address { uint8_t bytes[16], family; };

/* Of NetFlow and IPFIX: one a source id (engine, observation domain) of an address. */
struct exporter_row {
	struct exporters_address address;
	uint16_t version; /* 5, 9, 10 */
	uint32_t source_id, templates, sampling;
	wd_wall seen;
	wd_span skew; /* its clock less ours */
#define EXPORTER_COUNT(name) uint64_t name;
	EXPORTER_COUNTS(EXPORTER_COUNT)
#undef EXPORTER_COUNT
};

/* Of sFlow: one a data source of an agent. */
struct sflow_row {
	struct exporters_address sender, agent;
	uint32_t sub_agent, type, index, sampling;
	wd_wall seen;
	uint64_t samples, lost, pool, drops, discards_in, discards_out;
};

/* Who sends and may not: what telemetry.exporters leaves out. */
struct refused_row { struct exporters_address address; uint64_t datagrams; wd_wall seen; };

struct exporters {
	wd_wall now;
	uint32_t receive_buffer_bytes; /* granted */
	uint64_t kernel_drops, refused_datagrams;
	size_t count, sflow_count, refused_count, sender_count;
	struct exporter_row rows[EXPORTERS_ROWS_MAX];
	struct sflow_row sflow[EXPORTERS_ROWS_MAX];
	struct refused_row refused[EXPORTERS_REFUSED_MAX];
	struct witness_state senders[WITNESSES_MAX]; /* and interfaces: who tells of traffic */
};

/* "192.0.2.1"; "" if it is not told. */
void exporters_address_text(const struct exporters_address *a, char dst[46]);
void exporters_json(struct buf *b, const struct exporters *e);

#endif
