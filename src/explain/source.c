/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/source.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Limits. The captures behind them: forged SYNs had 7.71 bits of /8 entropy and 1.00 bit of
 * hops; true reflectors 3.8 to 4.0 bits of hops; answers off a few CDNs 3.24 and 1.28. */
enum { NOBODY_BLOCKS = 3 };    /* of eight bits: one alone may be some network's own use */
enum { SEEN_MIN = 30, FEW_SOURCES = 16, MANY_SEEN = 1000 };
#define OCTETS_UNIFORM 7.0     /* bits; of 8 */
#define OCTETS_UNIFORM_EQUAL 60.0 /* equally busy /8s: the same from few records */
#define OCTETS_SPREAD 5.0      /* bits: so many places cannot all be as far away */
#define HOPS_ONE_PLACE 1.5     /* bits */
#define HOPS_MANY_PLACES 2.5
#define HOPS_IMPOSSIBLE 0.1    /* share of TTLs that no path leaves: made up by packet */
#define ONE_EACH 1.2           /* packets a source */
#define UNROUTABLE 0.02        /* share of addresses that cannot be on the Internet */
#define NO_HOSTS 0.9           /* the same, of few sources: then no handshake will ever tell */
#define NOBODY 0.1             /* share of IPv6 addresses where nobody was ever given any */
#define SILENT 0.02            /* share of addresses in /8s that send nothing (profile_silent) */
#define MARKED 0.9             /* share of packets with a tool's mark */
#define PROVED 0.5             /* share of packets inside completed handshakes */
#define ASKED 0.25             /* packets asked for that explain one answer packet */

struct marks {
	bool each_known, one_each, uniform, one_place, any_ttl, tool, unroutable, silent, nobody;
	unsigned count, possible; /* found; that could have been found */
};

static struct marks find_marks(const struct source_facts *f, const struct source_finding *r)
{
	const struct profile *p = f->profile;
	double each = f->sources > 0 ? f->seen / f->sources : -1;
	double equal = profile_octets_effective(p);
	bool spread = r->octet_entropy >= 0 ? (double)r->octet_entropy >= OCTETS_SPREAD
					    : equal >= OCTETS_UNIFORM_EQUAL;
	struct marks m = {0};

	/* A sample of few shows each source once whatever they do. */
	bool each_known = each > 0 && f->seen >= MANY_SEEN && f->packets < 2 * f->seen;
	m.each_known = each_known;
	m.one_each = each_known && each <= ONE_EACH;
	m.uniform = r->octet_entropy >= 0 ? (double)r->octet_entropy >= OCTETS_UNIFORM
					  : equal >= OCTETS_UNIFORM_EQUAL;
	/* True paths have neither all one length, nor any: tools set one TTL, or a random one. */
	m.any_ttl = r->hop_entropy >= 0 && profile_too_far(p) >= HOPS_IMPOSSIBLE;
	m.one_place = m.any_ttl || (spread && r->hop_entropy >= 0 &&
				    (double)r->hop_entropy <= HOPS_ONE_PLACE);
	m.tool = p->packet_weight > 0 &&
		 profile_share((double)p->sequence_low_zero, (double)p->packet_weight) >= MARKED;
	m.unroutable = p->octets_seen != 0 && profile_unroutable(p) >= UNROUTABLE;
	/* Some networks use these /8s inside: then they are not all over the others, too. */
	m.silent = m.uniform && profile_silent(p) >= SILENT;
	m.nobody = m.unroutable && p->octets_seen == OCTETS_IPV6 &&
		   profile_unroutable(p) >= NOBODY &&
		   profile_reserved_blocks(p) >= NOBODY_BLOCKS;
	m.count = (unsigned)m.one_each + m.uniform + m.one_place + m.tool + m.unroutable +
		  m.silent;
	m.possible = (unsigned)each_known + (r->octet_entropy >= 0 || equal >= 0) +
		     (r->hop_entropy >= 0) + (p->packet_weight > 0);
	return m;
}

