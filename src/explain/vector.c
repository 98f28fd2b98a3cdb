/* SPDX-License-Identifier: Apache-2.0 */
#include "explain/vector.h"

#include "base/check.h"

#include <string.h>

enum answer { NO = -1, UNSEEN = 0, YES = 1 };

/* So that a record is held against no more rows than it can be. From the last to the first. */
static void chain_rows(struct vector_index *ix)
{
	memset(ix->first, VECTOR_NONE, sizeof(ix->first));
	ix->udp_first = VECTOR_NONE;
	for (uint32_t i = ix->book->count; i-- > 0;) {
		uint8_t class = ix->class_of[i];
		ix->next[i] = ix->first[class];
		ix->first[class] = (uint8_t)i;
		if (ix->udp == VECTOR_NONE ||
		    (class != ix->class_of[ix->udp] && !ix->book->rows[i].any_port))
			continue;
		ix->udp_next[i] = ix->udp_first;
		ix->udp_first = (uint8_t)i;
	}
	ix->first[0] = VECTOR_NONE; /* nothing is known of these */
}

void vector_index_init(struct vector_index *ix, const struct vector_book *book,
		       const struct vector_classes *classes)
{
	*ix = (struct vector_index){.book = book, .classes = classes,
				    .udp = VECTOR_NONE, .tcp = VECTOR_NONE};
	memset(ix->general, VECTOR_NONE, sizeof(ix->general));
	for (uint32_t i = 0; i < book->count; i++) {
		uint8_t class = vector_class_find(classes, book->rows[i].class);
		/* A row past the limit of classes is in the one its ports were given to. */
		if (class == 0 && book->rows[i].from_count > 0)
			class = port_class(&classes->udp_from, book->rows[i].from[0].low);
		ix->class_of[i] = class;
		if (class != 0 && ix->general[class] == VECTOR_NONE)
			ix->general[class] = (uint8_t)i;
		if (strcmp(book->rows[i].id, "udp") == 0)
			ix->udp = (uint8_t)i;
		if (strcmp(book->rows[i].id, "tcp") == 0)
			ix->tcp = (uint8_t)i;
	}
	chain_rows(ix);
}

static enum answer yes_if(bool condition)
{
	return condition ? YES : NO;
}

/* What a flow's size says of its packets: at 40 bytes each (IPv6: 60) there is no room for TCP
 * options nor data. More may be either, or a link's header that the exporter counts. */
static enum answer bare_tcp(const struct traffic_record *r)
{
	float bare = r->family == 4 ? 40 : 60;
	return r->protocol == 6 && r->packets > 0 && r->bytes > 0 && r->bytes <= bare * r->packets
		       ? YES
		       : UNSEEN;
}

static enum answer sign_of(const struct traffic_record *r, uint16_t sign)
{
	bool packet = (r->known & FLOW_PACKET) != 0;
	bool tcp = packet && r->protocol == 6;
	bool cut = (r->known & FLOW_CUT) != 0;
	bool shown = packet && (r->payload_len > 0 || (r->payload_whole == 0 && !cut));
	uint32_t target = (uint32_t)r->dst[0] << 24 | (uint32_t)r->dst[1] << 16 |
			  (uint32_t)r->dst[2] << 8 | r->dst[3];

	switch (sign) {
	case SIGN_NO_OPTIONS:
		return tcp ? yes_if(r->options_len == 0) : bare_tcp(r);
	case SIGN_OPTIONS:
		return tcp ? yes_if(r->options_len > 0) : UNSEEN;
	case SIGN_SEQUENCE_TARGET:
		return tcp && r->family == 4 ? yes_if(r->sequence == target) : UNSEEN;
	case SIGN_EMPTY:
		for (size_t i = 0; i < r->payload_len; i++) {
			if (r->payload[i] != 0)
				return NO;
		}
		return shown ? YES : UNSEEN;
	case SIGN_SAME_PORTS:
		return yes_if(r->sport == r->dport);
	case SIGN_NO_DATA:
		return packet ? yes_if(r->payload_whole == 0 && !cut) : bare_tcp(r);
	case SIGN_SEQUENCE_ZERO:
		return tcp ? yes_if(r->sequence == 0) : UNSEEN;
	case SIGN_WINDOW_ZERO:
		return tcp ? yes_if(r->window == 0) : UNSEEN;
	default:
		return UNSEEN;
	}
}

