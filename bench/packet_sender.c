/* SPDX-License-Identifier: Apache-2.0 */
/* packet_sender PACKETS RATE TO: packets of the load that flow_sender sends as flow records,
 * one packet a record. TO is a path: a capture file is written, the first SNAP bytes of each
 * packet, a million of them a second by the file's own time. Or the name of an interface: they
 * leave there at RATE a second (0 = as fast as it can), SNAP bytes at most, from a prepared
 * piece of memory; for interfaces inside a network namespace of the caller's own.
 * Prints "packets seconds". */
#include "flow_load.h"
#include "base/check.h"
#include "base/prng.h"
#include "intake/packet_write.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SNAP = 128, AT_ONCE = 64, DISTINCT = 1 << 20, PACKETS_MAX = 100000000 };

struct frame { uint16_t len, whole; uint8_t bytes[SNAP]; };

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * WD_NS_PER_S + t.tv_nsec;
}

static void frame_make(struct prng *r, bool attacked, struct frame *ret)
{
	struct flow f = flow_load_flow(r, false, attacked);
	f.bytes = f.length;
	f.packets = 1;
	f.known |= FLOW_PACKET;
	ret->whole = (uint16_t)packet_write_length(&f);
	ret->len = (uint16_t)packet_write(&f, ret->bytes, SNAP);
}

static int write_file(const char *path, uint64_t packets)
{
	FILE *out = fopen(path, "wb");
	uint8_t head[PCAP_WRITE_HEAD], record[PCAP_WRITE_RECORD];
	struct prng r = prng_of(20250310, 2);
	if (out == NULL) {
		perror(path);
		return 1;
	}
	pcap_write_head(head);
	fwrite(head, 1, sizeof(head), out);
	for (uint64_t n = 0; n < packets; n++) {
		struct frame f;
		frame_make(&r, n > packets / 2, &f);
		wd_wall at = {wall_s(1793620800).ns + (int64_t)n * 1000};
		pcap_write_record(record, at, f.len, f.whole);
		fwrite(record, 1, sizeof(record), out);
		fwrite(f.bytes, 1, f.len, out);
	}
	if (fclose(out) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

static int open_interface(const char *name)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	const int yes = 1;
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	to.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || to.sll_ifindex == 0 ||
	    bind(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return -1;
	(void)setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof(yes));
	return fd;
}

static int send_all(const char *interface, uint64_t packets, double rate)
{
	static struct mmsghdr messages[AT_ONCE];
	static struct iovec parts[AT_ONCE];
	struct frame *frames = calloc(DISTINCT, sizeof(*frames));
	struct prng r = prng_of(20250310, 2);
	int fd = open_interface(interface);
	if (fd < 0 || frames == NULL) {
		perror(interface);
		return 1;
	}
	for (uint32_t n = 0; n < DISTINCT; n++)
		frame_make(&r, n > DISTINCT / 2, &frames[n]);
	int64_t begin = now_ns();
	uint64_t n = 0;
	while (n < packets) {
		for (size_t i = 0; i < AT_ONCE; i++) {
			struct frame *f = &frames[(n + i) % DISTINCT];
			parts[i] = (struct iovec){f->bytes, f->len};
			messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i],
							      .msg_iovlen = 1};
		}
		int sent = sendmmsg(fd, messages, AT_ONCE, 0);
		if (sent < 0 && errno != ENOBUFS && errno != EAGAIN) {
			perror("sendmmsg");
			return 1;
		}
		n += sent > 0 ? (uint64_t)sent : 0;
		int64_t due = rate > 0 ? begin + (int64_t)((double)n / rate * 1e9) : 0;
		int64_t left = due - now_ns();
		if (left > 0)
			nanosleep(&(struct timespec){left / WD_NS_PER_S, left % WD_NS_PER_S}, NULL);
	}
	printf("%llu %.3f\n", (unsigned long long)n, (double)(now_ns() - begin) / 1e9);
	free(frames);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: packet_sender PACKETS RATE FILE|INTERFACE\n", stderr);
		return 2;
	}
	uint64_t packets = strtoull(argv[1], NULL, 10);
	double rate = strtod(argv[2], NULL);
	if (packets < 1 || packets > PACKETS_MAX || rate < 0)
		return 2;
	if (argv[3][0] == '/' || argv[3][0] == '.')
		return write_file(argv[3], packets);
	return send_all(argv[3], packets, rate);
}
