/* SPDX-License-Identifier: Apache-2.0 */
#include "command/replay_targets.h"

#include "base/hash.h"
#include "base/text.h"
#include "config/checks.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nets that are counted; when the table is full, new ones are left out. A tenth of the packets
 * cannot hide behind so many others for long in a recording of any use. */
enum { NETS = 1 << 16, NETS_MAX = NETS / 4 * 3 };
/* Bits (of IPv6 twice as many) by which nets are widened, at the most and at a time. */
enum { SHORTER_MAX = 8, SHORTER_STEP = 4 };

struct net {
	uint8_t address[16];
	uint8_t family; /* 0: free */
	uint64_t in, out;
	/* The address that got more than half of it, if there is one (Boyer and Moore). */
	uint8_t most[16];
	uint64_t lead, most_in; /* most_in: counted since it leads: a lower bound */
};

struct targets {
	struct prefix *prefixes;
	size_t prefix_count, prefix_room;
	char **services;
	size_t service_count;
	struct net *nets; /* NETS; NULL until flows are shown */
	size_t net_count;
	uint64_t packets;
	struct prefix_table *table;
};

enum wd_err targets_open(struct targets **ret_targets)
{
	struct targets *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return WD_NOMEM;
	*ret_targets = t;
	return WD_OK;
}

void targets_close(struct targets *t)
{
	if (t == NULL)
		return;
	prefix_close(t->table);
	for (size_t i = 0; i < t->service_count; i++)
		free(t->services[i]);
	free(t->services);
	free(t->prefixes);
	free(t->nets);
	free(t);
}

/* ---- what was said ---- */

/* The service's index; SIZE_MAX if memory ran out. */
static size_t service_of(struct targets *t, const char *id)
{
	for (size_t i = t->service_count; i > 0; i--) { /* mostly the last one */
		if (strcmp(t->services[i - 1], id) == 0)
			return i - 1;
	}
	char **grown = realloc(t->services, (t->service_count + 1) * sizeof(*grown));
	if (grown == NULL)
		return SIZE_MAX;
	t->services = grown;
	if ((grown[t->service_count] = strdup(id)) == NULL)
		return SIZE_MAX;
	return t->service_count++;
}

static bool add_prefix(struct targets *t, size_t service, const struct address_block *b)
{
	if (service == SIZE_MAX)
		return false;
	if (t->prefix_count == t->prefix_room) {
		size_t room = 2 * t->prefix_room + 16;
		struct prefix *grown = realloc(t->prefixes, room * sizeof(*grown));
		if (grown == NULL)
			return false;
		t->prefixes = grown;
		t->prefix_room = room;
	}
	struct prefix *p = &t->prefixes[t->prefix_count++];
	*p = (struct prefix){.family = b->family, .len = b->bits, .value = (uint32_t)service};
	memcpy(p->address, b->address, sizeof(p->address));
	return true;
}

bool targets_add_catalogue(struct targets *t, const struct catalogue *c)
{
	for (size_t i = 0; i < catalogue_count(c); i++) {
		const struct service *s = catalogue_at(c, i);
		for (size_t k = 0; k < s->address_count; k++) {
			if (!add_prefix(t, service_of(t, s->id), &s->addresses[k]))
				return false;
		}
	}
	return true;
}

bool targets_add_option(struct targets *t, const char *text, const char **ret_what)
{
	char id[SERVICE_ID_MAX + 1], one[64];
	struct address_block block;
	size_t len = strcspn(text, "=");

	*ret_what = "a service and its prefixes, like shop=192.0.2.0/24,2001:db8::/32";
	if (text[len] != '=' || !text_is_id(text, len, SERVICE_ID_MAX))
		return false;
	memcpy(id, text, len);
	id[len] = '\0';
	for (const char *at = text + len + 1;; at += len + 1) {
		len = strcspn(at, ",");
		if (len == 0 || len >= sizeof(one))
			return false;
		memcpy(one, at, len);
		one[len] = '\0';
		if (!block_read(one, &block))
			return false;
		if (!add_prefix(t, service_of(t, id), &block)) {
			*ret_what = "a machine with more memory";
			return false;
		}
		if (at[len] == '\0')
			return true;
	}
}

