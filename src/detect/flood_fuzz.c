/* SPDX-License-Identifier: Apache-2.0 */
/* Any ticks, and any bytes as a state: readings are numbers, a state that was written can be
 * read, and what is read can go on. The first byte chooses which. */
#include "detect/flood.h"

#include "base/bytes.h"
#include "base/check.h"
#include "detect/flood_testing.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vector_classes classes;
static struct flood_plan plan;
static struct flood flood, back, scratch[2];
static struct traffic_tick tick;
static uint8_t bytes[FLOOD_BYTES_MAX];

static uint64_t number(struct cur *c)
{
	uint8_t shift = cur_u8(c);

	return (uint64_t)cur_u8(c) << (shift % 57);
}

static void put_sum(struct cur *c, struct traffic_sum *sum)
{
	sum->packets = number(c);
	sum->bytes = number(c);
	sum->seen = number(c);
	sum->records = number(c);
}

static void put_sent(struct cur *c, struct traffic_sent *sent)
{
	struct traffic_sum sum;
	put_sum(c, &sum);
	*sent = (struct traffic_sent){sum.packets, sum.bytes};
}

static void put_record(struct cur *c)
{
	struct traffic_record *r = &tick.sample[tick.sample_count % TRAFFIC_SAMPLES];

	tick.sample_count = (tick.sample_count + 1) % TRAFFIC_SAMPLES;
	*r = (struct traffic_record){.packets = (float)number(c), .bytes = (float)number(c),
				     .class = cur_u8(c), .protocol = 6, .family = 4};
	r->src[0] = cur_u8(c);
	r->dst[0] = cur_u8(c);
	r->tcp_flags = r->src[0];
	r->sport = r->dport = r->dst[0];
	r->ttl = r->src[0];
	r->known = r->dst[0];
}

static void step(struct cur *c, int64_t *at)
{
	struct flood_reading r;
	uint8_t how = cur_u8(c);
	struct flood_sample sample = {.tick = how & 1 ? &tick : NULL, .at = {*at},
				      .width = {TRAFFIC_TICK_NS * (how >> 4)},
				      .frozen = how & 2};

	flood_step(&flood, &plan, &sample, &r);
	*at += how & 4 ? (int64_t)cur_u8(c) * WD_NS_PER_S : TRAFFIC_TICK_NS * 16;
	WD_CHECK(isfinite(r.log10_return) && r.log10_return >= 0);
	WD_CHECK(isfinite(r.high_packets_per_s) && isfinite(r.high_bits_per_s));
	WD_CHECK(isfinite(r.usual_packets_per_s) && isfinite(r.usual_sources));
	WD_CHECK(r.class_count <= FLOOD_CLASSES_MAX);
	for (uint32_t i = 0; i < r.class_count; i++) {
		WD_CHECK(isfinite(r.classes[i].packets_per_s));
		WD_CHECK(r.classes[i].began.ns <= sample.at.ns);
		WD_CHECK(i == 0 || r.classes[i].packets_per_s <= r.classes[i - 1].packets_per_s);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cur c = cur_over(data, size);
	int64_t at = wall_s(1700000000).ns;

	testing_classes(&classes);
	flood_plan_init(&plan, &classes);
	flood_init(&flood, &plan);
	traffic_clear(&tick, "web", (wd_wall){at});
	if (cur_u8(&c) == 0) {
		if (size > 1 && flood_read(&flood, scratch, &plan, &classes, data + 1, size - 1,
					   NULL) != WD_OK)
			return 0;
		at = flood.last;
		c = cur_over(data, size);
	}
	while (cur_left(&c) > 0) {
		uint8_t what = cur_u8(&c);

		if (what % 4 == 0)
			put_sum(&c, &tick.in[what / 4 % TESTING_CLASSES]);
		else if (what % 4 == 1)
			put_sent(&c, &tick.out[what / 4 % TESTING_CLASSES]);
		else if (what % 4 == 2)
			put_record(&c);
		else
			for (int i = 0; i <= what / 32; i++)
				step(&c, &at);
	}
	size_t len = flood_write(&flood, &classes, bytes);
	WD_CHECK(flood_read(&back, scratch, &plan, &classes, bytes, len, NULL) == WD_OK);
	return 0;
}
