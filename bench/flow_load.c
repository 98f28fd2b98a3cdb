/* SPDX-License-Identifier: Apache-2.0 */
#include "flow_load.h"

#include "intake/traffic_recipe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES = 200000, TARGETS = 256 };

static void keep(void *ctx, const uint8_t *datagram, size_t len, wd_wall at)
{
	(void)at;
	struct flow_load *l = ctx;
	if (l->len + len > l->cap) {
		l->cap = 2 * (l->len + len);
		l->bytes = realloc(l->bytes, l->cap);
	}
	if (l->count == l->lens_cap) {
		l->lens_cap = 2 * l->lens_cap + 1024;
		l->lens = realloc(l->lens, l->lens_cap * sizeof(*l->lens));
	}
	if (l->bytes == NULL || l->lens == NULL)
		exit(1);
	memcpy(l->bytes + l->len, datagram, len);
	l->len += len;
	l->lens[l->count++] = (uint32_t)len;
}

static void usual(struct prng *r, struct flow *f)
{
	recipe_address(1, (uint64_t)pow(SOURCES, prng_unit(r)) - 1, 4, f->src);
	f->protocol = prng_below(r, 5) == 0 ? 17 : 6;
	f->tcp_flags = f->protocol == 6 ? 0x1b : 0;
	f->sport = (uint16_t)(1024 + prng_below(r, 64000));
	f->dport = 443;
	f->packets = 1 + prng_below(r, 40);
	f->bytes = f->packets * (52 + prng_below(r, 1400));
}

static void attack(struct prng *r, uint32_t kind, struct flow *f)
{
	f->packets = 1;
	if (kind < 60) { /* SYN flood, forged */
		recipe_address(prng_u64(r), 0, 4, f->src);
		f->protocol = 6;
		f->tcp_flags = 2;
		f->sport = (uint16_t)prng_u64(r);
		f->dport = 443;
		f->bytes = 40;
		f->dst[3] = 7;
	} else if (kind < 80) { /* answers of name servers */
		recipe_address(2, prng_below(r, 5000), 4, f->src);
		f->protocol = 17;
		f->sport = 53;
		f->dport = (uint16_t)prng_u64(r);
		f->packets = 2;
		f->bytes = 3000;
		f->dst[3] = 9;
	} else { /* carpet */
		recipe_address(3, prng_below(r, 20000), 4, f->src);
		f->protocol = 17;
		f->sport = (uint16_t)prng_u64(r);
		f->dport = (uint16_t)prng_u64(r);
		f->packets = 4;
		f->bytes = 4 * 540;
	}
}

struct flow flow_load_flow(struct prng *r, bool spoofed, bool attacked)
{
	struct flow f = {.family = 4, .sampling = 1, .dst = {198, 51, 100, 0}};
	f.dst[3] = (uint8_t)prng_below(r, TARGETS);
	if (spoofed)
		attack(r, 0, &f);
	else if (attacked && prng_below(r, 2) == 0)
		attack(r, prng_below(r, 100), &f);
	else
		usual(r, &f);
	f.length = (uint16_t)(f.bytes / f.packets);
	f.ttl = recipe_ttl(f.src);
	f.known = FLOW_TTL | FLOW_PACKET | FLOW_FLAGS;
	return f;
}

struct flow_load flow_load_make(enum export_format format, uint64_t records, bool spoofed,
				wd_wall at)
{
	static struct export_writer w;
	struct flow_load load = {0};
	struct prng r = prng_of(20250310, 1);
	export_writer_init(&w, format, 1, wall_back(at, span_s(3600)), keep, &load);
	for (uint64_t n = 0; n < records; n++) {
		struct flow flow = flow_load_flow(&r, spoofed, n > records / 2);
		if (format == EXPORT_SFLOW) {
			flow.packets = 1;
			flow.bytes = flow.length;
		}
		export_writer_add(&w, &flow, at);
	}
	export_writer_flush(&w, at);
	return load;
}

void flow_load_free(struct flow_load *l)
{
	free(l->bytes);
	free(l->lens);
}
