/* SPDX-License-Identifier: Apache-2.0 */
/* export_write: flows -> the datagrams of an exporter, NetFlow v5 and v9, IPFIX or sFlow v5:
 * decode/export and decode/sflow the other way round, for simulations, tests and benchmarks.
 *
 * Templates (and the sampling, as an option) go out with the first datagram, and again every
 * EXPORT_WRITE_REFRESH datagrams. A datagram goes out when it is full or flushed. NetFlow v5
 * has no IPv6: such flows are counted as skipped. sFlow takes packets (packets = 1), and
 * writes the first EXPORT_WRITE_HEADER bytes of each. Sources: Cisco "NetFlow Export Datagram
 * Format", RFC 3954, RFC 7011, sflow.org "sFlow Version 5". */
#ifndef WD_INTAKE_EXPORT_WRITE_H
#define WD_INTAKE_EXPORT_WRITE_H

#include "base/units.h"
#include "model/flow.h"

#include <stddef.h>
#include <stdint.h>

enum export_format { EXPORT_NETFLOW5, EXPORT_NETFLOW9, EXPORT_IPFIX, EXPORT_SFLOW };

enum {
	EXPORT_WRITE_MAX = 1464,     /* bytes of one datagram: a frame of 1500 with IPv4 and UDP */
	EXPORT_WRITE_REFRESH = 200,
	EXPORT_WRITE_HEADER = 128,
};

struct export_writer {
	enum export_format format;
	uint32_t sampling;      /* 1:N, as the exporter tells it */
	uint32_t domain;        /* observation domain, engine or sub-agent */
	wd_wall boot;           /* what its uptime counts from */
	void (*send)(void *ctx, const uint8_t *datagram, size_t len, wd_wall at);
	void *ctx;
	/* counted */
	uint64_t datagrams, records, skipped;
	/* The writer's own business: */
	uint32_t sequence, samples, pool;
	uint32_t count;    /* records of this datagram, … */
	size_t len4, len6; /* … and their bytes by family; sFlow and v5 use the first */
	uint8_t records4[EXPORT_WRITE_MAX], records6[EXPORT_WRITE_MAX];
};

/* sampling at least 1; `send` gets each datagram. */
void export_writer_init(struct export_writer *w, enum export_format format, uint32_t sampling,
			wd_wall boot,
			void (*send)(void *ctx, const uint8_t *datagram, size_t len, wd_wall at),
			void *ctx);
/* `f` as the exporter saw it: packets and bytes before the sampling is undone. */
void export_writer_add(struct export_writer *w, const struct flow *f, wd_wall at);
void export_writer_flush(struct export_writer *w, wd_wall at);

/* "netflow5", "netflow9", "ipfix", "sflow" */
const char *export_format_name(enum export_format format);

#endif
