/* SPDX-License-Identifier: Apache-2.0 */
/* Sources: packet(7); Linux Documentation/networking/packet_mmap. A ring is blocks of
 * packets; the kernel hands over a block when it is full or BLOCK_MS old. */
#include "intake/tap.h"

#include "base/check.h"
#include "decode/packet.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif

enum {
	BLOCK_BYTES = 1 << 18,
	BLOCK_MS = 20,
	FRAME_BYTES = 2048, /* the kernel wants a number; packets of V3 take what they need */
	GATHER = 256,       /* flows, so that the tally can look ahead */
};

struct worker {
	struct tap *tap;
	struct lane *lane;
	int fd;
	uint8_t *ring; /* MAP_FAILED or NULL: none */
	size_t block;
	struct flow flows[GATHER];
	size_t flow_count;
	struct packet_options parsing;
	struct tap_counts counts;
	wd_wall told_at;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of what follows */
	struct tap_counts told;
};

struct tap {
	char interface[IFNAMSIZ];
	size_t threads, blocks;
	uint32_t linktype;
	bool loopback, promiscuous;
	bool stop; /* atomic */
	struct worker *workers;
};

/* ---- packets ---- */

static void flush(struct worker *w)
{
	if (w->flow_count > 0)
		lane_flows(w->lane, w->flows, w->flow_count);
	w->counts.flows += w->flow_count;
	w->flow_count = 0;
}

static void take_packet(struct worker *w, const struct tpacket3_hdr *h)
{
	const struct packet p = {
		.bytes = (const uint8_t *)h + h->tp_mac,
		.captured = h->tp_snaplen,
		.wire_length = h->tp_len,
		.linktype = w->tap->linktype,
		.at = {(int64_t)h->tp_sec * WD_NS_PER_S + h->tp_nsec},
	};

	w->counts.packets++;
	w->counts.bytes += h->tp_len;
	enum wd_err err = packet_parse(&p, &w->parsing, &w->flows[w->flow_count]);
	if (err == WD_UNKNOWN)
		w->counts.other++;
	else if (err != WD_OK)
		w->counts.broken++;
	else if (++w->flow_count == GATHER)
		flush(w);
}

static void take_block(struct worker *w, const struct tpacket_block_desc *block)
{
	const struct tpacket_hdr_v1 *head = &block->hdr.bh1;
	const uint8_t *at = (const uint8_t *)block + head->offset_to_first_pkt;
	for (uint32_t n = 0; n < head->num_pkts; n++) {
		const struct tpacket3_hdr *h = (const void *)at;
		take_packet(w, h);
		at += h->tp_next_offset;
	}
	flush(w); /* payloads borrow from the block */
}

