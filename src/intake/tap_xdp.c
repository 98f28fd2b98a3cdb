/* SPDX-License-Identifier: Apache-2.0 */
/* tap, by AF_XDP: frames come from the driver's queues before the system looks at them, and the
 * system does not see them any more. So it is for a mirror port, never for the interface that
 * the machine talks over. Sources: Linux Documentation/networking/af_xdp; libxdp's xsk.h.
 *
 * One socket a receive queue, one memory of frames a socket. The program on the interface is six
 * instructions: redirect to the queue's socket, else pass. It hangs on a link that goes with the
 * process, also if that is killed. The driver's own mode where it has one, else the generic. */
#include "intake/tap_inner.h"

#ifdef WD_HAVE_XDP

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xdp/xsk.h>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

enum { FRAME = XSK_UMEM__DEFAULT_FRAME_SIZE, FRAMES_MIN = 2048, BATCH = 64 };

struct xdp_shared { int map, program, link, promiscuous; }; /* -1: none */

struct xdp_way {
	uint8_t *area; /* MAP_FAILED or NULL: none */
	size_t area_bytes;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill;
	struct xsk_ring_cons done, received;
	uint64_t dropped; /* as last asked: the kernel's counters only grow */
};

/* ---- the interface ---- */

static size_t queues(const struct tap_options *o)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {0};
	size_t count = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(request.ifr_name, o->interface, strlen(o->interface));
	request.ifr_data = (void *)&channels;
	if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0)
		count = channels.combined_count + channels.rx_count;
	if (fd >= 0)
		close(fd);
	return count < 1 ? 1 : count > TAP_THREADS_MAX ? TAP_THREADS_MAX : count;
}

static enum wd_err load_program(struct xdp_shared *x, struct wd_why *why)
{
	x->map = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "whydown", sizeof(uint32_t), sizeof(int),
				TAP_THREADS_MAX, NULL);
	if (x->map < 0)
		return wd_fail_os(why, errno,
				  "make a map of sockets: needs CAP_NET_ADMIN and CAP_BPF");
	const struct bpf_insn program[] = {
		/* r2 = context->rx_queue_index */
		{.code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1,
		 .off = offsetof(struct xdp_md, rx_queue_index)},
		/* r1 = map, in two words */
		{.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_FD, .imm = x->map},
		{.code = 0},
		/* r3 = what is done with a queue without a socket */
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map},
		{.code = BPF_JMP | BPF_EXIT},
	};
	x->program = bpf_prog_load(BPF_PROG_TYPE_XDP, "whydown", "Apache-2.0", program,
				   sizeof(program) / sizeof(program[0]), NULL);
	if (x->program < 0)
		return wd_fail_os(why, errno, "load the program of the interface");
	return WD_OK;
}

static enum wd_err attach(struct xdp_shared *x, const char *interface, struct wd_why *why)
{
	static const uint32_t modes[] = {XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE};
	unsigned index = if_nametoindex(interface);
	if (index == 0)
		return wd_fail_os(why, errno, "find the interface");
	for (size_t n = 0; n < sizeof(modes) / sizeof(modes[0]); n++) {
		const struct bpf_link_create_opts opts = {.sz = sizeof(opts), .flags = modes[n]};
		x->link = bpf_link_create(x->program, (int)index, BPF_XDP, &opts);
		if (x->link >= 0)
			return WD_OK;
	}
	return wd_fail_os(why, errno, "put a program on the interface (is there another one?)");
}

static enum wd_err take_all(struct xdp_shared *x, const char *interface, struct wd_why *why)
{
	x->promiscuous = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (x->promiscuous < 0)
		return wd_fail_os(why, errno, "open a packet socket: needs CAP_NET_RAW");
	return tap_take_all(x->promiscuous, interface, why);
}

static enum wd_err xdp_open_all(struct tap *t, const struct tap_options *o, struct wd_why *why)
{
	struct xdp_shared *x = malloc(sizeof(*x));
	size_t frames = FRAMES_MIN;

	if (x == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for a tap");
	*x = (struct xdp_shared){-1, -1, -1, -1};
	t->shared = x;
	while (frames * 2 * FRAME <= o->ring_bytes)
		frames *= 2;
	t->blocks = frames;
	if (if_nametoindex(t->interface) == 0)
		return wd_fail_os(why, errno, "find the interface");
	enum wd_err err = t->promiscuous ? take_all(x, t->interface, why) : WD_OK;
	return err != WD_OK ? err : load_program(x, why);
}

static void xdp_close_all(struct tap *t)
{
	struct xdp_shared *x = t->shared;
	if (x == NULL)
		return;
	/* The link first: nothing is sent to sockets that are gone. */
	const int fds[] = {x->link, x->program, x->map, x->promiscuous};
	for (size_t n = 0; n < sizeof(fds) / sizeof(fds[0]); n++) {
		if (fds[n] >= 0)
			close(fds[n]);
	}
	free(x);
}

/* ---- a queue's socket ---- */

static void give_frames(struct xdp_way *way, size_t frames)
{
	uint32_t at = 0;
	size_t room = xsk_ring_prod__reserve(&way->fill, (uint32_t)frames, &at);
	for (size_t n = 0; n < room; n++)
		*xsk_ring_prod__fill_addr(&way->fill, at++) = n * FRAME;
	xsk_ring_prod__submit(&way->fill, (uint32_t)room);
}

static enum wd_err open_socket(struct tap_worker *w, struct xdp_way *way, struct wd_why *why)
{
	const struct xsk_umem_config memory = {
		.fill_size = (uint32_t)w->tap->blocks,
		.comp_size = FRAMES_MIN,
		.frame_size = FRAME};
	const struct xsk_socket_config config = {
		.rx_size = (uint32_t)w->tap->blocks,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP};
	int failed;