bool targets_any(const struct targets *t)
{
	return t->prefix_count > 0;
}

/* ---- what the recording shows ---- */

static struct net *net_of(struct targets *t, const uint8_t *address, uint8_t family)
{
	uint8_t part[16] = {0};
	uint64_t bits;
	memcpy(part, address, family == 4 ? 3 : 6);
	memcpy(&bits, part, sizeof(bits));
	for (size_t at = hash_mix(bits ^ family) % NETS;; at = (at + 1) % NETS) {
		struct net *n = &t->nets[at];
		if (n->family == family && memcmp(n->address, part, sizeof(part)) == 0)
			return n;
		if (n->family != 0)
			continue;
		if (t->net_count == NETS_MAX)
			return NULL;
		t->net_count++;
		memcpy(n->address, part, sizeof(part));
		n->family = family;
		return n;
	}
}

static void count_host(struct net *n, const uint8_t *address, uint64_t packets)
{
	if (memcmp(n->most, address, sizeof(n->most)) == 0) {
		n->lead += packets;
		n->most_in += packets;
	} else if (n->lead >= packets) {
		n->lead -= packets;
	} else {
		memcpy(n->most, address, sizeof(n->most));
		n->lead = packets - n->lead;
		n->most_in = n->lead;
	}
}

/* One sender and whoever joined: television. A flood of its own link may go to such addresses. */
static bool is_broadcast_programme(const struct flow *f)
{
	if (f->family == 6)
		return f->dst[0] == 0xff && (f->dst[1] & 15) > 2;
	return (f->dst[0] & 0xf0) == 224 && (f->dst[0] != 224 || f->dst[1] != 0 || f->dst[2] != 0);
}

void targets_see(struct targets *t, const struct flow *flows, size_t count)
{
	if (t->nets == NULL && (t->nets = calloc(NETS, sizeof(*t->nets))) == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		const struct flow *f = &flows[i];
		uint64_t packets = f->packets * f->sampling;
		if (is_broadcast_programme(f))
			continue;
		struct net *to = net_of(t, f->dst, f->family);
		t->packets += packets;
		if (to != NULL) {
			to->in += packets;
			count_host(to, f->dst, packets);
		}
		struct net *from = net_of(t, f->src, f->family);
		if (from != NULL)
			from->out += packets;
	}
}

/* "192.0.2.7" or "192.0.2.0-24": an id has no ':' and no '/'. */
static void name_of(const struct address_block *b, char *dst, size_t dst_size)
{
	char text[INET6_ADDRSTRLEN] = "";
	bool host = b->bits == (b->family == 4 ? 32 : 128);
	inet_ntop(b->family == 4 ? AF_INET : AF_INET6, b->address, text, sizeof(text));
	for (char *c = text; *c != '\0'; c++)
		*c = *c == ':' ? '-' : *c;
	size_t len = strlen(text);
	snprintf(dst, dst_size, "%s%s%s", text[0] == '-' ? "0" : "", text,
		 len > 0 && text[len - 1] == '-' ? "0" : "");
	len = strlen(dst);
	if (!host)
		snprintf(dst + len, dst_size - len, "-%u", b->bits);
}

static bool is_one_host(const struct net *n)
{
	return n->most_in >= n->in - n->in / 10;
}

static bool adopt_block(struct targets *t, const struct address_block *b)
{
	char id[SERVICE_ID_MAX + 1];
	name_of(b, id, sizeof(id));
	return add_prefix(t, service_of(t, id), b);
}

static bool adopt(struct targets *t, const struct net *n, unsigned shorter)
{
	bool host = shorter == 0 && is_one_host(n);
	struct address_block b = {.family = n->family};
	unsigned net = n->family == 4 ? 24 - shorter : 48 - 2 * shorter;
	b.bits = (uint8_t)(!host ? net : n->family == 4 ? 32 : 128);
	memcpy(b.address, host ? n->most : n->address, sizeof(b.address));
	return adopt_block(t, &b);
}

static int by_received(const void *a, const void *b)
{
	const struct net *na = a, *nb = b;
	if (na->in != nb->in)
		return na->in < nb->in ? 1 : -1;
	return memcmp(na->address, nb->address, sizeof(na->address));
}

