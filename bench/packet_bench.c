/* SPDX-License-Identifier: Apache-2.0 */
/* packet_bench: how many packets, and samples of sFlow, a core turns into flows, from memory.
 * Prints rows for the bench table: name, unit, ours, peer's name, peer's figure, ratio. Each
 * figure is the median of ROUNDS, by our own time on the core. The packets are of 2^16
 * different sources and lie one behind the other as in a capture file. */
#include "base/check.h"
#include "base/prng.h"
#include "decode/pcap.h"
#include "decode/sflow.h"
#include "decode/traffic_fixture.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKETS = 1 << 16, BATCH = 256, PASSES = 20, ROUNDS = 5, PER_DATAGRAM = 7 };

static void row(const char *name, const char *unit, double *rates)
{
	printf("%s\t%s\t%.0f\t-\t-\t-\n", name, unit, median(rates, ROUNDS));
}

/* One frame of some kind, from a source of its own. */
static void frame_of(struct fixture *f, const char *kind, uint64_t random)
{
	bool tcp = strcmp(kind, "tcp") == 0, vlan = strcmp(kind, "vlan") == 0;
	f->len = 0;
	fixture_ethernet(f, vlan ? 0x8100 : strcmp(kind, "ipv6") == 0 ? 0x86dd : 0x0800);
	if (vlan)
		fixture_hex(f, "0007 0800");
	size_t ip = f->len;
	if (strcmp(kind, "gre") == 0) {
		fixture_ipv4(f, 47, 4 + 20 + 8 + 32, 1);
		fixture_hex(f, "0000 0800");
		ip = f->len;
	}
	if (strcmp(kind, "ipv6") == 0) {
		fixture_ipv6(f, 17, 8 + 32, 7);
		memcpy(f->bytes + ip + 16, &random, 8);
	} else {
		fixture_ipv4(f, tcp ? 6 : 17, tcp ? 24 : 8 + 32, 7);
		memcpy(f->bytes + ip + 12, &random, 4);
	}
	if (tcp) {
		fixture_tcp(f, (uint16_t)(random >> 32), 443, 2, 4);
	} else {
		fixture_udp(f, 53, (uint16_t)(random >> 32), 32);
		for (size_t i = 0; i < 4; i++)
			fixture_bytes(f, &random, 8);
	}
}

struct input { uint8_t *bytes; size_t len; };

/* "mixed" is TCP and UDP by chance. */
static struct input frames_make(const char *kind)
{
	static struct fixture f;
	struct prng r = prng_of(7, 7);
	struct input in = {malloc((size_t)PACKETS * 160 + 24), 24};
	WD_CHECK(in.bytes != NULL);
	memcpy(in.bytes,
	       "\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0", 24);
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint64_t random = prng_u64(&r);
		const char *one = strcmp(kind, "mixed") != 0 ? kind : random >> 63 ? "tcp" : "udp";
		frame_of(&f, one, random);
		uint32_t head[4] = {1700000000 + i / 1000, i % 1000, (uint32_t)f.len,
				    (uint32_t)f.len};
		memcpy(in.bytes + in.len, head, sizeof(head));
		memcpy(in.bytes + in.len + 16, f.bytes, f.len);
		in.len += 16 + f.len;
	}
	return in;
}

/* From a capture file in memory into batches of flows. */
static double packets_once(const struct input *in)
{
	static struct flow out[BATCH];
	uint64_t flows = 0, sum = 0;
	double begin = cpu_s();
	for (size_t pass = 0; pass < PASSES; pass++) {
		struct pcap p;
		struct packet packet;
		size_t count = 0;
		bool end = false;
		WD_CHECK(pcap_begin(&p, in->bytes, in->len, NULL) == WD_OK);
		while (pcap_next(&p, &packet, &end, NULL) == WD_OK && !end) {
			if (packet_parse(&packet, NULL, &out[count]) == WD_OK && ++count == BATCH) {
				flows += count;
				sum += out[BATCH / 2].bytes;
				count = 0;
			}
		}
		flows += count;
	}
	double took = cpu_s() - begin;
	WD_CHECK(flows == (uint64_t)PASSES * PACKETS && sum > 0);
	return (double)flows / took;
}

static void bench_packets(const char *kind, const char *name)
{
	struct input in = frames_make(kind);
	double rates[ROUNDS];
	for (size_t i = 0; i < ROUNDS; i++)
		rates[i] = packets_once(&in);
	row(name, "packets/s", rates);
	free(in.bytes);
}

/* Datagrams of seven samples, as many as fit into 1500 bytes with headers of 128 bytes. */
static double samples_once(const uint8_t *bytes, size_t each, size_t datagrams)
{
	static struct flow out[SFLOW_FLOWS_MAX];
	struct sflow_limits limits = {4096};
	struct hash_key key = {{1}};
	struct exporter_address sender = {{10, 0, 0, 1}, 4};
	struct sflow *s;
	uint64_t flows = 0;
	WD_CHECK(sflow_open(&limits, &key, &s) == WD_OK);
	double begin = cpu_s();
	for (size_t pass = 0; pass < PASSES; pass++)
		for (size_t i = 0; i < datagrams; i++) {
			size_t count = 0;
			WD_CHECK(sflow_decode(s, &sender, bytes + i * each, each,
					      wall_s(1700000000), out, SFLOW_FLOWS_MAX, &count,
					      NULL) == WD_OK);
			flows += count;
		}
	double took = cpu_s() - begin;
	WD_CHECK(flows == (uint64_t)PASSES * datagrams * PER_DATAGRAM);
	sflow_close(s);
	return (double)flows / took;
}

static void bench_sflow(void)
{
	enum { DATAGRAMS = PACKETS / PER_DATAGRAM };
	static struct fixture f, frame;
	struct prng r = prng_of(8, 8);
	uint8_t *bytes = NULL;
	size_t each = 0;
	double rates[ROUNDS];
	for (uint32_t i = 0; i < DATAGRAMS; i++) {
		f.len = 0;
		fixture_sflow(&f, i, PER_DATAGRAM);
		for (uint32_t k = 0; k < PER_DATAGRAM; k++) {
			frame_of(&frame, "udp", prng_u64(&r));
			while (frame.len < 128)
				fixture_u8(&frame, 0);
			fixture_sflow_sample(&f, i * PER_DATAGRAM + k, 1000, &frame);
		}
		if (bytes == NULL) {
			each = f.len;
			bytes = malloc(DATAGRAMS * each);
		}
		WD_CHECK(bytes != NULL && f.len == each);
		memcpy(bytes + i * each, f.bytes, each);
	}
	for (size_t i = 0; i < ROUNDS; i++)
		rates[i] = samples_once(bytes, each, DATAGRAMS);
	row("sflow: samples of 128 bytes, 7 a datagram", "samples/s", rates);
	free(bytes);
}

int main(void)
{
	bench_packets("mixed", "pcap, packet: Ethernet, IPv4, TCP or UDP");
	bench_packets("udp", "pcap, packet: Ethernet, IPv4, UDP");
	bench_packets("tcp", "pcap, packet: Ethernet, IPv4, TCP");
	bench_packets("ipv6", "pcap, packet: Ethernet, IPv6, UDP");
	bench_packets("vlan", "pcap, packet: a VLAN tag, IPv4, UDP");
	bench_packets("gre", "pcap, packet: IPv4 in GRE, UDP");
	bench_sflow();
	return 0;
}
