/* SPDX-License-Identifier: Apache-2.0 */
#include "trace_fixture.h"

#include "base/check.h"
#include "command/vectors_read.h"
#include "decode/pcap.h"
#include "decode/testdata.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace_fixture *fixture_new(void)
{
	struct trace_fixture *x = calloc(1, sizeof(*x));
	WD_CHECK(x != NULL);
	vectors_builtin(&x->book);
	vector_book_compile(&x->book, &x->classes);
	vector_index_init(&x->index, &x->book, &x->classes);
	x->rules = (struct traffic_rules){&x->classes, address_key_of(&(struct hash_key){{7}})};
	x->random = prng_of(1, 1);
	x->sampling = 1;
	x->flood_share = 0.1;
	return x;
}

static void end_tick(struct trace_fixture *x)
{
	struct tracer_class classes[VECTOR_CLASSES_MAX];
	struct tracer_input in = {.tick = &x->tick, .classes = classes};
	double packets = 0;

	for (size_t i = 0; i < VECTOR_CLASSES_MAX; i++)
		packets += (double)x->tick.in[i].packets;
	for (uint8_t i = 1; i < VECTOR_CLASSES_MAX; i++) {
		double rate = (double)x->tick.in[i].packets * 4;
		if ((double)x->tick.in[i].packets > 0 && rate > 1.2 * x->usual[i] &&
		    (double)x->tick.in[i].packets >= x->flood_share * packets)
			classes[in.class_count++] = (struct tracer_class){
				.class = i, .began = x->tick.at, .usual_packets_per_s = x->usual[i]};
	}
	if (in.class_count > 0 || x->tracer.slot_count > 0)
		tracer_add(&x->tracer, &x->index, &in);
}

void fixture_packet(struct trace_fixture *x, const struct flow *f, bool outbound)
{
	int64_t at = f->first_ms / 250 * 250;
	struct flow one = *f;

	if (x->sampling > 1 && prng_below(&x->random, x->sampling) != 0)
		return;
	one.sampling = x->sampling > 1 ? x->sampling : f->sampling;
	if (x->tick.service[0] == '\0' || at > x->tick.at.ns / 1000000) {
		if (x->tick.service[0] == '\0')
			tracer_begin(&x->tracer, "x-20261121-1000", (wd_wall){at * 1000000});
		else
			end_tick(x);
		traffic_clear(&x->tick, "x", (wd_wall){at * 1000000});
	}
	traffic_add(&x->tick, &x->rules, &one, outbound, prng_u64(&x->random));
}

void fixture_write(struct trace_fixture *x)
{
	if (x->tick.service[0] != '\0')
		end_tick(x);
	x->tick.service[0] = '\0';
	tracer_write(&x->tracer, &x->index, NULL, &x->trace);
}

const struct trace_vector *fixture_vector(const struct trace_fixture *x, const char *id)
{
	for (uint32_t i = 0; i < x->trace.vector_count; i++) {
		if (strcmp(x->trace.vectors[i].id, id) == 0)
			return &x->trace.vectors[i];
	}
	return NULL;
}

bool fixture_capture(struct trace_fixture *x, const char *name, uint32_t inside,
		     void (*each)(struct trace_fixture *x, const struct flow *f))
{
	size_t len;
	struct pcap p;
	uint8_t *bytes = testdata_load(name, &len);
	if (bytes == NULL)
		return false;
	WD_CHECK(pcap_begin(&p, bytes, len, NULL) == WD_OK);
	for (;;) {
		struct packet packet;
		struct flow f;
		bool end;
		if (pcap_next(&p, &packet, &end, NULL) != WD_OK || end)
			break;
		if (packet_parse(&packet, NULL, &f) != WD_OK)
			continue;
		uint32_t dst = (uint32_t)f.dst[0] << 24 | (uint32_t)f.dst[1] << 16 |
			       (uint32_t)f.dst[2] << 8 | f.dst[3];
		fixture_packet(x, &f, inside != 0 && dst != inside);
		if (each != NULL)
			each(x, &f);
	}
	free(bytes);
	return true;
}

void fixture_print(const struct trace_fixture *x)
{
	for (uint32_t i = 0; i < x->trace.vector_count; i++) {
		const struct trace_vector *v = &x->trace.vectors[i];
		printf("    %s %s: %.0f packets (%.0f %%), %.0f sources, /8 %.2f, hops %.2f\n"
		       "      why: %s\n      rule: %s (%016llx)\n",
		       v->id, source_status_name(v->status), v->packets, 100 * (double)v->share,
		       v->sources, (double)v->octet_entropy, (double)v->hop_entropy, v->why, v->rule,
		       (unsigned long long)v->fingerprint);
	}
}
