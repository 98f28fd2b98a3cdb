/* SPDX-License-Identifier: Apache-2.0 */
/* flow_sender FORMAT RECORDS RATE TO: an exporter for measurements. Makes RECORDS flow records
 * as datagrams in memory, then sends them to 127.x.y.z:PORT at RATE records a second (0 = as
 * fast as it can), segmented by the kernel (UDP_SEGMENT) so that one sender outruns a
 * collector. TO can also be a path: then a capture file is written instead, to read from.
 * Prints "records datagrams bytes seconds".
 *
 * What is sent: bench/flow_load.h. FORMAT "…-spoofed" (ipfix-spoofed) is its SYN flood
 * alone. */
#include "flow_load.h"
#include "base/wire_put.h"
#include "intake/packet_write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SEGMENTS_MAX = 44 };

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * WD_NS_PER_S + t.tv_nsec;
}

static int write_file(const struct flow_load *l, const char *path, bool sflow)
{
	FILE *out = fopen(path, "wb");
	uint8_t head[PCAP_WRITE_HEAD], record[PCAP_WRITE_RECORD], frame[2048];
	if (out == NULL) {
		perror(path);
		return 1;
	}
	pcap_write_head(head);
	fwrite(head, 1, sizeof(head), out);
	size_t at = 0;
	for (size_t n = 0; n < l->count; at += l->lens[n++]) {
		struct flow f = {.src = {192, 0, 2, 1}, .dst = {192, 0, 2, 2}, .sport = 40000,
				 .dport = sflow ? 6343 : 2055, .family = 4, .protocol = 17,
				 .ttl = 64, .payload = l->bytes + at,
				 .payload_len = (uint16_t)l->lens[n]};
		size_t len = packet_write(&f, frame, sizeof(frame));
		/* Twenty thousand datagrams a second of the capture's own time. */
		pcap_write_record(record,
				  (wd_wall){wall_s(1793620800).ns + (int64_t)n * 50000},
				  (uint32_t)len, (uint32_t)len);
		fwrite(record, 1, sizeof(record), out);
		fwrite(frame, 1, len, out);
	}
	if (fclose(out) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

static int open_socket(const char *to)
{
	char host[64];
	const char *colon = strrchr(to, ':');
	struct sockaddr_in a = {.sin_family = AF_INET};
	if (colon == NULL || (size_t)(colon - to) >= sizeof(host))
		return -1;
	memcpy(host, to, (size_t)(colon - to));
	host[colon - to] = '\0';
	a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, host, &a.sin_addr) != 1 ||
	    ntohl(a.sin_addr.s_addr) >> 24 != 127) /* never to another machine */
		return -1;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int size = 1 << 22;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 ? fd : -1;
}

/* Datagrams of one length leave in one call; the last may be shorter. */
static bool send_some(int fd, const struct flow_load *l, size_t *n, size_t *at, size_t most)
{
	uint16_t length = (uint16_t)l->lens[*n];
	size_t count = 1, bytes = length;
	while (count < SEGMENTS_MAX && count < most && *n + count < l->count &&
	       l->lens[*n + count] <= length && bytes + l->lens[*n + count] <= 65000) {
		bytes += l->lens[*n + count];
		if (l->lens[*n + count++] < length)
			break;
	}
	char control[CMSG_SPACE(sizeof(length))] = {0};
	struct iovec part = {l->bytes + *at, bytes};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(length));
	memcpy(CMSG_DATA(c), &length, sizeof(length));
	if (sendmsg(fd, &m, 0) < 0 && errno != ECONNREFUSED && errno != ENOBUFS) {
		perror("sendmsg");
		return false;
	}
	*n += count;
	*at += bytes;
	return true;
}

static int send_all(const struct flow_load *l, const char *to, double rate, uint64_t records)
{
	int fd = open_socket(to);
	if (fd < 0) {
		fprintf(stderr, "flow_sender: %s is no address of this machine and port\n", to);
		return 1;
	}
	double per_datagram = (double)records / (double)l->count;
	int64_t begin = now_ns();
	size_t n = 0, at = 0;
	/* At a rate, in steps of a millisecond. */
	size_t step = rate > 0 ? (size_t)(rate / per_datagram / 1000) + 1 : SEGMENTS_MAX;
	while (n < l->count) {
		size_t until = n + step < l->count ? n + step : l->count;
		while (n < until) {
			if (!send_some(fd, l, &n, &at, until - n))
				return 1;
		}
		int64_t due = rate > 0 ? begin + (int64_t)((double)n * per_datagram / rate * 1e9)
				       : 0;
		int64_t left = due - now_ns();
		if (left > 0)
			nanosleep(&(struct timespec){left / WD_NS_PER_S, left % WD_NS_PER_S}, NULL);
	}
	printf("%llu %zu %zu %.3f\n", (unsigned long long)records, l->count, l->len,
	       (double)(now_ns() - begin) / 1e9);
	return 0;
}

int main(int argc, char **argv)
{
	char format[32];
	int f = EXPORT_NETFLOW5;

	if (argc != 5) {
		fputs("usage: flow_sender FORMAT[-spoofed] RECORDS RATE 127.0.0.1:PORT|FILE\n",
		      stderr);
		return 2;
	}
	snprintf(format, sizeof(format), "%s", argv[1]);
	char *dash = strchr(format, '-');
	bool spoofed = dash != NULL && strcmp(dash, "-spoofed") == 0;
	if (dash != NULL)
		*dash = '\0';
	while (f <= EXPORT_SFLOW && strcmp(export_format_name((enum export_format)f), format) != 0)
		f++;
	uint64_t records = strtoull(argv[2], NULL, 10);
	double rate = strtod(argv[3], NULL);
	if (f > EXPORT_SFLOW || records < 1 || records > FLOW_LOAD_RECORDS_MAX || rate < 0)
		return 2;
	struct flow_load load =
		flow_load_make((enum export_format)f, records, spoofed, wall_s(time(NULL)));
	if (argv[4][0] == '/' || argv[4][0] == '.')
		return write_file(&load, argv[4], f == EXPORT_SFLOW);
	return send_all(&load, argv[4], rate, records);
}
