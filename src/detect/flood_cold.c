/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/flood_cold.h"

#include "detect/flood_shape.h"

#include <math.h>

static const float overwhelming = 4;  /* floors, of many sources, in one tick */
static const float datagram_floors = 10, stream_floors = 5, few_floors = 4;
static const float equal_floors = 2, loose_floors = 3, talk_floors = 20; /* of datagrams */
static const float trouble_floors = 2, fragment_floors = 2;
static const float few_sources = 16;
static const float roam_floors = 10, scan_floors = 50;
static const float large = 700;       /* bytes: mean of an answer that amplifies */
static const float fair = 400;        /* … of many, in one tick; a resolver's are shorter */
static const float probe_size = 200;  /* bytes: what looks around sends no more */
static const float marked_min = 0.5F; /* of a class: begins as answers of third parties do */
static const float synacks_max = 0.1F; /* of TCP: as many come before what was asked for */
static const float request_size = 60; /* bytes: what is sent back is more than RST and ACK */
static const float closes_min = 1 / 3.0F; /* of opened connections, in usual traffic */
static const float ends_share = 0.3F; /* of TCP: after a crowd has left there are many, too */
static const float ends_max = 2;      /* packets that end a connection, for each that opens one */
static const uint32_t records_min = 12, records_few = 2;
static const uint32_t pairs_min = 8;
static const float talk_min = 0.8F, loose_max = 0.2F, loose_streams_max = 0.1F;
static const float one_each = 0.8F, few_each = 0.3F; /* sources for a packet */
static const float bare_size = 80;    /* bytes: no room for more than headers, IPv6's too */
static const float unfilled_size = 1000; /* bytes: what is brought fills its packets */
static const float unanswered = 0.02F; /* packets: one acknowledges no more than some forty */
static const float risen_min = 0.5F;  /* of a class: more than a moment ago */
static const uint32_t pairs_some = 4;
static const float first_many = 2, first_few = 8; /* floors: enough where nothing was before */
static const float full_size = 100;   /* bytes: more than acknowledges something, or keeps alive */
static const float opens_several = 2; /* floors, of thirty sources */
static const float each_some = 0.5F;
static const float aside_max = 0.5F; /* of datagrams: answered, so that the rest stands out */
static const float rest_min = 0.7F;  /* who talks has sources, too, and the fewer answers more */
static const float anew_each = 24, alone_floors_min = 1.5F, alone_each = 0.6F;
static const uint32_t alone_records = 6;
static const float talking_min = 6, deaf_max = 0.1F, old_min = 3; /* connections watched */

struct sight {
	struct flood_shape shape;
	float floors;  /* this tick, in packet floors */
	float floors_mean;
	float unit;    /* packets a tick that a record of the sample stands for */
	bool many;     /* sources: at least a hundred, or one for every two packets seen */
	bool several; /* thirty, or many */
	bool answered; /* the service sends back a tenth as much, or more */
	bool unsampled;
	float each;    /* sources for a packet seen */
	/* Of datagrams what talks, or is usual, is set aside as far as it is answered: */
	float rest;        /* share of the packets that is left; 1 = all, nothing was */
	float pairs, same; /* of the rest: records of sources seen before, between the same ports */
	float equal;       /* of the rest: share of the commonest size, at most */
};

static void count_sources(const struct flood_cold *c, struct sight *s)
{
	double sources = traffic_class_sources(c->tick, c->class);
	const struct traffic_sum *in = &c->tick->in[c->class];
	double seen = (double)in->seen;

	if (sources < 0) /* found no place */
		sources = (double)s->shape.sources;
	s->many = sources >= 100 || (sources >= 8 && sources >= 0.5 * seen);
	s->several = s->many || sources >= 30;
	s->each = seen > 0 ? (float)(sources / seen) : 0;
	s->unsampled = (double)in->packets < 2 * seen;
}

/* Between changing ports, or each packet from somebody else: nobody talks. Of what is sampled
 * each packet is from somebody else, too. */
