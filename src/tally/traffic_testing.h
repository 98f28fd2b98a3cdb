/* SPDX-License-Identifier: Apache-2.0 */
/* traffic_testing: made-up flows and classes for tests and benchmarks of the tallies. */
#ifndef WD_TALLY_TRAFFIC_TESTING_H
#define WD_TALLY_TRAFFIC_TESTING_H

#include "base/prng.h"
#include "tally/traffic.h"

enum {
	TESTING_OTHER,
	TESTING_DNS_FROM, /* udp from 53 */
	TESTING_DNS_TO,   /* udp to 53 */
	TESTING_NTP_FROM,
	TESTING_UDP,
	TESTING_SYN,
	TESTING_SYN_ACK,
	TESTING_ACK,
	TESTING_ECHO,
	TESTING_ECHO_REPLY,
	TESTING_FRAGMENT,
	TESTING_CLASSES,
};

void testing_classes(struct vector_classes *ret_classes);
/* Of one of a few protocols and ports, with random sizes; from and to family and addresses
 * as given (4 or 16 bytes). */
struct flow testing_flow(struct prng *r, uint8_t family, const void *src, const void *dst);
/* An IPv4 one. */
struct flow testing_flow4(struct prng *r, uint32_t src, uint32_t dst);

#endif
