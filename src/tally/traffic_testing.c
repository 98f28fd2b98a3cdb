/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/traffic_testing.h"

#include <arpa/inet.h>
#include <string.h>

void testing_classes(struct vector_classes *c)
{
	memset(c, 0, sizeof(*c));
	port_class_fill(&c->udp_to, TESTING_UDP);
	port_class_set(&c->udp_from, 53, TESTING_DNS_FROM);
	port_class_set(&c->udp_to, 53, TESTING_DNS_TO);
	port_class_set(&c->udp_from, 123, TESTING_NTP_FROM);
	memset(c->tcp, TESTING_ACK, sizeof(c->tcp));
	c->tcp[FLOW_TCP_SYN] = TESTING_SYN;
	c->tcp[FLOW_TCP_SYN | FLOW_TCP_ACK] = TESTING_SYN_ACK;
	c->icmp4[8] = c->icmp6[128] = TESTING_ECHO;
	c->icmp4[0] = c->icmp6[129] = TESTING_ECHO_REPLY;
	c->fragment = TESTING_FRAGMENT;
	c->count = TESTING_CLASSES;
}

struct flow testing_flow(struct prng *r, uint8_t family, const void *src, const void *dst)
{
	static const uint8_t protocols[] = {6, 6, 6, 6, 17, 17, 17, 1, 47};
	static const uint16_t ports[] = {53, 123, 80, 443};
	static const uint8_t flags[] = {FLOW_TCP_SYN, FLOW_TCP_SYN | FLOW_TCP_ACK, FLOW_TCP_ACK,
					FLOW_TCP_ACK | FLOW_TCP_PSH, FLOW_TCP_RST};
	struct flow f = {.family = family, .sampling = 1, .known = FLOW_FLAGS};
	size_t len = family == 4 ? 4 : 16;

	memcpy(f.src, src, len);
	memcpy(f.dst, dst, len);
	f.packets = 1 + prng_below(r, 8);
	if (prng_below(r, 50) == 0)
		f.packets = 1 + prng_below(r, 5000);
	f.bytes = f.packets * (40 + prng_below(r, 1400));
	f.protocol = protocols[prng_below(r, sizeof(protocols))];
	if (f.protocol == 1 && family == 6)
		f.protocol = 58;
	if (f.protocol == 6 || f.protocol == 17) {
		f.sport = prng_below(r, 3) ? (uint16_t)prng_u64(r) : ports[prng_below(r, 4)];
		f.dport = prng_below(r, 3) ? ports[prng_below(r, 4)] : (uint16_t)prng_u64(r);
	} else if (f.protocol == 1) {
		f.dport = prng_below(r, 2) ? 8 << 8 : 0;
	} else if (f.protocol == 58) {
		f.dport = (uint16_t)((128 + prng_below(r, 2)) << 8);
	}
	if (f.protocol == 6)
		f.tcp_flags = flags[prng_below(r, sizeof(flags))];
	return f;
}

struct flow testing_flow4(struct prng *r, uint32_t src, uint32_t dst)
{
	src = htonl(src);
	dst = htonl(dst);
	return testing_flow(r, 4, &src, &dst);
}
