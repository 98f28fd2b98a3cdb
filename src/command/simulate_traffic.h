/* SPDX-License-Identifier: Apache-2.0 */
/* simulate_traffic: the traffic of a scenario as packets or as the datagrams of an exporter,
 * into a capture file or to a collector on this machine. */
#ifndef WD_COMMAND_SIMULATE_TRAFFIC_H
#define WD_COMMAND_SIMULATE_TRAFFIC_H

#include "base/units.h"
#include "intake/scenario.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum traffic_format { TRAFFIC_NONE, TRAFFIC_PACKETS, TRAFFIC_EXPORTS };

struct traffic_job {
	const struct scenario *scenario;
	uint64_t seed;
	wd_span shift;      /* added to every time */
	enum traffic_format format;
	int export_format;  /* enum export_format */
	uint32_t sampling;  /* 1:N of the packets */
	wd_span timeout;    /* of a flow */
	double speed;       /* 0 = at once */
	FILE *out;          /* NULL: to the collector */
	const char *out_path, *labels_path, *collector; /* the last two may be NULL */
};

/* "pcap", "netflow5", "netflow9", "ipfix", "sflow"; false if it is none of them. */
bool traffic_format_read(const char *text, struct traffic_job *job);
/* False after saying why on standard error. */
bool traffic_write(const struct traffic_job *job);

#endif