/* What makes a capture anonymous writes zeros over the payload: so many say nothing. */
static bool erased(const struct traffic_record *r)
{
	enum { ERASED_MIN = 8 };
	size_t i = 0;

	while (i < r->payload_len && r->payload[i] == 0)
		i++;
	return i == r->payload_len && i >= ERASED_MIN;
}

static enum answer payload_of(const struct traffic_record *r, const struct vector_row *row)
{
	size_t end = (size_t)row->payload_at + row->payload_len;
	bool cut = (r->known & FLOW_CUT) != 0;

	if ((r->known & FLOW_PACKET) == 0 || r->fragment == FLOW_FRAGMENT_LATER ||
	    (r->payload_len == 0 && (r->payload_whole > 0 || cut)))
		return UNSEEN;
	if (end > r->payload_len) /* shorter than the pattern, or cut by the capture */
		return r->payload_whole < end && !cut ? NO : UNSEEN;
	if (vector_payload_fits(r->payload + row->payload_at, row->payload, row->mask,
				row->payload_len))
		return YES;
	return row->from_count > 0 && erased(r) ? UNSEEN : NO;
}

static bool port_fits(const struct vector_ports *ports, size_t count, uint16_t port)
{
	for (size_t i = 0; i < count; i++) {
		if (port >= ports[i].low && port <= ports[i].high)
			return true;
	}
	return count == 0;
}

/* How much of the row the record shows; 0 if something speaks against it. */
static unsigned fit(const struct traffic_record *r, const struct vector_row *row, bool any_port)
{
	unsigned score = 1;

	if (row->payload_len > 0) {
		enum answer a = payload_of(r, row);
		if (a == NO || (a == UNSEEN && any_port))
			return 0;
		score += a == YES ? 4 : 0;
	}
	for (uint16_t sign = 1; sign <= SIGNS_OF_RECORDS; sign <<= 1) {
		if ((row->signs & sign) == 0)
			continue;
		if (sign_of(r, sign) != YES)
			return 0;
		score += sign == SIGN_SEQUENCE_TARGET ? 3 : 2; /* chance would do it never */
	}
	if (row->length_max > 0) {
		if (r->length < row->length_min || r->length > row->length_max)
			return 0;
		score++;
	}
	if (!any_port && (!port_fits(row->from, row->from_count, r->sport) ||
			  !port_fits(row->to, row->to_count, r->dport)))
		return 0;
	if (r->protocol == 1 && row->protocol == 1) {
		if ((row->icmp_type >= 0 && row->icmp_type != r->dport >> 8) ||
		    (row->icmp_code >= 0 && row->icmp_code != (r->dport & 0xff)))
			return 0;
		score += row->icmp_code >= 0;
	}
	return score;
}

/* A datagram from an amplifier's port to a service's, that is no answer: so do requests look that
 * are sent from the service's own port (NTP and DNS from 123 and 53, SIP from 5060). */
static uint8_t match_target(const struct vector_index *ix, const struct traffic_record *r)
{
	uint8_t best = VECTOR_NONE, class = port_class(&ix->classes->udp_to, r->dport);
	unsigned best_score = 0;

	if (r->protocol != 17 || ix->udp == VECTOR_NONE || class == ix->class_of[ix->udp] ||
	    r->class != port_class(&ix->classes->udp_from, r->sport) || r->class == 0)
		return VECTOR_NONE;
	for (uint8_t i = ix->first[class]; i != VECTOR_NONE; i = ix->next[i]) {
		unsigned score = fit(r, &ix->book->rows[i], false);
		if (score > best_score) {
			best = i;
			best_score = score;
		}
	}
	return best;
}

uint8_t vector_match(const struct vector_index *ix, const struct traffic_record *r)
{
	uint8_t best = VECTOR_NONE;
	unsigned best_score = 0;
	bool udp = r->protocol == 17 && ix->udp != VECTOR_NONE;
	bool other_udp = udp && r->class == ix->class_of[ix->udp];
	uint8_t i = r->class < VECTOR_CLASSES_MAX && !other_udp ? ix->first[r->class]
								: VECTOR_NONE;

	for (; i != VECTOR_NONE && r->class != 0; i = ix->next[i]) {
		unsigned score = fit(r, &ix->book->rows[i], false);
		if (score > best_score) {
			best = i;
			best_score = score;
		}
	}
	/* Not what amplifiers send from that port: it may be an answer by its content. */
	bool any = udp && (other_udp || best == VECTOR_NONE ||
			   r->class != port_class(&ix->classes->udp_from, r->sport));
	for (i = any ? ix->udp_first : VECTOR_NONE; i != VECTOR_NONE; i = ix->udp_next[i]) {
		const struct vector_row *row = &ix->book->rows[i];
		if (!other_udp && (!row->any_port || ix->class_of[i] == r->class))
			continue;
		if (!row->any_port && r->class == 0)
			continue;
		unsigned score = fit(r, row, row->any_port);
		if (score > best_score) {
			best = i;
			best_score = score;
		}
	}
	return best == VECTOR_NONE ? match_target(ix, r) : best;
}

