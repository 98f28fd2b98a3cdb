/* SPDX-License-Identifier: Apache-2.0 */
/* The plan: floors, and what each class can be in the life of a service. */
#include "detect/flood.h"

#include <string.h>

static const double tick_s = 0.25;

enum { SYN = FLOW_TCP_SYN, ACK = FLOW_TCP_ACK, RST = FLOW_TCP_RST, FIN = FLOW_TCP_FIN };

static enum flood_nature tcp_nature(unsigned flags)
{
	if (flags == 0) /* also what exporters send that do not know the flags */
		return FLOOD_STREAM;
	if ((flags & SYN) && !(flags & (ACK | RST | FIN)))
		return FLOOD_SYN;
	if ((flags & ACK) && !(flags & (SYN | RST)))
		return FLOOD_STREAM;
	/* A summed-up flow has the flags of all its packets. */
	if ((flags & (SYN | ACK)) == (SYN | ACK) && (flags & (FIN | FLOW_TCP_PSH)))
		return FLOOD_STREAM;
	return FLOOD_STRAY;
}

/* A class may hold several kinds of flags: data outweighs the rest, then opening. */
static void tcp_natures(struct flood_plan *plan, const struct vector_classes *classes)
{
	for (int flags = 0; flags < 256; flags++) {
		uint8_t class = classes->tcp[flags] % VECTOR_CLASSES_MAX;
		enum flood_nature nature = tcp_nature((unsigned)flags), had = plan->nature[class];

		if (had == FLOOD_DATAGRAM || nature == FLOOD_STREAM ||
		    (nature == FLOOD_SYN && had != FLOOD_STREAM))
			plan->nature[class] = (uint8_t)nature;
	}
}

static const struct { char id[VECTOR_ID_MAX + 1]; enum flood_habit habit; } habits[] = {
	{"dns.query", FLOOD_REQUEST},  {"snmp.request", FLOOD_REQUEST},
	{"ldap.request", FLOOD_REQUEST}, {"memcached.request", FLOOD_REQUEST},
	{"ssdp.request", FLOOD_REQUEST}, {"syslog.flood", FLOOD_REQUEST},
	{"ntp.request", FLOOD_EQUAL},
	{"amp.quic", FLOOD_BULK},      {"amp.openvpn", FLOOD_BULK},   {"amp.ike", FLOOD_BULK},
	{"amp.stun", FLOOD_BULK},      {"amp.rdp", FLOOD_BULK},       {"amp.steam", FLOOD_BULK},
	{"amp.bittorrent", FLOOD_BULK}, {"amp.quake3", FLOOD_BULK},   {"amp.fivem", FLOOD_BULK},
	{"amp.steamremote", FLOOD_BULK}, {"amp.ts3", FLOOD_BULK},
	{"amp.l2tp", FLOOD_BULK},
	{"amp.dns", FLOOD_ASKED},      {"amp.ntp", FLOOD_ASKED},      {"amp.snmp", FLOOD_ASKED},
	{"amp.sip", FLOOD_ASKED},      {"amp.rare", FLOOD_ASKED},
	{"tcp.synack", FLOOD_ASKED},   {"icmp.reply", FLOOD_ASKED},
	{"gre", FLOOD_TUNNEL},         {"ipip", FLOOD_TUNNEL},       {"esp", FLOOD_TUNNEL},
	{"igmp", FLOOD_TROUBLE},       {"icmp.echo", FLOOD_TROUBLE},
	{"icmp.unreachable", FLOOD_TROUBLE}, {"icmp.exceeded", FLOOD_TROUBLE},
	{"icmp.other", FLOOD_TROUBLE}, {"proto.other", FLOOD_TROUBLE},
	{"tcp.rst", FLOOD_END},        {"tcp.fin", FLOOD_END},
	{"tcp.xmas", FLOOD_NEVER},     {"tcp.urg", FLOOD_NEVER},
	{"tcp.synfin", FLOOD_NEVER},   {"tcp.odd", FLOOD_NEVER},
};

static void habits_of(struct flood_plan *plan, const struct vector_classes *classes)
{
	for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
		uint8_t class = vector_class_find(classes, habits[i].id);
		if (class == 0)
			continue;
		plan->habit[class] = (uint8_t)habits[i].habit;
		if (habits[i].habit == FLOOD_NEVER) /* even with ACK, too */
			plan->nature[class] = FLOOD_STRAY;
	}
}

static struct flood_meter_plan meter_plan(double first, double second)
{
	return (struct flood_meter_plan){
		.floor = {(float)(first * tick_s), (float)(second * tick_s)},
		.calibrate = {.above = 2, .scale_prior = 0.5F, .scale_min = 0.4343F,
			      .log10_rate_prior = -2, .unseen = 0.5F},
	};
}

void flood_plan_floors(struct flood_plan *plan, double packets_per_s, double bits_per_s)
{
	plan->packets_floor = packets_per_s;
	plan->bits_floor = bits_per_s;
	plan->meter = meter_plan(packets_per_s, bits_per_s / 8);
	plan->meter_other = meter_plan(plan->records_floor, plan->sources_floor);
}

void flood_plan_init(struct flood_plan *plan, const struct vector_classes *classes)
{
	*plan = (struct flood_plan){
		.records_floor = 1000,
		.sources_floor = 2000,
		.answers_bits_floor = 1e6,
		.seen_min = 30,
		.cold = 2400,           /* 10 minutes */
		.calm_min = 480,        /* 2 minutes */
		.frozen_max = 4 * 86400,
		.join_max = 480,
		.fragment_class = classes->fragment % VECTOR_CLASSES_MAX,
		.syn_class = classes->tcp[SYN] % VECTOR_CLASSES_MAX,
		.synack_class = classes->tcp[SYN | ACK] % VECTOR_CLASSES_MAX,
		.stream_class = classes->tcp[ACK] % VECTOR_CLASSES_MAX,
		.null_class = vector_class_find(classes, "tcp.null"),
		.class_count = classes->count <= VECTOR_CLASSES_MAX ? classes->count
								    : VECTOR_CLASSES_MAX,
	};
	flood_plan_floors(plan, 1000, 10e6);
	tcp_natures(plan, classes);
	habits_of(plan, classes);
	for (int i = 0; i < VECTOR_CLASSES_MAX; i++)
		if (classes->status[i] == SOURCE_REFLECTOR)
			plan->nature[i] = FLOOD_ANSWER;
	plan->mark_count = classes->mark_count <= VECTOR_MARKS_MAX ? classes->mark_count
								    : VECTOR_MARKS_MAX;
	memcpy(plan->marks, classes->marks, sizeof(plan->marks));
	plan->query_class = vector_class_find(classes, "dns.query");
	if (plan->fragment_class != 0)
		plan->nature[plan->fragment_class] = FLOOD_FRAGMENT;
}
