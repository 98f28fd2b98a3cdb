/* SPDX-License-Identifier: Apache-2.0 */
/* tap, by AF_PACKET. Sources: packet(7); Linux Documentation/networking/packet_mmap. A ring is
 * blocks of packets; the kernel hands over a block when it is full or BLOCK_MS old. */
#include "intake/tap_inner.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif

enum {
	/* Small: a block that is handed over early takes all its room, and with few packets a
	 * ring of 32 MB still covers ten seconds in which nobody looks. */
	BLOCK_BYTES = 1 << 16,
	BLOCK_MS = 20,
	FRAME_BYTES = 2048, /* the kernel wants a number; packets of V3 take what they need */
};

struct packets_way {
	uint8_t *ring; /* MAP_FAILED or NULL: none */
	size_t block;
	int index; /* of the interface: one that is made anew has another */
	uint32_t linktype;
	bool loopback;
};

static void take_block(struct tap_worker *w, const struct tpacket_block_desc *block)
{
	const struct packets_way *way = w->way;
	const struct tpacket_hdr_v1 *head = &block->hdr.bh1;
	const uint8_t *at = (const uint8_t *)block + head->offset_to_first_pkt;
	for (uint32_t n = 0; n < head->num_pkts; n++) {
		const struct tpacket3_hdr *h = (const void *)at;
		const struct packet p = {
			.bytes = at + h->tp_mac,
			.captured = h->tp_snaplen,
			.wire_length = h->tp_len,
			.linktype = way->linktype,
			.at = {(int64_t)h->tp_sec * WD_NS_PER_S + h->tp_nsec},
		};
		tap_take(w, &p);
		at += h->tp_next_offset;
	}
	tap_flush(w); /* payloads borrow from the block */
}

/* The kernel's next block, if it is ours already. */
static bool take_ready(struct tap_worker *w)
{
	struct packets_way *way = w->way;
	struct tpacket_block_desc *block = (void *)(way->ring + way->block * BLOCK_BYTES);
	uint32_t *status = &block->hdr.bh1.block_status;

	if ((__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
		return false;
	take_block(w, block);
	__atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	way->block = (way->block + 1) % w->tap->blocks;
	return true;
}

static enum wd_err bind_to(struct tap_worker *w, struct wd_why *why)
{
	const struct packets_way *way = w->way;
	const struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				       .sll_ifindex = way->index};
	if (bind(w->fd, (const struct sockaddr *)&ll, sizeof(ll)) != 0)
		return wd_fail_os(why, errno, "listen at the interface");
	return WD_OK;
}

static enum wd_err learn_kind(struct tap_worker *w, struct wd_why *why)
{
	struct packets_way *way = w->way;
	struct ifreq request = {0};
	memcpy(request.ifr_name, w->tap->interface, sizeof(w->tap->interface));
	if (ioctl(w->fd, SIOCGIFINDEX, &request) != 0)
		return wd_fail_os(why, errno, "find the interface");
	way->index = request.ifr_ifindex;
	if (ioctl(w->fd, SIOCGIFHWADDR, &request) != 0)
		return wd_fail_os(why, errno, "find the interface");
	switch (request.ifr_hwaddr.sa_family) {
	case ARPHRD_LOOPBACK: way->loopback = true; /* fall through */
	case ARPHRD_ETHER: way->linktype = PACKET_ETHERNET; return WD_OK;
	case ARPHRD_NONE: /* tun */
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_PPP: way->linktype = PACKET_RAW; return WD_OK;
	default:
		return wd_fail(why, WD_UNKNOWN, 0, "the interface is neither Ethernet nor IP");
	}
}

/* A filter that lets everything pass, cut to TAP_SNAP: less to copy. */
static int cut_packets(int fd)
{
	struct sock_filter all = {BPF_RET | BPF_K, 0, 0, TAP_SNAP};
	const struct sock_fprog program = {1, &all};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static enum wd_err map_ring(struct tap_worker *w, struct wd_why *why)
{
	struct packets_way *way = w->way;
	const int version = TPACKET_V3, yes = 1;
	const struct tpacket_req3 ring = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = (unsigned)w->tap->blocks,
		.tp_frame_size = FRAME_BYTES,
		.tp_frame_nr = (unsigned)w->tap->blocks * (BLOCK_BYTES / FRAME_BYTES),
		.tp_retire_blk_tov = BLOCK_MS,
	};
	if (setsockopt(w->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) != 0 ||
	    cut_packets(w->fd) != 0)
		return wd_fail_os(why, errno, "set the packet socket up");
	/* What goes out over loopback comes in there again. */
	if (way->loopback)
		(void)setsockopt(w->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes));
	if (setsockopt(w->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) != 0)
		return wd_fail_os(why, errno, "make the packet ring");
	way->ring = mmap(NULL, w->tap->blocks * BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
			 w->fd, 0);
	if (way->ring == MAP_FAILED)
		return wd_fail_os(why, errno, "map the packet ring");
	return WD_OK;
}