static bool holds(const struct profile *p, const struct source_finding *found, uint16_t sign)
{
	uint16_t value;

	switch (sign) {
	case SIGN_FORGED:
		return found->forged;
	case SIGN_TRUE_SOURCES:
		return found->true_sources;
	case SIGN_FEW_SOURCES:
		return found->few;
	case SIGN_MANY_SOURCES:
		return !found->few;
	case SIGN_CONNECTED:
		return found->status == SOURCE_PROVED;
	case SIGN_NEW_NAMES:
		return found->new_names;
	case SIGN_RANDOM_PORTS: /* more ports than one in four packets, none of them heavy */
		return hll_estimate(p->dports, PROFILE_BITS) >
			       (p->records < 256 ? p->records / 4.0 : 64) &&
		       p->records >= 16 && profile_top_share(&p->dport, p->weight, &value) < 0.25;
	case SIGN_ONE_LENGTH:
		return p->length_weight > 0 &&
		       profile_top_share(&p->length, (double)p->length_weight, &value) >= 0.9;
	default:
		return false;
	}
}

/* Asks nothing of a record beyond its class. */
static bool is_plain(const struct vector_row *row)
{
	return (row->signs & SIGNS_OF_RECORDS) == 0 && row->payload_len == 0 &&
	       row->length_max == 0 && (row->protocol == 17 || row->from_count == 0) &&
	       (row->protocol != 1 || (row->icmp_type < 0 && row->icmp_code < 0));
}

static bool same_payload(const struct vector_row *a, const struct vector_row *b)
{
	return a->payload_at == b->payload_at && a->payload_len == b->payload_len &&
	       memcmp(a->payload, b->payload, a->payload_len) == 0 &&
	       memcmp(a->mask, b->mask, a->payload_len) == 0;
}

/* Does what `row` asks of a record follow from what `matched` asks? */
static bool implied(const struct vector_row *row, const struct vector_row *matched)
{
	struct vector_row rest = *row;
	rest.signs &= (uint16_t)~matched->signs;
	if (same_payload(row, matched))
		rest.payload_len = 0;
	return row == matched || is_plain(&rest);
}

/* What `matched` asks of a record is asked by `row`, too. */
static bool asks_as_much(const struct vector_row *row, const struct vector_row *matched)
{
	return row == matched ||
	       (same_payload(row, matched) && row->length_min == matched->length_min &&
		row->length_max == matched->length_max &&
		(matched->signs & SIGNS_OF_RECORDS & ~row->signs) == 0);
}

const struct vector_row *vector_refine(const struct vector_index *ix, uint8_t class, uint8_t row,
				       const struct profile *p, const struct source_finding *found)
{
	const struct vector_row *matched, *best = NULL;
	unsigned best_score = 0;

	/* Flags that were not exported look like no flags. */
	if (p->protocol == 6 && p->flags_weight <= 0 && ix->tcp != VECTOR_NONE &&
	    class != ix->classes->fragment)
		return &ix->book->rows[ix->tcp];
	if (row == VECTOR_NONE) { /* content that is not its port's: a flood like any other */
		if (p->protocol != 17 || ix->udp == VECTOR_NONE)
			return NULL;
		row = ix->udp;
		class = ix->class_of[row];
	}
	matched = &ix->book->rows[row];
	if (ix->class_of[row] != class)
		return matched; /* found by its payload on a port of others */
	for (uint32_t i = 0; i < ix->book->count; i++) {
		const struct vector_row *r = &ix->book->rows[i];
		unsigned score = 1;
		bool ok = ix->class_of[i] == class && implied(r, matched);
		for (uint32_t s = SIGN_FORGED; ok && s <= SIGN_CONNECTED; s <<= 1) {
			if ((r->signs & s) == 0)
				continue;
			ok = holds(p, found, (uint16_t)s);
			score++;
		}
		score += !is_plain(r) && asks_as_much(r, matched) ? 2 : 0;
		if (ok && score > best_score) {
			best = r;
			best_score = score;
		}
	}
	return best;
}