/* Adds words, cut at the maximum. */
static void say(char *dst, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(char *dst, const char *fmt, ...)
{
	size_t used = strlen(dst);
	va_list args;
	va_start(args, fmt);
	vsnprintf(dst + used, TRACE_TEXT_MAX + 1 - used, fmt, args);
	va_end(args);
}

static void say_numbers(const struct source_facts *f, struct source_finding *r)
{
	double each = f->sources > 0 ? fmax(1, f->seen / f->sources) : 0;
	if (each > 0) /* no powers of ten: it stands in a sentence */
		say(r->why, each < 1.005 ? ": %.0f packet a source"
			    : each < 100 ? ": %.3g packets a source"
					 : ": %.0f packets a source", each);
	if (r->octet_entropy >= 0)
		say(r->why, ", /8 entropy %.2f of 8 bits", (double)r->octet_entropy);
	if (r->hop_entropy >= 0)
		say(r->why, ", hops %.2f bits", (double)r->hop_entropy);
}

static void judge_reflector(const struct source_facts *f, struct source_finding *r)
{
	const struct vector_row *row = f->row;
	if (f->asked > ASKED * f->packets) {
		r->status = SOURCE_UNKNOWN;
		say(r->why, "answers, but the service asked: it sent %.0f packets for %.0f",
		    f->asked, f->packets);
		return;
	}
	r->status = SOURCE_REFLECTOR;
	uint16_t port = 0;
	(void)profile_top_share(&f->profile->sport, f->profile->weight, &port);
	if (row->family == VECTOR_AMPLIFICATION && port != 0)
		say(r->why, "answers of third parties that nobody here asked for, from port %u",
		    port);
	else
		say(r->why, "answers of third parties that nobody here asked for");
	if (row->payload_len > 0 && f->profile->payload_weight > 0)
		say(r->why, "; their content confirms it");
	if (f->asked > 0)
		say(r->why, "; %.0f asked for", f->asked);
}

static void judge_proved(const struct source_facts *f, double share, struct source_finding *r)
{
	r->status = SOURCE_PROVED;
	if (f->acknowledged > 0 && f->acknowledged >= share)
		say(r->why, "handshakes completed: %.0f %% of the sampled TCP continued "
		    "connections seen opening", 100 * share);
	else
		say(r->why, "handshakes completed: %.0f %% of packets are in flows with a SYN "
		    "and what follows it", 100 * share);
	say(r->why, "; machines took part, not people");
}

/* Whoever forges a SYN can forge, from the same address, what a true sender would send next: only
 * an answer that reached it could be seen to be false. So what looks like a handshake proves
 * nothing where the addresses cannot be, or bear two marks that no crowd has together. */
static bool is_contradicted(const struct marks *m)
{
	return m->unroutable || m->uniform + m->one_place + m->tool + m->silent >= 2;
}

static void say_impossible(const struct marks *m, const struct source_facts *f,
			   struct source_finding *r)
{
	if (m->unroutable)
		say(r->why, f->profile->octets_seen == OCTETS_IPV6
				    ? ", %.0f %% from blocks that nobody was given"
				    : ", %.0f %% unroutable",
		    100 * profile_unroutable(f->profile));
	if (m->silent)
		say(r->why, ", %.0f %% from /8s that nobody sends from",
		    100 * profile_silent(f->profile));
}

static void judge_contradicted(const struct marks *m, const struct source_facts *f,
			       struct source_finding *r)
{
	r->status = SOURCE_UNKNOWN;
	say(r->why, "like completed handshakes, but bearing marks of forgery");
	say_numbers(f, r);
	say_impossible(m, f, r);
	say(r->why, "; answers would tell");
}

static void judge_spoofed(const struct marks *m, const struct source_facts *f,
			  struct source_finding *r)
{
	r->status = SOURCE_SPOOFED;
	say(r->why, "forged");
	say_numbers(f, r);
	if (m->tool)
		say(r->why, ", sequence numbers end in 16 zero bits");
	if (m->any_ttl)
		say(r->why, ", %.0f %% of TTLs that no path leaves",
		    100 * profile_too_far(f->profile));
	say_impossible(m, f, r);
}

static void judge_unknown(const struct source_facts *f, struct source_finding *r)
{
	r->status = SOURCE_UNKNOWN;
	if (f->seen < SEEN_MIN) {
		say(r->why, "only %.0f packets were looked at; more would tell", f->seen);
		return;
	}
	if (r->few && profile_unroutable(f->profile) >= NO_HOSTS) {
		say(r->why, "%.0f source%s that no host on the Internet has: forged, or sent "
		    "within its own network by who has no address yet",
		    ceil(f->sources - 0.5), f->sources < 1.5 ? "" : "s");
		return;
	}
	if (r->few) {
		say(r->why, "%.0f source%s, no handshake seen: could be forged; a completed "
		    "connection or the network's operator would tell", ceil(f->sources - 0.5),
		    f->sources < 1.5 ? "" : "s");
		return;
	}
	say(r->why, "no handshake, and not enough marks of forgery");
	say_numbers(f, r);
	say(r->why, r->hop_entropy < 0 ? "; TTLs would tell" :
	    f->profile->protocol == 6 ? "; both directions would tell" : "");
}

void source_judge(const struct source_facts *f, struct source_finding *ret)
{
	const struct profile *p = f->profile;
	double flows = fmin(1, profile_share((double)p->proved, p->weight));
	double proved = fmax(flows, f->acknowledged);

	memset(ret, 0, sizeof(*ret));
	ret->octet_entropy = (float)profile_octet_entropy(p);
	ret->hop_entropy = (float)profile_hop_entropy(p);
	ret->new_names = f->new_names;
	ret->few = f->sources >= 0 && f->sources <= FEW_SOURCES;
	struct marks m = find_marks(f, ret);
	/* Without TTLs and sequence numbers (flow exports) two marks are all there can be. From all
	 * of the Internet and yet from one place is enough where packets a source are not known;
	 * from all of it and from where nobody is always, as from all over what nobody was
	 * given. */
	bool answers = f->row != NULL && f->row->status == SOURCE_REFLECTOR;
	ret->forged = !answers && proved < PROVED && !ret->few && f->seen >= SEEN_MIN &&
		      (m.count >= 3 || (m.count == 2 && m.possible <= 2) || m.nobody ||
		       (m.uniform && (m.silent || (!m.each_known && m.one_place))));
	ret->true_sources = !ret->few && !ret->forged &&
			    (double)ret->hop_entropy >= HOPS_MANY_PLACES && !m.any_ttl;
	if (answers)
		judge_reflector(f, ret);
	else if (proved >= PROVED && is_contradicted(&m))
		judge_contradicted(&m, f, ret);
	else if (proved >= PROVED)
		judge_proved(f, proved, ret);
	else if (ret->forged)
		judge_spoofed(&m, f, ret);
	else
		judge_unknown(f, ret);
}