static bool loose(const struct sight *s, float most)
{
	bool strangers = s->unsampled && s->each >= one_each * fmaxf(s->rest, rest_min);

	if (s->pairs >= (float)pairs_min)
		return s->same <= most * s->pairs || (s->rest < 1 && strangers);
	if (s->pairs >= (float)pairs_some && s->same <= 0 && s->each >= each_some)
		return s->unsampled;
	return strangers;
}

/* The same of equal datagrams: few sources were seen twice, but the ports are all over. */
static bool aimless(const struct sight *s)
{
	return s->pairs < (float)pairs_min && s->unsampled && s->each >= 0.5F &&
	       s->shape.ports >= 0.5F * (float)s->shape.records;
}

static bool talks(const struct sight *s)
{
	return s->pairs >= (float)pairs_min && s->same >= talk_min * s->pairs && s->shape.has_ports;
}

static bool scans(const struct sight *s)
{
	return s->shape.top_source >= 0.5F && s->shape.top_scan;
}

/* Who looks around with datagrams keeps them short. */
static bool probes(const struct sight *s)
{
	return scans(s) && s->shape.top_size < probe_size;
}

static enum flood_cold_verdict many_or_hit(const struct sight *s)
{
	return s->many && s->floors >= overwhelming ? FLOOD_COLD_OVER : FLOOD_COLD_HIT;
}

/* What a client fetches comes in parts of conversations, each to a port of its own, of which the
 * handshakes that amplify are the smallest part. */
static bool fetched(const struct flood_plan *plan, const struct flood_cold *c,
		    const struct sight *s)
{
	bool parts = !loose(s, loose_max) && s->shape.top_port < 0.8F && s->each < few_each;

	if (plan->habit[c->class] != FLOOD_BULK || (s->many && !parts))
		return false;
	return !s->many || flood_shape_marked(c->tick, plan, c->class, true) < marked_min;
}

static bool to_one_port(const struct flood_cold *c, const struct sight *s)
{
	return s->shape.sources >= 8 && s->shape.top_port >= 0.8F &&
	       c->tick->out[c->class].packets == 0;
}

/* Answers that no service gets by the thousand, of whatever size, spread over whomever. */
static bool never_asked(const struct flood_plan *plan, const struct flood_cold *c)
{
	return plan->habit[c->class] == FLOOD_TALK;
}

/* Few sources: from one alone no less than a transfer would be. Backends that answer a proxy say
 * more than that a connection is open. */