enum wd_err tap_take_all(int fd, const char *interface, struct wd_why *why)
{
	const struct packet_mreq all = {.mr_ifindex = (int)if_nametoindex(interface),
					.mr_type = PACKET_MR_PROMISC};
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0)
		return wd_fail_os(why, errno, "make the interface promiscuous");
	return WD_OK;
}

/* One group an interface and program; the kernel refuses a group that is another's. It is not asked
 * to put fragments together (PACKET_FANOUT_FLAG_DEFRAG): those whose rest never comes, which are
 * what floods, would not be seen at all. */
static enum wd_err join(struct tap_worker *w, struct wd_why *why)
{
	const struct tap *t = w->tap;
	const struct packets_way *way = w->way;
	uint32_t group = ((uint32_t)getpid() * 31 + (uint32_t)way->index) & 0xffff;
	uint32_t fanout = group | (uint32_t)PACKET_FANOUT_HASH << 16;
	if (t->threads > 1 &&
	    setsockopt(w->fd, SOL_PACKET, PACKET_FANOUT, &fanout, sizeof(fanout)) != 0)
		return wd_fail_os(why, errno, "spread packets over the threads");
	return t->promiscuous ? tap_take_all(w->fd, t->interface, why) : WD_OK;
}

/* ---- the way ---- */

static size_t packets_threads(const struct tap_options *o)
{
	return o->threads;
}

static enum wd_err packets_open_all(struct tap *t, const struct tap_options *o, struct wd_why *why)
{
	(void)why;
	t->blocks = o->ring_bytes / BLOCK_BYTES < 4 ? 4 : o->ring_bytes / BLOCK_BYTES;
	return WD_OK;
}

static enum wd_err packets_open(struct tap_worker *w, struct wd_why *why)
{
	enum wd_err err;

	w->way = calloc(1, sizeof(struct packets_way));
	if (w->way == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for a tap");
	/* Protocol 0: nothing comes before it is bound. */
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		return wd_fail_os(why, errno,
				  errno == EPERM ? "capture packets: needs CAP_NET_RAW"
						 : "open a packet socket");
	if ((err = learn_kind(w, why)) != WD_OK || (err = map_ring(w, why)) != WD_OK ||
	    (err = bind_to(w, why)) != WD_OK)
		return err;
	return join(w, why);
}

static uint64_t packets_dropped(struct tap_worker *w)
{
	struct tpacket_stats_v3 stats;
	socklen_t len = sizeof(stats);
	if (getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) != 0)
		return 0;
	return stats.tp_drops;
}

static void packets_close(struct tap_worker *w)
{
	struct packets_way *way = w->way;
	if (way != NULL && way->ring != NULL && way->ring != MAP_FAILED)
		munmap(way->ring, w->tap->blocks * BLOCK_BYTES);
	if (w->fd >= 0)
		close(w->fd);
	free(way);
	w->way = NULL;
	w->fd = -1;
}

/* An interface that is down is listened to again by the kernel when it comes up. One that was made
 * anew is another to the kernel, which binds no socket of a group twice: so all begins anew. */
static bool packets_mend(struct tap_worker *w)
{
	const struct packets_way *way = w->way;
	int error = 0, index = (int)if_nametoindex(w->tap->interface);
	socklen_t len = sizeof(error);

	if (way != NULL && way->index == index) {
		(void)getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len);
		return true;
	}
	packets_close(w);
	if (index != 0 && packets_open(w, NULL) == WD_OK)
		return true;
	packets_close(w);
	return false;
}

static void packets_close_all(struct tap *t)
{
	(void)t;
}

const struct tap_way tap_ring = {
	.threads = packets_threads, .open_all = packets_open_all, .open = packets_open,
	.take = take_ready,
	.dropped = packets_dropped, .mend = packets_mend, .close = packets_close,
	.close_all = packets_close_all,
};
