/* SPDX-License-Identifier: Apache-2.0 */
/* udp: a socket that many datagrams a second come in at. Several sockets share one port
 * (SO_REUSEPORT: the kernel keeps each sender at one of them), a call takes a batch
 * (recvmmsg), and datagrams of one sender that the kernel could keep together come as one
 * piece (UDP_GRO) that is cut up here. */
#ifndef WD_INTAKE_UDP_H
#define WD_INTAKE_UDP_H

#include "base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	UDP_BATCH = 32,        /* pieces a call */
	UDP_PIECE_MAX = 65536, /* bytes */
};

struct udp_address { struct sockaddr_storage ss; socklen_t len; };

/* "192.0.2.1:2055" or "[::]:2055" (IPv4, too). False if it is none. */
bool udp_address_read(const char *text, struct udp_address *ret_address);

struct udp_options {
	struct udp_address address;
	uint32_t receive_buffer_bytes; /* wanted */
};

/* Bound, non-blocking, shared. *ret_buffer is what the kernel granted: twice that is used for
 * its own books too. The file descriptor is the caller's. */
enum wd_err udp_open(const struct udp_options *options, int *ret_fd, uint32_t *ret_buffer,
		     struct wd_why *why) WD_MUST_CHECK;

/* Room for one batch; its own memory, about UDP_BATCH * UDP_PIECE_MAX. One thread. */
struct udp_batch;
enum wd_err udp_batch_open(struct udp_batch **ret_batch) WD_MUST_CHECK;
size_t udp_batch_memory(void); /* bytes */
void udp_batch_close(struct udp_batch *b); /* NULL is fine */

/* What waits at the socket, at most a batch; returns the number of pieces, 0 = nothing. */
size_t udp_receive(struct udp_batch *b, int fd);

struct datagram {
	const uint8_t *bytes; /* until the next udp_receive */
	size_t len;
	const struct sockaddr_storage *from;
	bool cut; /* it was longer than a piece: not all of it is here */
};

/* The next datagram of the batch; false at its end. */
bool udp_next(struct udp_batch *b, struct datagram *ret_datagram);

/* Datagrams that the kernel dropped at this socket since it was opened, for want of room; after
 * 2^32 it begins at 0 again. */
uint32_t udp_drops(int fd);

#endif
