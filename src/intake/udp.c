/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: recvmmsg(2), socket(7), udp(7); linux/sock_diag.h for SO_MEMINFO. */
#include "intake/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104 /* Linux 5.0 */
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55 /* Linux 4.12 */
#endif

/* ---- addresses ---- */

static bool port_read(const char *text, uint16_t *ret_port)
{
	unsigned long port = 0;
	if (text[0] == '\0' || strlen(text) > 5)
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		port = port * 10 + (unsigned long)(*text - '0');
	}
	*ret_port = htons((uint16_t)port);
	return port <= 65535;
}

bool udp_address_read(const char *text, struct udp_address *ret_address)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	struct udp_address a = {.len = 0};
	struct sockaddr_in *in = (void *)&a.ss;
	struct sockaddr_in6 *in6 = (void *)&a.ss;
	uint16_t port;

	if (colon == NULL || !port_read(colon + 1, &port))
		return false;
	size_t len = (size_t)(colon - text);
	bool six = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	text += six;
	len -= six ? 2 : 0;
	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (six && inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = port;
		a.len = sizeof(*in6);
	} else if (!six && inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = port;
		a.len = sizeof(*in);
	}
	if (a.len > 0)
		*ret_address = a;
	return a.len > 0;
}

/* ---- the socket ---- */

/* Beyond net.core.rmem_max only with CAP_NET_ADMIN. */
static uint32_t ask_for_buffer(int fd, uint32_t wanted)
{
	int size = (int)wanted;
	socklen_t len = sizeof(size);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) != 0 || size < 0)
		return 0;
	return (uint32_t)size / 2; /* the kernel doubles what it is asked for: socket(7) */
}

enum wd_err udp_open(const struct udp_options *options, int *ret_fd, uint32_t *ret_buffer,
		     struct wd_why *why)
{
	const int yes = 1, no = 0;
	const struct udp_address *a = &options->address;
	const char *what = "open a UDP socket";
	int fd = socket(a->ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return wd_fail_os(why, errno, what);
	what = "share the port";
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) != 0)
		goto fail;
	if (a->ss.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	(void)setsockopt(fd, SOL_UDP, UDP_GRO, &yes, sizeof(yes)); /* an older kernel: without */
	uint32_t buffer = ask_for_buffer(fd, options->receive_buffer_bytes);
	what = "listen";
	if (bind(fd, (const struct sockaddr *)&a->ss, a->len) != 0)
		goto fail;
	*ret_fd = fd;
	*ret_buffer = buffer;
	return WD_OK;
fail:;
	int os_errno = errno;
	close(fd);
	return wd_fail_os(why, os_errno, what);
}

uint32_t udp_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t len = sizeof(info);
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}

/* ---- a batch ---- */

/* A piece is mostly one datagram, of 1,500 bytes at most. Pieces that began a power of two apart
 * would all fall into the same few sets of the processor's caches and drive each other out. */
enum { CONTROL_SIZE = CMSG_SPACE(sizeof(int)), PIECE_STEP = UDP_PIECE_MAX + 1536 };

struct udp_batch {
	struct mmsghdr messages[UDP_BATCH];
	struct iovec parts[UDP_BATCH];
	struct sockaddr_storage from[UDP_BATCH];
	_Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][CONTROL_SIZE];
	size_t count, piece;  /* of the batch; the one being cut up */
	size_t offset, each;  /* in it */
	uint8_t *bytes;       /* UDP_BATCH * PIECE_STEP */
};

enum wd_err udp_batch_open(struct udp_batch **ret_batch)
{
	struct udp_batch *b = calloc(1, sizeof(*b));
	if (b == NULL)
		return WD_NOMEM;
	b->bytes = aligned_alloc(64, (size_t)UDP_BATCH * PIECE_STEP);
	if (b->bytes == NULL) {
		free(b);
		return WD_NOMEM;
	}
	for (size_t i = 0; i < UDP_BATCH; i++) {
		b->parts[i] = (struct iovec){b->bytes + i * PIECE_STEP, UDP_PIECE_MAX};
		b->messages[i].msg_hdr = (struct msghdr){
			.msg_name = &b->from[i], .msg_iov = &b->parts[i], .msg_iovlen = 1,
			.msg_control = b->control[i],
		};
	}
	*ret_batch = b;
	return WD_OK;
}

size_t udp_batch_memory(void)
{
	return sizeof(struct udp_batch) + (size_t)UDP_BATCH * PIECE_STEP;
}

void udp_batch_close(struct udp_batch *b)
{
	if (b == NULL)
		return;
	free(b->bytes);
	free(b);
}

size_t udp_receive(struct udp_batch *b, int fd)
{
	for (size_t i = 0; i < UDP_BATCH; i++) {
		b->messages[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->messages[i].msg_hdr.msg_controllen = CONTROL_SIZE;
	}
	b->piece = b->offset = b->each = 0;
	int got = recvmmsg(fd, b->messages, UDP_BATCH, MSG_DONTWAIT, NULL);
	b->count = got > 0 ? (size_t)got : 0;
	return b->count;
}

/* How long each datagram of a piece is; all of it where the kernel kept none together. */
static size_t length_of_each(struct msghdr *m, size_t whole)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		int each;
		if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&each, CMSG_DATA(c), sizeof(each));
		return each > 0 ? (size_t)each : whole;
	}
	return whole;
}

bool udp_next(struct udp_batch *b, struct datagram *ret_datagram)
{
	while (b->piece < b->count) {
		struct mmsghdr *m = &b->messages[b->piece];
		size_t left = m->msg_len - b->offset;
		if (b->offset == 0)
			b->each = length_of_each(&m->msg_hdr, m->msg_len);
		if (left > 0) {
			size_t len = left < b->each ? left : b->each;
			*ret_datagram = (struct datagram){
				.bytes = b->bytes + b->piece * PIECE_STEP + b->offset,
				.len = len,
				.from = &b->from[b->piece],
				.cut = (m->msg_hdr.msg_flags & MSG_TRUNC) != 0 && len == left,
			};
			b->offset += len;
			return true;
		}
		b->piece++;
		b->offset = 0;
	}
	return false;
}