/* The kernel's next block, if it is ours already. */
static bool take_ready(struct worker *w)
{
	struct tpacket_block_desc *block = (void *)(w->ring + w->block * BLOCK_BYTES);
	uint32_t *status = &block->hdr.bh1.block_status;

	if ((__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
		return false;
	take_block(w, block);
	__atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	w->block = (w->block + 1) % w->tap->blocks;
	return true;
}

/* ---- the socket ---- */

static enum wd_err bind_to(int fd, const char *interface, struct wd_why *why)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	struct ifreq request = {0};
	memcpy(request.ifr_name, interface, strlen(interface));
	if (ioctl(fd, SIOCGIFINDEX, &request) != 0)
		return wd_fail_os(why, errno, "find the interface");
	ll.sll_ifindex = request.ifr_ifindex;
	if (bind(fd, (const struct sockaddr *)&ll, sizeof(ll)) != 0)
		return wd_fail_os(why, errno, "listen at the interface");
	return WD_OK;
}

static enum wd_err learn_kind(struct tap *c, int fd, struct wd_why *why)
{
	struct ifreq request = {0};
	memcpy(request.ifr_name, c->interface, sizeof(c->interface));
	if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
		return wd_fail_os(why, errno, "find the interface");
	switch (request.ifr_hwaddr.sa_family) {
	case ARPHRD_LOOPBACK: c->loopback = true; /* fall through */
	case ARPHRD_ETHER: c->linktype = PACKET_ETHERNET; return WD_OK;
	case ARPHRD_NONE: /* tun */
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_PPP: c->linktype = PACKET_RAW; return WD_OK;
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

static enum wd_err map_ring(struct worker *w, struct wd_why *why)
{
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
	if (w->tap->loopback)
		(void)setsockopt(w->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(yes));
	if (setsockopt(w->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) != 0)
		return wd_fail_os(why, errno, "make the packet ring");
	w->ring = mmap(NULL, w->tap->blocks * BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
		       w->fd, 0);
	if (w->ring == MAP_FAILED)
		return wd_fail_os(why, errno, "map the packet ring");
	return WD_OK;
}

/* One group an interface and program; the kernel refuses a group that is another's. */
static enum wd_err join(struct worker *w, struct wd_why *why)
{
	const struct tap *c = w->tap;
	int group = (int)((unsigned)getpid() * 31 + if_nametoindex(c->interface)) & 0xffff;
	int fanout = group | (PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_DEFRAG) << 16;
	if (c->threads > 1 &&
	    setsockopt(w->fd, SOL_PACKET, PACKET_FANOUT, &fanout, sizeof(fanout)) != 0)
		return wd_fail_os(why, errno, "spread packets over the threads");
	struct packet_mreq all = {.mr_ifindex = (int)if_nametoindex(c->interface),
				  .mr_type = PACKET_MR_PROMISC};
	if (c->promiscuous &&
	    setsockopt(w->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) != 0)
		return wd_fail_os(why, errno, "make the interface promiscuous");
	return WD_OK;
}

/* ---- the thread ---- */

static void tell(struct worker *w, wd_wall now)
{
	struct tpacket_stats_v3 stats;
	socklen_t len = sizeof(stats);
	if (now.ns >= w->told_at.ns && wall_sub(now, w->told_at).ns < WD_NS_PER_S)
		return;
	w->told_at = now;
	if (getsockopt(w->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
		w->counts.dropped += stats.tp_drops; /* since it was last asked */
	pthread_mutex_lock(&w->lock);
	w->told = w->counts;
	pthread_mutex_unlock(&w->lock);
}

/* An interface that went away leaves the socket with an error at once, again and again: a
 * pause, and another try to listen. */
static void mend(struct worker *w, wd_span wait)
{
	int error = 0;
	socklen_t len = sizeof(error);
	struct timespec t = {wait.ns / WD_NS_PER_S, wait.ns % WD_NS_PER_S};
	(void)getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	w->counts.down++;
	nanosleep(&t, NULL);
	struct wd_why why;
	if (bind_to(w->fd, w->tap->interface, &why) != WD_OK)
		return; /* still gone: counted, and tried again */
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct pollfd p = {.fd = w->fd, .events = POLLIN | POLLERR};

	while (!__atomic_load_n(&w->tap->stop, __ATOMIC_RELAXED)) {
		bool more = take_ready(w);
		wd_wall now = lane_now(w->lane);
		lane_clock(w->lane, now);
		tell(w, now);
		if (more)
			continue;
		wd_span wait = lane_wait(w->lane, now);
		struct timespec t = {wait.ns / WD_NS_PER_S, wait.ns % WD_NS_PER_S};
		if (ppoll(&p, 1, &t, NULL) > 0 && (p.revents & POLLERR) != 0)
			mend(w, wait);
	}
	lane_end(w->lane, lane_now(w->lane));
	w->told_at.ns = 0;
	tell(w, lane_now(w->lane));
	return NULL;
}

/* ---- start and stop ---- */

static bool is_watched(const void *context, const struct flow *f)
{
	return lane_watches(context, f);
}

static enum wd_err open_worker(struct worker *w, const struct tap_options *o,
			       struct wd_why *why)
{
	struct tap *c = w->tap;
	enum wd_err err = lane_open(&o->lane, &w->lane, why);
	if (err != WD_OK)
		return err;
	w->parsing = (struct packet_options){
		.decapsulate = true, .watched = is_watched, .context = w->lane};
	/* Protocol 0: nothing comes before it is bound. */
	w->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd < 0)
		return wd_fail_os(why, errno,
				  errno == EPERM ? "capture packets: needs CAP_NET_RAW"
						 : "open a packet socket");
	if ((err = learn_kind(c, w->fd, why)) != WD_OK || (err = map_ring(w, why)) != WD_OK ||
	    (err = bind_to(w->fd, c->interface, why)) != WD_OK)
		return err;
	return join(w, why);
}

enum wd_err tap_open(const struct tap_options *options, struct tap **ret_tap,
			 struct wd_why *why)
{
	enum wd_err err;
	struct tap *c = calloc(1, sizeof(*c));

	WD_CHECK(options->threads >= 1 && options->threads <= TAP_THREADS_MAX);
	WD_CHECK(strlen(options->interface) < sizeof(c->interface));
	if (c == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for a tap");
	memcpy(c->interface, options->interface, strlen(options->interface));
	c->threads = options->threads;
	c->promiscuous = options->promiscuous;
	c->blocks = options->ring_bytes / BLOCK_BYTES;
	c->blocks = c->blocks < 4 ? 4 : c->blocks;
	c->workers = calloc(c->threads, sizeof(*c->workers));
	if (c->workers == NULL) {
		err = wd_fail(why, WD_NOMEM, 0, "memory for a tap");
		goto fail;
	}
	for (size_t n = 0; n < c->threads; n++) {
		c->workers[n].tap = c;
		c->workers[n].fd = -1;
		pthread_mutex_init(&c->workers[n].lock, NULL);
	}
	for (size_t n = 0; n < c->threads; n++) {
		if ((err = open_worker(&c->workers[n], options, why)) != WD_OK)
			goto fail;
	}
	*ret_tap = c;
	return WD_OK;
fail:
	tap_close(c);
	return err;
}

enum wd_err tap_start(struct tap *c, struct wd_why *why)
{
	for (size_t n = 0; n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		int failed = pthread_create(&w->thread, NULL, run, w);
		if (failed != 0)
			return wd_fail_os(why, failed, "start a tap's thread");
		w->started = true;
	}
	return WD_OK;
}

void tap_stop(struct tap *c)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	for (size_t n = 0; c->workers != NULL && n < c->threads; n++) {
		if (c->workers[n].started)
			pthread_join(c->workers[n].thread, NULL);
		c->workers[n].started = false;
	}
}

void tap_close(struct tap *c)
{
	if (c == NULL)
		return;
	tap_stop(c);
	for (size_t n = 0; c->workers != NULL && n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		if (w->ring != NULL && w->ring != MAP_FAILED)
			munmap(w->ring, c->blocks * BLOCK_BYTES);
		if (w->fd >= 0)
			close(w->fd);
		lane_close(w->lane);
		pthread_mutex_destroy(&w->lock);
	}
	free(c->workers);
	free(c);
}

size_t tap_threads(const struct tap *c) { return c->threads; }

struct lane *tap_lane(struct tap *c, size_t thread)
{
	WD_CHECK(thread < c->threads);
	return c->workers[thread].lane;
}

void tap_count(struct tap *c, struct tap_counts *ret_counts)
{
	struct tap_counts sum = {0};
	for (size_t n = 0; n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		pthread_mutex_lock(&w->lock);
		struct tap_counts t = w->told;
		pthread_mutex_unlock(&w->lock);
		sum.packets += t.packets;
		sum.bytes += t.bytes;
		sum.dropped += t.dropped;
		sum.flows += t.flows;
		sum.other += t.other;
		sum.broken += t.broken;
		sum.down += t.down;
	}
	*ret_counts = sum;
}