	way->area_bytes = w->tap->blocks * FRAME;
	way->area = mmap(NULL, way->area_bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (way->area == MAP_FAILED)
		return wd_fail(why, WD_NOMEM, 0, "memory for frames");
	failed = xsk_umem__create(&way->umem, way->area, way->area_bytes, &way->fill, &way->done,
				  &memory);
	if (failed != 0)
		return wd_fail_os(why, -failed, "share memory of frames with the kernel");
	failed = xsk_socket__create(&way->socket, w->tap->interface, w->number, way->umem,
				    &way->received, NULL, &config);
	if (failed != 0)
		return wd_fail_os(why, -failed, "open a socket at a queue of the interface");
	give_frames(way, w->tap->blocks);
	w->fd = xsk_socket__fd(way->socket);
	return WD_OK;
}

static enum wd_err xdp_open(struct tap_worker *w, struct wd_why *why)
{
	struct xdp_shared *x = w->tap->shared;
	struct xdp_way *way = calloc(1, sizeof(*way));
	if (way == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory for a tap");
	w->way = way;
	enum wd_err err = open_socket(w, way, why);
	if (err != WD_OK)
		return err;
	if (bpf_map_update_elem(x->map, &w->number, &w->fd, BPF_ANY) != 0)
		return wd_fail_os(why, errno, "tell the interface of a socket");
	/* Frames come from when the last socket is there. */
	return w->number + 1 < w->tap->threads ? WD_OK : attach(x, w->tap->interface, why);
}

static void xdp_close(struct tap_worker *w)
{
	struct xdp_way *way = w->way;
	if (way == NULL)
		return;
	if (way->socket != NULL)
		xsk_socket__delete(way->socket);
	if (way->umem != NULL)
		(void)xsk_umem__delete(way->umem);
	if (way->area != NULL && way->area != MAP_FAILED)
		munmap(way->area, way->area_bytes);
	free(way);
}

/* ---- frames ---- */

static bool xdp_take(struct tap_worker *w)
{
	struct xdp_way *way = w->way;
	struct timespec now;
	uint64_t frames[BATCH];
	uint32_t from = 0, to = 0;
	uint32_t count = xsk_ring_cons__peek(&way->received, BATCH, &from);

	clock_gettime(CLOCK_REALTIME, &now);
	for (uint32_t n = 0; n < count; n++) {
		const struct xdp_desc *d = xsk_ring_cons__rx_desc(&way->received, from + n);
		const struct packet p = {
			.bytes = xsk_umem__get_data(way->area, d->addr),
			.captured = d->len,
			.wire_length = d->len,
			.linktype = PACKET_ETHERNET,
			.at = wall_of_clock(now.tv_sec, now.tv_nsec),
		};
		frames[n] = d->addr / FRAME * FRAME;
		tap_take(w, &p);
	}
	tap_flush(w); /* payloads borrow from the frames */
	if (count > 0)
		xsk_ring_cons__release(&way->received, count);
	/* There is room for all frames there are. */
	if (count > 0 && xsk_ring_prod__reserve(&way->fill, count, &to) == count) {
		for (uint32_t n = 0; n < count; n++)
			*xsk_ring_prod__fill_addr(&way->fill, to + n) = frames[n];
		xsk_ring_prod__submit(&way->fill, count);
	}
	if (xsk_ring_prod__needs_wakeup(&way->fill))
		(void)recvfrom(w->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
	return count > 0;
}

static uint64_t xdp_dropped(struct tap_worker *w)
{
	struct xdp_way *way = w->way;
	struct xdp_statistics s = {0};
	socklen_t len = sizeof(s);
	if (getsockopt(w->fd, SOL_XDP, XDP_STATISTICS, &s, &len) != 0)
		return 0;
	uint64_t now = s.rx_dropped + s.rx_ring_full + s.rx_fill_ring_empty_descs;
	uint64_t more = now - way->dropped;
	way->dropped = now;
	return more;
}

/* An interface that went away has taken the program with it: only a restart brings both back.
 * Until then it is counted. */
static bool xdp_mend(struct tap_worker *w)
{
	int error = 0;
	socklen_t len = sizeof(error);
	(void)getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return true;
}

#else

static size_t queues(const struct tap_options *o)
{
	(void)o;
	return 1;
}

static enum wd_err xdp_open_all(struct tap *t, const struct tap_options *o, struct wd_why *why)
{
	(void)t;
	(void)o;
	return wd_fail(why, WD_UNKNOWN, 0, "this program was built without libxdp");
}

static enum wd_err xdp_open(struct tap_worker *w, struct wd_why *why)
{
	(void)w;
	return wd_fail(why, WD_UNKNOWN, 0, "this program was built without libxdp");
}

static bool xdp_take(struct tap_worker *w)
{
	(void)w;
	return false;
}

static uint64_t xdp_dropped(struct tap_worker *w)
{
	(void)w;
	return 0;
}

static bool xdp_mend(struct tap_worker *w)
{
	(void)w;
	return true;
}

static void xdp_close(struct tap_worker *w) { (void)w; }
static void xdp_close_all(struct tap *t) { (void)t; }

#endif

const struct tap_way tap_xdp = {
	.threads = queues, .open_all = xdp_open_all, .open = xdp_open, .take = xdp_take,
	.dropped = xdp_dropped, .mend = xdp_mend, .close = xdp_close, .close_all = xdp_close_all,
};
