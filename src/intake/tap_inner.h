/* SPDX-License-Identifier: Apache-2.0 */
/* tap, inside: what its ways to packets have in common, and what each must do. */
#ifndef WD_INTAKE_TAP_INNER_H
#define WD_INTAKE_TAP_INNER_H

#include "decode/packet.h"
#include "intake/tap.h"

#include <net/if.h>
#include <pthread.h>

enum { TAP_GATHER = 256 }; /* flows, so that the tally can look ahead */

struct tap_worker {
	struct tap *tap;
	struct lane *lane;
	uint32_t number; /* of the tap's workers */
	int fd;          /* to wait for; -1: none */
	void *way;       /* what the tap's way keeps for it; NULL = not opened */
	struct flow flows[TAP_GATHER];
	size_t flow_count;
	struct packet_options parsing;
	struct tap_counts counts;
	uint32_t witness; /* the interface's slot */
	uint64_t heard;   /* packets, when it was last said that there are some */
	wd_wall told_at;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of what follows */
	struct tap_counts told;
};

/* A way to an interface's packets. */
struct tap_way {
	/* How many threads it takes, of those asked for. */
	size_t (*threads)(const struct tap_options *o);
	/* For the whole tap, before its workers are opened. */
	enum wd_err (*open_all)(struct tap *t, const struct tap_options *o,
				struct wd_why *why) WD_MUST_CHECK;
	enum wd_err (*open)(struct tap_worker *w, struct wd_why *why) WD_MUST_CHECK;
	/* Takes what is there with tap_take, some of it; false: nothing was. */
	bool (*take)(struct tap_worker *w);
	/* Dropped by the kernel since it was last asked. */
	uint64_t (*dropped)(struct tap_worker *w);
	/* The socket is in error: another try. False: the interface is gone, and there is nothing
	 * to take from until a later try succeeds. */
	bool (*mend)(struct tap_worker *w);
	void (*close)(struct tap_worker *w);
	void (*close_all)(struct tap *t);
};

extern const struct tap_way tap_ring; /* AF_PACKET, TPACKET_V3 */
extern const struct tap_way tap_xdp;  /* AF_XDP */

struct tap {
	char interface[IFNAMSIZ];
	const struct tap_way *way;
	size_t threads, blocks;
	bool promiscuous;
	bool stop; /* atomic */
	struct tap_worker *workers;
	void *shared; /* of the way */
};

/* One packet; its bytes stay until tap_flush. */
void tap_take(struct tap_worker *w, const struct packet *p);
void tap_flush(struct tap_worker *w);
/* The interface is promiscuous as long as the packet socket is open. */
enum wd_err tap_take_all(int fd, const char *interface, struct wd_why *why) WD_MUST_CHECK;

#endif
