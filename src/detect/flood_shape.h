/* SPDX-License-Identifier: Apache-2.0 */
/* flood_shape: what the weighted sample of a tick says of one class: how many sources and
 * targets carry it, whether all packets are of one size or came one way, whether it is a scan.
 * Shares are of packets; a share of n records is uncertain by 1 / sqrt(n). */
#ifndef WD_DETECT_FLOOD_SHAPE_H
#define WD_DETECT_FLOOD_SHAPE_H

#include "model/vector.h"
#include "tally/traffic.h"

#include <stdbool.h>
#include <stdint.h>

struct flood_shape {
	uint32_t records;     /* of the class in the sample */
	float sources;        /* effective number: 1 / sum of squared shares, at most about 200 */
	float top_source;     /* share of the heaviest one */
	float targets, top_target;
	float one_size;       /* share of the commonest size */
	float one_hop;        /* share of the two commonest TTLs; < 0 not known */
	float top_size;       /* bytes, mean of the heaviest source */
	float top_closes;     /* packets of the heaviest source that end a TCP connection */
	float top_port;       /* share of the commonest target port */
	float ports;          /* effective number of them */
	bool has_ports;       /* TCP or UDP */
	bool packets;         /* all of them, no flows */
	uint32_t pairs;       /* records of a source that was in the sample already, */
	float same_talk;      /* share of them between ports of its last ones: conversations */
	bool top_roams;       /* it goes to many ports or addresses, */
	bool top_scan;        /* and that from few ports */
};

struct flood_plan;
void flood_shape_of(const struct traffic_tick *t, uint8_t class, struct flood_shape *ret);
/* The same of what nobody answers, of those that were watched (tally/talk.h). */
void flood_shape_alone(const struct traffic_tick *t, uint8_t class, struct flood_shape *ret);
/* Share of the class's records whose payload begins as an answer of third parties does; `own`: as
 * one of the class's own. */
float flood_shape_marked(const struct traffic_tick *t, const struct flood_plan *plan,
			 uint8_t class, bool own);
/* The targets of several classes together (bit c of classes[c / 64]). */
void flood_shape_targets(const struct traffic_tick *t, const uint64_t classes[2],
			 struct flood_shape *ret);
/* What of TCP inbound ends connections (FIN or RST), by the sample. */
struct flood_ends {
	double packets;
	double connections; /* the same where a record summed up of many packets ends one */
};
struct flood_ends flood_shape_ends(const struct traffic_tick *t);

#endif