static enum flood_cold_verdict answers_of_few(const struct flood_plan *plan,
					      const struct flood_cold *c, const struct sight *s,
					      float size)
{
	bool trouble = plan->habit[c->class] == FLOOD_TROUBLE;
	bool alone = c->class != plan->synack_class || c->packets >= 0.5F * c->tcp;
	bool bulk = size >= large && (s->shape.sources >= 2 ||
				      c->bytes_mean * 32 >= (float)plan->bits_floor);
	bool equal = s->shape.one_size >= 0.5F && s->shape.sources >= 2 && alone;

	bool strange = never_asked(plan, c) && s->shape.sources >= 8;

	bool enough = s->floors >= few_floors && (trouble || bulk || equal || strange);
	return enough ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

/* With their fragments. All of a short recording may be in one tick. */
static enum flood_cold_verdict answers_of_many(const struct sight *s, float size, float fragments)
{
	float floors = s->floors * (1 + fragments);
	bool over = size >= fair ? s->several && floors >= 1 : s->many && floors >= overwhelming;

	return over ? FLOOD_COLD_OVER : FLOOD_COLD_HIT;
}

static enum flood_cold_verdict answers(const struct flood_plan *plan, const struct flood_cold *c,
				       const struct sight *s)
{
	float bits_per_s = c->bytes_mean * 32;
	float size = c->packets_mean > 0 ? c->bytes_mean / c->packets_mean : 0;
	float now = c->packets > 0 ? c->bytes / c->packets : 0;
	float fragments = c->packets > 0 && c->fragments < 100 * c->packets
				  ? c->fragments / c->packets : 0;

	if (fetched(plan, c, s))
		return FLOOD_COLD_NO;
	if (bits_per_s >= plan->answers_bits_floor && size >= large && s->shape.sources >= 2)
		return answers_of_many(s, now, fragments);
	if ((s->floors_mean < 1 && s->floors < 1) || s->shape.records < records_min)
		return FLOOD_COLD_NO;
	bool enough = now >= fair ? s->several : s->many;
	if (enough && (c->out_seen || never_asked(plan, c) || s->shape.one_size >= 0.5F ||
		       s->shape.sources >= 0.3F * (float)s->shape.records))
		return answers_of_many(s, now, fragments);
	if (s->floors >= equal_floors && to_one_port(c, s))
		return many_or_hit(s);
	return answers_of_few(plan, c, s, size);
}

/* Does the service send back a tenth as much, or more? Where there is much more than a moment ago,
 * what it sent then anyway is no answer to that. */
static bool answered(const struct flood_cold *c)
{
	float more = c->packets_mean - c->usual; /* of a second: a tick may be chance */

	if (!c->out_seen || c->out * 10 < c->packets)
		return false;
	return more < risen_min * c->packets_mean || c->out_more * 10 >= more;
}

/* Does the service send back more than "no"? */
static bool asks(const struct flood_cold *c, uint8_t stream_class)
{
	const struct traffic_sent *out = &c->tick->out[stream_class];

	return answered(c) &&
	       (double)out->bytes > (double)request_size * (double)out->packets;
}

/* Each packet of a conversation is answered, about; what is sent is the answer to no more. Half
 * of all answered is a service that answers. Who talks is then in the sample as often. */
static void set_aside(const struct flood_plan *plan, const struct flood_cold *c, struct sight *s)
{
	float part = c->packets > 0 && c->out_seen ? c->out / c->packets : 0;

	s->rest = 1;
	s->pairs = (float)s->shape.pairs;
	s->same = s->shape.same_talk * s->pairs;
	s->equal = s->shape.one_size;
	if (plan->nature[c->class] != FLOOD_DATAGRAM || plan->habit[c->class] == FLOOD_TROUBLE ||
	    part <= 0 || part > aside_max)
		return;
	float talking = fminf(part * (float)s->shape.records, s->same);
	s->rest = 1 - part;
	s->floors *= s->rest;
	s->pairs -= talking;
	s->same -= talking;
	s->equal /= s->rest;
}

/* Answers of third parties by how they begin, in a class that is mostly something else. */
static bool answers_by_content(const struct flood_plan *plan, const struct flood_cold *c,
			       const struct sight *s)
{
	enum flood_nature nature = plan->nature[c->class];
	bool stream = nature == FLOOD_STREAM;
	float synacks = (float)c->tick->in[plan->synack_class].packets * c->scale;

	if ((!stream && nature != FLOOD_DATAGRAM) || plan->mark_count == 0 || !s->several ||
	    s->floors < 1 || s->shape.records < records_min)
		return false;
	if (stream ? asks(c, plan->stream_class) || synacks > synacks_max * c->tcp
		   : s->answered && s->rest >= 1)
		return false;
	return flood_shape_marked(c->tick, plan, c->class, false) >= marked_min;
}

/* Are clearly fewer connections ended than opened? Packets of the sample stand for `unit`
 * each; as many as three standard deviations could be missing from it by chance. */
static bool unclosed(float closes, float opens, float unit)
{
	float n = unit > 0 ? closes / unit : 0;

	return unit > 0 && (n + 3 * sqrtf(n + 1)) * unit < closes_min * opens;
}

/* One source that opens connections by the thousand and ends few. It may be looking around:
 * then more is asked of it, most where it does so from a few ports of its own. */
static float alone_floors(const struct flood_shape *shape)
{
	return shape->top_scan ? scan_floors : shape->top_roams ? roam_floors : few_floors;
}

bool flood_cold_scans(const struct flood_plan *plan, const struct flood_shape *shape,
		      float packets)
{
	float floors = shape->top_source * packets * 4 / (float)plan->packets_floor;

	return shape->top_roams && floors < alone_floors(shape);
}

static bool opens_alone(const struct flood_cold *c, const struct sight *s)
{
	float packets = s->shape.top_source * c->packets;

	return s->shape.top_source * s->floors >= alone_floors(&s->shape) &&
	       unclosed(s->shape.top_closes * c->scale, packets, s->unit);
}

/* Few together, of which none looks around: two or three shared addresses, say. */
static bool opens_few(const struct flood_cold *c, const struct sight *s)
{
	float closes = (float)flood_shape_ends(c->tick).packets;

	return s->floors >= few_floors && s->shape.sources >= 2 && !s->shape.top_roams &&
	       unclosed(closes * c->scale, c->packets, s->unit);
}

/* All but one source that stands out. */
static enum flood_cold_verdict opening(const struct flood_cold *c, const struct sight *s)
{
	float top = s->shape.top_source >= 0.2F ? s->shape.top_source : 0;
	float packets = (1 - top) * c->packets, floors = (1 - top) * s->floors;
	float closes = (float)flood_shape_ends(c->tick).packets -
		       (top > 0 ? s->shape.top_closes : 0);
	bool left_open = unclosed(closes * c->scale, packets, s->unit);

	if (opens_alone(c, s))
		return FLOOD_COLD_HIT;
	if (floors < 1)
		return FLOOD_COLD_NO;
	if (s->many && (left_open || s->shape.one_hop >= 0.9F ||
			packets >= 0.5F * (c->tcp - top * c->packets)))
		return many_or_hit(s);
	bool enough = floors >= (s->several ? opens_several : few_floors);
	return (enough && left_open) || opens_few(c, s) ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

static enum flood_cold_verdict stray(const struct sight *s)
{
	if (s->floors < 1 || scans(s))
		return FLOOD_COLD_NO;
	if (s->many)
		return many_or_hit(s);
	return s->floors >= few_floors && s->shape.one_size >= 0.8F ? FLOOD_COLD_HIT
								     : FLOOD_COLD_NO;
}

/* A connection is ended about once from each side, or refused once. A flow that was summed up has
 * more in it. */
static enum flood_cold_verdict ends(const struct flood_plan *plan, const struct flood_cold *c,
				    struct sight *s)
{
	const struct traffic_sum *in = &c->tick->in[c->class];
	float more = c->packets - ends_max * c->syn - c->syn_out;

	if (in->seen > 2 * in->records || c->packets < ends_share * c->tcp)
		return FLOOD_COLD_NO;
	s->floors = more * 4 / (float)plan->packets_floor;
	return stray(s);
}

/* Of conversations: calls have a port each. */
static bool equal_to_one_port(const struct flood_cold *c, const struct sight *s)
{
	return s->many && s->shape.top_port >= 0.8F && c->bytes >= full_size * c->packets;
}

static enum flood_cold_verdict equal_datagrams(const struct flood_cold *c, const struct sight *s,
					       float floors)
{
	if (loose(s, loose_max) || aimless(s))
		return floors >= equal_floors ? many_or_hit(s) : FLOOD_COLD_NO;
	if (s->floors >= stream_floors && equal_to_one_port(c, s))
		return FLOOD_COLD_HIT;
	if (s->floors < (talks(s) ? talk_floors : datagram_floors))
		return FLOOD_COLD_NO;
	return FLOOD_COLD_OVER;
}

static enum flood_cold_verdict tunnels(const struct sight *s, float floors)
{
	return s->many && floors >= loose_floors ? many_or_hit(s) : FLOOD_COLD_NO;
}

static enum flood_cold_verdict datagrams(const struct flood_plan *plan, const struct flood_cold *c,
					 const struct sight *s)
{
	float bit_floors = s->rest * c->bytes * 32 / (float)plan->bits_floor;
	float floors = s->floors > bit_floors ? s->floors : bit_floors;
	enum flood_habit habit = plan->habit[c->class];
	bool equal = s->equal >= 0.8F && habit != FLOOD_EQUAL;
	bool nobody = loose(s, loose_max) && habit != FLOOD_EQUAL && habit != FLOOD_REQUEST;
	bool is_answered = s->answered && !(s->rest < 1 && (nobody || (equal && aimless(s))));
	/* What a collector gets from its own network came over one distance, too. */
	bool one_way_in = s->shape.one_hop >= 0.9F && s->shape.sources >= few_sources && !talks(s);

	if (floors < trouble_floors || probes(s) || is_answered)
		return FLOOD_COLD_NO;
	if (habit == FLOOD_TROUBLE)
		return many_or_hit(s);
	if (habit == FLOOD_TUNNEL)
		return tunnels(s, floors);
	if (equal && equal_datagrams(c, s, floors) != FLOOD_COLD_NO)
		return equal_datagrams(c, s, floors);
	/* Video and games come in all sizes from many sources too. */
	bool shaped = nobody || one_way_in || (c->out_seen && !talks(s));
	if (s->many && floors >= loose_floors && shaped)
		return many_or_hit(s);
	if (floors >= datagram_floors && nobody)
		return FLOOD_COLD_HIT;
	if (floors < datagram_floors || !c->out_seen)
		return FLOOD_COLD_NO;
	return s->many ? FLOOD_COLD_OVER : talks(s) ? FLOOD_COLD_NO : FLOOD_COLD_HIT;
}

static bool one_place(const struct sight *s)
{
	return s->many && s->shape.one_hop >= 0.9F && s->shape.sources >= few_sources &&
	       s->shape.one_size >= 0.8F && s->floors >= stream_floors;
}

/* Who sends acknowledgements gets data; here the service sends next to nothing. */
static bool acknowledges_nothing(const struct flood_cold *c, const struct sight *s)
{
	return c->out_seen && s->many && s->floors >= stream_floors && s->shape.one_size >= 0.8F &&
	       c->bytes <= bare_size * c->packets;
}

/* Who is sent data acknowledges it; equal data that gets no answer continues no transfer, whose
 * packets are full but the last. */
static bool data_for_nobody(const struct flood_cold *c, const struct sight *s)
{
	return c->out_seen && s->several && s->floors >= stream_floors &&
	       s->shape.one_size >= 0.8F && c->bytes <= unfilled_size * c->packets &&
	       c->out < unanswered * c->packets;
}

/* Acknowledgements of usual traffic are of one size too, but they belong to connections, come
 * over all distances, among data and closed connections, and are answered. */
static enum flood_cold_verdict streams(const struct flood_cold *c, const struct sight *s)
{
	bool equal = s->shape.one_size >= 0.8F;
	float closes = (float)flood_shape_ends(c->tick).connections * c->scale;

	if (one_place(s))
		return many_or_hit(s);
	/* Where flags are not exported, looking around does not say that it opens connections. */
	if (scans(s) && s->shape.top_source * s->floors < scan_floors)
		return FLOOD_COLD_NO;
	if (s->floors < (equal ? equal_floors : loose_floors) || s->answered)
		return FLOOD_COLD_NO;
	if (c->packets < 0.9F * c->tcp || closes > 0.01F * c->packets ||
	    c->syn > 0.02F * c->packets)
		return FLOOD_COLD_NO;
	bool nobody = loose(s, loose_streams_max) || acknowledges_nothing(c, s) ||
		      data_for_nobody(c, s);
	return nobody ? many_or_hit(s) : FLOOD_COLD_NO;
}

/* Parts of datagrams, of which the first part is not there, or is nothing by itself. */
static enum flood_cold_verdict fragments(const struct flood_plan *plan, const struct flood_cold *c,
					 const struct sight *s)
{
	if (s->floors < fragment_floors || s->answered || c->packets < 0.5F * (c->all - c->tcp))
		return FLOOD_COLD_NO;
	if (s->many)
		return many_or_hit(s);
	/* A file server sends such, too. */
	bool heavy = s->floors >= stream_floors ||
		     c->bytes * 32 >= stream_floors * (float)plan->bits_floor;
	return heavy && s->shape.sources >= 3 ? FLOOD_COLD_HIT : FLOOD_COLD_NO;
}

/* Packets a tick, in floors, with flags that no system sends, whichever: a tool may draw them. */
static float never_floors(const struct flood_plan *plan, const struct flood_cold *c)
{
	double packets = 0;

	for (int i = 0; i < plan->class_count; i++) {
		if (plan->habit[i] == FLOOD_NEVER)
			packets += (double)c->tick->in[i].packets;
	}
	return (float)packets * c->scale * 4 / (float)plan->packets_floor;
}

static enum flood_cold_verdict by_nature(const struct flood_plan *plan, const struct flood_cold *c,
					 struct sight *s)
{
	if (plan->habit[c->class] == FLOOD_END)
		return ends(plan, c, s);
	/* Of packets the flags are known. */
	if (c->class == plan->null_class && c->class != 0 && s->shape.packets)
		return stray(s);
	switch ((enum flood_nature)plan->nature[c->class]) {
	case FLOOD_ANSWER:
		return answers(plan, c, s);
	case FLOOD_SYN:
		return opening(c, s);
	case FLOOD_STRAY:
		return stray(s);
	case FLOOD_STREAM:
		return streams(c, s);
	case FLOOD_FRAGMENT:
		return fragments(plan, c, s);
	case FLOOD_DATAGRAM:
		break;
	}
	return datagrams(plan, c, s);
}

/* Packets of many that nobody answers, while what talks beside them is answered: then it is not
 * that answers go another way, or were lost. Set aside is what the thin ones may have lost of
 * their answers, and what comes of connections that are gone, for who finds out opens others: some
 * at once, more later. */
static bool alone(const struct flood_plan *plan, const struct flood_cold *c)
{
	const struct talk_sum *t = &c->tick->talk;
	float packets = talk_alone_of(t, c->class).packets;
	float left = (packets - t->thin - anew_each * t->anew) * c->scale;
	struct flood_shape shape;

	if (plan->nature[c->class] != FLOOD_STREAM || packets < (float)records_min * t->unit ||
	    left * 4 < alone_floors_min * (float)plan->packets_floor)
		return false;
	if (c->talk->talking < talking_min || c->talk->deaf > deaf_max * c->talk->talking ||
	    c->talk->old < old_min)
		return false;
	flood_shape_alone(c->tick, c->class, &shape);
	return shape.records >= alone_records &&
	       shape.sources >= fminf(alone_each * (float)shape.records, few_sources);
}

enum flood_cold_verdict flood_cold_judge(const struct flood_plan *plan, const struct flood_cold *c)
{
	struct sight s = {.floors = c->packets * 4 / (float)plan->packets_floor,
			  .floors_mean = c->packets_mean * 4 / (float)plan->packets_floor};
	enum flood_nature nature = plan->nature[c->class];
	float bits = c->bytes_mean * 32, bits_now = c->bytes * 32;

	if (c->seen < (float)plan->seen_min)
		return FLOOD_COLD_NO;
	if (plan->habit[c->class] == FLOOD_NEVER)
		s.floors = never_floors(plan, c);
	if (s.floors < 1 && s.floors_mean < 1 && bits_now < (float)plan->bits_floor &&
	    !(nature == FLOOD_ANSWER && bits >= (float)plan->answers_bits_floor))
		return FLOOD_COLD_NO;
	flood_shape_of(c->tick, c->class, &s.shape);
	if (s.shape.records < (nature == FLOOD_ANSWER ? records_few : records_min))
		return FLOOD_COLD_NO;
	count_sources(c, &s);
	s.unit = c->packets / (float)s.shape.records;
	s.answered = answered(c);
	set_aside(plan, c, &s);
	if (answers_by_content(plan, c, &s))
		return many_or_hit(&s);
	enum flood_cold_verdict verdict = by_nature(plan, c, &s);
	if (verdict != FLOOD_COLD_OVER && alone(plan, c))
		return FLOOD_COLD_ALONE;
	bool over = c->first && s.floors >= (s.many ? first_many : first_few);
	return verdict == FLOOD_COLD_HIT && over ? FLOOD_COLD_OVER : verdict;
}