static bool receives(const struct targets *t, const struct net *n)
{
	return n->in > 0 && n->in >= t->packets / 10 && n->out / 2 <= n->in;
}

static size_t receiving(const struct targets *t)
{
	size_t count = 0;
	for (size_t i = 0; i < NETS; i++)
		count += receives(t, &t->nets[i]);
	return count;
}

static int by_address(const void *a, const void *b)
{
	const struct net *na = a, *nb = b;
	if (na->family != nb->family)
		return na->family < nb->family ? -1 : 1;
	return memcmp(na->address, nb->address, sizeof(na->address));
}

/* Nets that have their first bits in common become one: a sixteenth as many at the most, with
 * each step. An attack at a whole network is at none of its parts. */
static void widen(struct targets *t, unsigned shorter)
{
	size_t kept = 0;
	for (size_t i = 0; i < NETS; i++) {
		struct net *n = &t->nets[i];
		if (n->family == 4) {
			uint32_t mask = UINT32_MAX << (8 + shorter);
			n->address[1] &= (uint8_t)(mask >> 16);
			n->address[2] &= (uint8_t)(mask >> 8);
		} else if (n->family == 6) {
			uint64_t mask = UINT64_MAX << (16 + 2 * shorter);
			for (unsigned k = 2; k < 6; k++)
				n->address[k] &= (uint8_t)(mask >> (56 - 8 * k));
		}
	}
	qsort(t->nets, NETS, sizeof(*t->nets), by_address);
	for (size_t i = 0; i < NETS; i++) {
		struct net *n = &t->nets[i];
		if (n->family == 0)
			continue;
		if (kept > 0 && by_address(&t->nets[kept - 1], n) == 0) {
			t->nets[kept - 1].in += n->in;
			t->nets[kept - 1].out += n->out;
		} else {
			struct net copy = *n;
			t->nets[kept++] = copy;
		}
	}
	memset(&t->nets[kept], 0, (NETS - kept) * sizeof(*t->nets));
	t->net_count = kept;
}

bool targets_found(const struct targets *t)
{
	return t->nets != NULL && receiving(t) > 0;
}

void targets_forget(struct targets *t)
{
	free(t->nets);
	t->nets = NULL;
	t->net_count = 0;
	t->packets = 0;
}

/* Several neighbours that receive about alike, none of them for one address: one target. */
static bool is_one_network(const struct targets *t)
{
	const struct net *first = NULL;
	size_t count = 0;
	for (size_t i = 0; i < NETS; i++) {
		const struct net *n = &t->nets[i];
		if (!receives(t, n))
			continue;
		if (is_one_host(n))
			return false;
		size_t common = n->family == 4 ? 2 : 4;
		if (first != NULL && (n->family != first->family ||
				      memcmp(n->address, first->address, common) != 0))
			return false;
		first = first == NULL ? n : first;
		count++;
	}
	return count >= 3;
}

bool targets_adopt(struct targets *t)
{
	size_t adopted = 0;
	unsigned shorter = 0;
	if (t->nets == NULL || t->packets == 0)
		return true;
	while (shorter < SHORTER_MAX && (receiving(t) == 0 || is_one_network(t)))
		widen(t, shorter += SHORTER_STEP);
	qsort(t->nets, NETS, sizeof(*t->nets), by_received);
	for (size_t i = 0; i < NETS && adopted < TARGETS_ADOPTED_MAX; i++) {
		if (!receives(t, &t->nets[i]))
			continue;
		if (!adopt(t, &t->nets[i], shorter))
			return false;
		adopted++;
	}
	return adopted > 0 || adopt(t, &t->nets[0], shorter); /* what received the most */
}

enum wd_err targets_table(struct targets *t, const struct prefix_table **ret_table,
			  const char *const **ret_services, uint32_t *ret_count,
			  struct wd_why *why)
{
	static const struct prefix none;
	enum wd_err err = prefix_open(t->prefixes != NULL ? t->prefixes : &none, t->prefix_count,
				      &t->table, why);
	if (err != WD_OK)
		return err;
	*ret_table = t->table;
	*ret_services = (const char *const *)t->services;
	*ret_count = (uint32_t)t->service_count;
	return WD_OK;
}
