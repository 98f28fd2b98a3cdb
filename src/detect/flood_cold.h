/* SPDX-License-Identifier: Apache-2.0 */
/* flood_cold: what floods even where nothing is known of the usual traffic: a service watched
 * for less than ten minutes, or a recording that begins with the attack. Not statistics but
 * rules, each "well above the floors, and of a shape that usual traffic does not have":
 *
 * answers  nobody asked for, above a megabit/s and large, or above the packet floor, from many,
 *          or all to one port of ours; from few at four floors, of one size or large, or from
 *          eight if no service asks for such all the time; of ports
 *          over which much is fetched (QUIC, games): only from many, and as parts of
 *          conversations only where half are what amplifies (QUIC's handshakes); and half of a
 *          class that begin as answers do (vector_mark), from thirty sources, above the packet
 *          floor, where nothing was asked for;
 * opening  connections above the floor from many sources, of which few are closed again, or that
 *          all came over the same distance; from few sources only for longer and if no scan;
 * endings  more than two for each connection that was opened, one for each that the service
 *          opened, and a third of TCP;
 * stray    TCP packets above the floor from many sources, or equal ones; flags that no system
 *          sends are one kind, whichever they are;
 * datagrams two to three times above a floor without conversations, and equal in size, not
 *          answered, or from many sources; ten times, one way, equal in size or from many,
 *          or to all ports; of what is answered in part, that part is set aside;
 *          twenty times equal ones of one conversation, five of many to one port;
 * trouble  (ICMP, protocols that no service uses) twice above the floor; tunnels from many;
 * streams  without conversations, openings and ends, not answered; five times above the packet
 *          floor, of one size, from many sources, over the same distance, or too small to carry
 *          anything and not answered where answers are seen; equal data from thirty sources that
 *          does not fill its packets and is not even acknowledged;
 * alone     of streams beside others, whatever they are: what many send that nobody answers, three
 *           halves of the floor, where both ways of what talks beside it are seen (tally/talk.h);
 * fragments twice above the floor from many, five times from three, more than half of what is not
 *          TCP.
 *
 * A conversation: packets of one source between the same two ports, one after the other. Who makes
 * up packets makes up their ports as well, mostly. Nobody talks to port 0 or 0.0.0.0. */
#ifndef WD_DETECT_FLOOD_COLD_H
#define WD_DETECT_FLOOD_COLD_H

#include "detect/flood.h"

#include <stdbool.h>

struct flood_cold {
	const struct traffic_tick *tick;
	const struct flood_talk *talk;
	uint8_t class;
	float packets, bytes; /* of the class, a tick: less what was asked for */
	float seen;           /* packets looked at within about a second */
	float packets_mean, bytes_mean; /* of about a second; fragments included for answers */
	float tcp, all;       /* TCP packets; packets, a tick */
	float fragments;      /* later ones, of an answer's class: may be its */
	float syn;            /* packets that open connections, a tick */
	float syn_out;        /* the same of the service */
	float out;            /* of the class's answers, a tick */
	float usual;          /* packets of the class; of a moment ago, a tick */
	float out_more;       /* packets that the service sends, above those of a moment ago */
	float scale;          /* a tick over this tick's width */
	bool out_seen;        /* the service's other direction is visible at all */
	bool first;           /* nothing was seen before: a recording may be as short as this */
};

enum flood_cold_verdict {
	FLOOD_COLD_NO,
	FLOOD_COLD_HIT,   /* counts towards sustained */
	FLOOD_COLD_ALONE, /* the same, of what nobody answers alone */
	FLOOD_COLD_OVER,  /* one tick is enough */
};

struct flood_shape;
/* Do `packets` a tick of opened connections look like a scan by the heaviest source, not so
 * heavy that its reason would not matter? */
bool flood_cold_scans(const struct flood_plan *plan, const struct flood_shape *shape,
		      float packets);

enum flood_cold_verdict flood_cold_judge(const struct flood_plan *plan,
					 const struct flood_cold *c);

#endif
