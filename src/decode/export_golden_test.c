/* SPDX-License-Identifier: Apache-2.0 */
/* Real exports against what other programs read of them: ../shared/data/flow (see testdata.h).
 * Every expected record with addresses must be among our flows, equal in every field that we
 * take; where they differ, the table `differences` says why, and a line of it that is no longer
 * needed fails. Ports of ICMP are not compared: ours are its type and code. */
#include "decode/export_fixture.h"

#include "base/check.h"
#include "base/timetext.h"
#include "decode/pcap.h"
#include "decode/testdata.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FLOWS_MAX = 20000, T0 = 1700000000 };

enum want_field {
	SRC,
	DST,
	SPORT,
	DPORT,
	PROTOCOL,
	PACKETS,
	BYTES,
	FLAGS,
	FIRST,
	LAST,
	SRC_AS,
	DST_AS,
	TTL,
	EGRESS,
	WANT_FIELDS,
};

static const char *const field_names[WANT_FIELDS] = {
	"src",   "dst",   "sport", "dport",  "protocol", "packets", "bytes",
	"flags", "first", "last",  "src_as", "dst_as",   "ttl",     "egress",
};

/* An expected record, whoever wrote it down. */
struct want {
	bool has[WANT_FIELDS];
	uint64_t value[WANT_FIELDS];
	uint8_t src[16], dst[16];
	uint8_t family;
};

/* Where we differ on purpose. */
static struct difference {
	const char *where, *field, *why;
	size_t used;
} differences[] = {
	{"Netflow 5 valid 01", "first",
	 "the exporter's uptimes have wrapped between first and last; we count across the wrap", 0},
	{"Netflow 9 Streamcore", "first",
	 "of two records the expected milliseconds are placeholders", 0},
	{"Netflow 9 Streamcore", "last",
	 "of two records the expected milliseconds are placeholders", 0},
	{"Netflow 9 template with 0 length fields", "packets",
	 "IN_PKTS is 0 and OUT_PKTS is not: the flow was counted going out, and we take that", 0},
	{"Netflow 9 template with 0 length fields", "bytes", "likewise", 0},
};

static struct flow *flows; /* all of one case, in order */
static size_t flow_count;

/* The names that the others give to what we take. */
static const struct {
	const char *name;
	enum want_field field;
} names[] = {
	{"ipv4_src_addr", SRC},
	{"ipv4_dst_addr", DST},
	{"ipv6_src_addr", SRC},
	{"ipv6_dst_addr", DST},
	{"sourceIPv4Address", SRC},
	{"destinationIPv4Address", DST},
	{"sourceIPv6Address", SRC},
	{"destinationIPv6Address", DST},
	{"src", SRC},
	{"dst", DST},
	{"l4_src_port", SPORT},
	{"l4_dst_port", DPORT},
	{"sourceTransportPort", SPORT},
	{"destinationTransportPort", DPORT},
	{"src_port", SPORT},
	{"dst_port", DPORT},
	{"protocol", PROTOCOL},
	{"protocolIdentifier", PROTOCOL},
	{"in_pkts", PACKETS},
	{"packetDeltaCount", PACKETS},
	{"packetTotalCount", PACKETS},
	{"in_packets", PACKETS},
	{"in_total_packets", PACKETS},
	{"in_bytes", BYTES},
	{"octetDeltaCount", BYTES},
	{"octetTotalCount", BYTES},
	{"in_total_bytes", BYTES},
	{"tcp_flags", FLAGS},
	{"tcpControlBits", FLAGS},
	{"first_switched", FIRST},
	{"flowStartMilliseconds", FIRST},
	{"flowStartSeconds", FIRST},
	{"flowStartMicroseconds", FIRST},
	{"flow_start_ms", FIRST},
	{"flow_start_msec", FIRST},
	{"last_switched", LAST},
	{"flowEndMilliseconds", LAST},
	{"flowEndSeconds", LAST},
	{"flowEndMicroseconds", LAST},
	{"flow_end_ms", LAST},
	{"flow_end_msec", LAST},
	{"src_as", SRC_AS},
	{"dst_as", DST_AS},
	{"bgpSourceAsNumber", SRC_AS},
	{"bgpDestinationAsNumber", DST_AS},
	{"bgp_src_as", SRC_AS},
	{"bgp_dst_as", DST_AS},
	{"minimumTTL", TTL},
	{"direction", EGRESS},
	{"flowDirection", EGRESS},
};

static void want_address(struct want *w, bool dst, const char *text)
{
	uint8_t bytes[16] = {0};
	static const uint8_t none[16];
	uint8_t family = strchr(text, ':') != NULL ? 6 : 4;
	if (inet_pton(family == 6 ? AF_INET6 : AF_INET, text, bytes) != 1)
		return;
	/* Of two families the one that is not zeros; of a tunnel what is inside. */
	if (w->has[dst ? DST : SRC] && memcmp(bytes, none, 16) == 0)
		return;
	memcpy(dst ? w->dst : w->src, bytes, 16);
	w->has[dst ? DST : SRC] = true;
	w->family = family;
}

static bool time_of(const char *text, uint64_t *ret_ms)
{
	char cut[40];
	wd_wall t;
	size_t len = strcspn(text, "#Z");
	if (len >= sizeof(cut) - 1)
		return false;
	memcpy(cut, text, len);
	cut[len] = 'Z';
	if (timetext_read(cut, len + 1, &t, NULL) != WD_OK)
		return false;
	*ret_ms = (uint64_t)floor_div(t.ns, 1000000);
	return true;
}

static bool word_of(enum want_field field, const char *text, uint64_t *ret)
{
	static const struct {
		const char *word;
		uint64_t value;
	} words[] = {
		{"TCP", 6},        {"UDP", 17},    {"ICMP", 1},   {"IPv6ICMP", 58},
		{"IPv4", 4},       {"tcp", 6},     {"udp", 17},   {"icmp", 1},
		{"ipv6-icmp", 58}, {"ingress", 0}, {"egress", 1},
	};
	if (field == FIRST || field == LAST)
		return time_of(text, ret);
	if (field == FLAGS) { /* "CEUAPRSF", points for those that are not set */
		*ret = 0;
		for (size_t i = 0; i < 8 && text[i] != '\0'; i++)
			*ret |= (uint64_t)(text[i] != '.') << (7 - i);
		return strlen(text) == 8;
	}
	for (size_t i = 0; i < WD_COUNT(words); i++)
		if (strcmp(words[i].word, text) == 0) {
			*ret = words[i].value;
			return true;
		}
	return false;
}

static bool flags_of(const json_t *object, uint64_t *ret)
{
	static const char *const bits[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
	*ret = 0;
	for (size_t i = 0; i < WD_COUNT(bits); i++)
		*ret |= (uint64_t)json_is_true(json_object_get(object, bits[i])) << i;
	return true;
}

static void want_add(struct want *w, const char *name, const json_t *value)
{
	for (size_t i = 0; i < WD_COUNT(names); i++) {
		enum want_field field = names[i].field;
		uint64_t x = 0;
		bool good = true;
		if (strcmp(names[i].name, name) != 0)
			continue;
		if (field <= DST) {
			if (json_is_string(value))
				want_address(w, field == DST, json_string_value(value));
			return;
		}
		if (json_is_string(value))
			good = word_of(field, json_string_value(value), &x);
		else if (json_is_object(value))
			good = field == FLAGS && flags_of(value, &x);
		else
			x = (uint64_t)json_integer_value(value);
		if (json_is_integer(value) && strstr(name, "_switched") != NULL)
			return; /* an uptime */
		if (field == FLAGS)
			x &= 255;
		if ((field == FIRST || field == LAST) && json_is_integer(value) &&
		    strstr(name, "Seconds"))
			x *= 1000;
		/* Two counters in one record: we take the first that is not 0. */
		if (!good ||
		    ((field == BYTES || field == PACKETS) && w->has[field] && w->value[field] != 0))
			return;
		w->has[field] = true;
		w->value[field] = x;
	}
}

static uint64_t value_of(const struct flow *f, enum want_field field)
{
	switch (field) {
	case SPORT: return f->sport;
	case DPORT: return f->dport;
	case PROTOCOL: return f->protocol;
	case PACKETS: return f->packets;
	case BYTES: return f->bytes;
	case FLAGS: return f->tcp_flags;
	case FIRST: return (uint64_t)f->first_ms;
	case LAST: return (uint64_t)f->last_ms;
	case SRC_AS: return f->src_as;
	case DST_AS: return f->dst_as;
	case TTL: return f->ttl;
	default: return (f->known & FLOW_EGRESS) != 0;
	}
}

static bool field_differs(const struct want *w, const struct flow *f, enum want_field field)
{
	if (!w->has[field])
		return false;
	if (field == SRC || field == DST)
		return memcmp(field == SRC ? w->src : w->dst, field == SRC ? f->src : f->dst, 16) !=
		       0;
	if ((field == SPORT || field == DPORT) && (f->protocol == 1 || f->protocol == 58))
		return false;
	return w->value[field] != value_of(f, field);
}

static struct difference *excuse(const char *where, enum want_field field)
{
	for (size_t i = 0; i < WD_COUNT(differences); i++)
		if (strcmp(differences[i].where, where) == 0 &&
		    strcmp(differences[i].field, field_names[field]) == 0)
			return &differences[i];
	return NULL;
}

/* Fields that differ without an excuse, with bits by field. */
static unsigned compare(const struct want *w, const struct flow *f, const char *where)
{
	unsigned bad = 0;
	for (enum want_field k = 0; k < WANT_FIELDS; k++)
		if (field_differs(w, f, k) && excuse(where, k) == NULL)
			bad |= 1u << k;
	return bad;
}

/* Is it among the case's flows? Says what is nearest if not. */
static bool find(const struct want *w, const char *where, bool quiet)
{
	size_t nearest = 0;
	unsigned best = ~0u;
	if (!w->has[SRC] && !w->has[DST])
		return true; /* no flow */
	for (size_t i = 0; i < flow_count; i++) {
		unsigned bad = compare(w, &flows[i], where);
		if (bad == 0) {
			for (enum want_field k = 0; k < WANT_FIELDS; k++)
				if (field_differs(w, &flows[i], k))
					excuse(where, k)->used++;
			return true;
		}
		if (__builtin_popcount(bad & 3) * 9 + __builtin_popcount(bad) <
		    __builtin_popcount(best & 3) * 9 + __builtin_popcount(best)) {
			best = bad;
			nearest = i;
		}
	}
	if (quiet)
		return false;
	printf("%s: not among %zu flows:", where, flow_count);
	for (enum want_field k = 0; k < WANT_FIELDS && flow_count > 0; k++)
		if (best & 1u << k)
			printf(" %s %llu, ours %llu;", field_names[k],
			       (unsigned long long)w->value[k],
			       k <= DST ? 0ull : (unsigned long long)value_of(&flows[nearest], k));
	printf("\n");
	return false;
}

static void decode(struct exports *e, const struct exporter_address *from, const uint8_t *bytes,
		   size_t len)
{
	size_t n;
	wd_wall at;
	if (exports_decode(e, from, bytes, len, wall_s(T0), flows + flow_count,
			   FLOWS_MAX - flow_count, &n, NULL) == WD_OK)
		flow_count += n;
	while (exports_held(e, wall_s(T0), flows + flow_count, FLOWS_MAX - flow_count, &n, &at))
		flow_count += n;
}

static void decode_file(struct exports *e, const char *name)
{
	struct exporter_address from = fixture_exporter(0xc0000201);
	size_t len;
	uint8_t *bytes = testdata_load(name, &len);
	assert_non_null(bytes);
	decode(e, &from, bytes, len);
	free(bytes);
}

static void decode_capture(struct exports *e, const uint8_t *bytes, size_t len)
{
	static const struct packet_options closed;
	struct pcap p;
	struct packet packet;
	bool end = false;
	if (pcap_begin(&p, bytes, len, NULL) != WD_OK)
		return;
	while (pcap_next(&p, &packet, &end, NULL) == WD_OK && !end) {
		struct flow f;
		if (packet_parse(&packet, &closed, &f) != WD_OK || f.protocol != 17 ||
		    f.payload == NULL)
			continue;
		struct exporter_address from = {.family = f.family};
		memcpy(from.bytes, f.src, 16);
		decode(e, &from, f.payload, f.payload_len);
	}
}

static int setup(void **state)
{
	(void)state;
	flows = calloc(FLOWS_MAX, sizeof(*flows));
	return flows == NULL;
}

static int teardown(void **state)
{
	(void)state;
	free(flows);
	return 0;
}

static json_t *load_json(const char *name)
{
	size_t len;
	char *text = (char *)testdata_load(name, &len);
	if (text == NULL)
		return NULL;
	json_t *json = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
	free(text);
	assert_non_null(json);
	return json;
}

/* Records and options together, where it says how many. */
static bool count_is_expected(const struct exports *e, const json_t *one, const char *where)
{
	const json_t *want = json_object_get(one, "event_count");
	struct export_totals t;
	exports_totals(e, &t);
	uint64_t ours = t.counts.records + t.counts.options;
	/* A case that gives its data twice, the first time before the template: there it counts
	 * the second time only. */
	if (json_array_size(json_object_get(one, "inputs")) == 4 &&
	    strstr(where, "Netscaler") != NULL)
		return ours == 2 * (uint64_t)json_integer_value(want);
	if (json_is_integer(want) && ours != (uint64_t)json_integer_value(want)) {
		printf("%s: %llu records\n", where, (unsigned long long)ours);
		return false;
	}
	return true;
}

/* Every case of logstash, its files in order and in the opposite one. */
static void logstash(void **state)
{
	json_t *cases = load_json("flow/logstash/EXPECTED.json"), *one, *event, *value;
	size_t i, k, bad = 0, found = 0;
	const char *name;
	(void)state;
	if (cases == NULL)
		skip();
	for (size_t backwards = 0; backwards < 2; backwards++)
		json_array_foreach(cases, i, one)
		{
			const char *where = json_string_value(json_object_get(one, "context"));
			json_t *inputs = json_object_get(one, "inputs");
			struct exports *e = fixture_exports();
			flow_count = 0;
			for (k = 0; k < json_array_size(inputs); k++) {
				size_t at = backwards ? json_array_size(inputs) - 1 - k : k;
				char path[256];
				snprintf(path, sizeof(path), "flow/logstash/%s",
					 json_string_value(json_array_get(inputs, at)));
				decode_file(e, path);
			}
			json_array_foreach(json_object_get(one, "expected_events"), k, event)
			{
				struct want w = {0};
				json_object_foreach(json_object_get(event, "netflow"), name, value)
					want_add(&w, name, value);
				found += w.has[SRC] || w.has[DST];
				/* It adds a second when it takes the milliseconds of an uptime off
				 * those of the header: sometimes of v5, always of v9. */
				struct want earlier = w;
				earlier.value[FIRST] -= 1000;
				earlier.value[LAST] -= 1000;
				bad += !find(&w, where, true) && !find(&earlier, where, false);
			}
			bad += !count_is_expected(e, one, where);
			exports_close(e);
		}
	json_decref(cases);
	printf("logstash: %zu records\n", found);
	assert_int_equal(bad, 0);
	assert_true(found > 80);
}

/* The times that netgauze leaves as uptimes. */
static void want_uptimes(struct want *w, const char *name, const json_t *value,
			 const json_t *message)
{
	const json_t *uptime = json_object_get(message, "sys_up_time");
	const char *at = json_string_value(json_object_get(message, "unix_time"));
	bool first = strcmp(name, "flowStartSysUpTime") == 0;
	uint64_t ms;
	if ((!first && strcmp(name, "flowEndSysUpTime") != 0) || uptime == NULL || at == NULL ||
	    !time_of(at, &ms))
		return;
	w->has[first ? FIRST : LAST] = true;
	w->value[first ? FIRST : LAST] =
		ms - (uint64_t)(json_integer_value(uptime) - json_integer_value(value));
}

static size_t netgauze_record(const json_t *record, const json_t *message, const char *where,
			      size_t *bad)
{
	struct want w = {0};
	json_t *field, *value;
	const char *name;
	size_t i;
	json_array_foreach(json_object_get(record, "fields"), i, field)
		json_object_foreach(field, name, value)
	{
		want_add(&w, name, value);
		want_uptimes(&w, name, value, message);
	}
	if (json_array_size(json_object_get(record, "scope_fields")) > 0)
		return 0;
	*bad += !find(&w, where, false);
	return w.has[SRC] || w.has[DST];
}

static size_t netgauze_line(const json_t *line, const char *where, size_t *bad)
{
	const char *version;
	json_t *message, *set, *record;
	size_t i, k, count = 0;
	json_object_foreach((json_t *)(uintptr_t)line, version, message)
		json_array_foreach(json_object_get(message, "sets"), i, set) json_array_foreach(
			json_object_get(json_object_get(set, "Data"), "records"), k, record)
			count += netgauze_record(record, message, where, bad);
	return count;
}

static size_t netgauze_files, netgauze_records, netgauze_bad;

static void netgauze_visit(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	const char *ext = strrchr(path, '.');
	char json_path[512];
	size_t text_len, count = 0;
	(void)context;
	if (ext == NULL || strcmp(ext, ".pcap") != 0)
		return;
	int used =
		snprintf(json_path, sizeof(json_path), "%.*s-flow.json", (int)(ext - path), path);
	assert_true(used > 0 && used < (int)sizeof(json_path));
	const char *where = strstr(json_path, "flow/netgauze");
	char *text = (char *)testdata_load(where, &text_len);
	struct exports *e = fixture_exports();
	flow_count = 0;
	decode_capture(e, bytes, len);
	exports_close(e);
	assert_non_null(text);
	for (size_t at = 0; at < text_len;) {
		const char *end = memchr(text + at, '\n', text_len - at);
		size_t line_len = end != NULL ? (size_t)(end - text) - at : text_len - at;
		json_t *line = json_loadb(text + at, line_len, 0, NULL);
		if (line != NULL)
			count += netgauze_line(line, where, &netgauze_bad);
		json_decref(line);
		at += line_len + 1;
	}
	free(text);
	if (count != flow_count) {
		printf("%s: %zu records, %zu flows\n", where, count, flow_count);
		netgauze_bad++;
	}
	netgauze_files++;
	netgauze_records += count;
}

static void netgauze(void **state)
{
	(void)state;
	if (testdata_each("flow/netgauze", netgauze_visit, NULL) == 0)
		skip();
	printf("netgauze: %zu files, %zu records\n", netgauze_files, netgauze_records);
	assert_int_equal(netgauze_bad, 0);
	assert_true(netgauze_records > 300);
}

/* "name,tags key=value,key="text"": the next pair as JSON. */
static const char *influx_next(const char *at, char *key, char *text, size_t size, json_t **ret)
{
	size_t len = strcspn(at, "=");
	if (at[len] != '=' || len >= size)
		return NULL;
	memcpy(key, at, len);
	key[len] = '\0';
	at += len + 1;
	if (*at == '"') {
		len = strcspn(at + 1, "\"");
		if (len >= size || at[len + 1] != '"')
			return NULL;
		memcpy(text, at + 1, len);
		text[len] = '\0';
		*ret = json_pack("s?", text);
		at += len + 2;
	} else {
		char *end;
		*ret = json_integer((json_int_t)strtoll(at, &end, 10));
		at = end + (*end == 'u' || *end == 'i');
	}
	return *at == ',' ? at + 1 : at;
}

static size_t telegraf_case(const char *folder, const char *const *files, size_t *bad)
{
	char path[256];
	size_t len, count = 0;
	struct exports *e = fixture_exports();
	flow_count = 0;
	for (; *files != NULL; files++) {
		snprintf(path, sizeof(path), "flow/telegraf/%s/%s", folder, *files);
		decode_file(e, path);
	}
	exports_close(e);
	snprintf(path, sizeof(path), "flow/telegraf/%s/expected.out", folder);
	char *bytes = (char *)testdata_load(path, &len), *text = malloc(len + 1);
	memcpy(text, bytes, len);
	text[len] = '\0';
	free(bytes);
	for (char *line = text, *next; line != NULL && *line != '\0'; line = next) {
		char key[4096], value[4096];
		struct want w = {0};
		json_t *json;
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		const char *at = strchr(line, ' ');
		if (strncmp(line, "netflow,", 8) != 0 || at == NULL)
			continue;
		for (at++; (at = influx_next(at, key, value, sizeof(key), &json)) != NULL;) {
			want_add(&w, key, json);
			json_decref(json);
		}
		count++;
		*bad += !find(&w, folder, false);
	}
	free(text);
	return count;
}

static void telegraf(void **state)
{
	static const struct {
		const char *folder;
		const char *files[8];
	} cases[] = {
		{"netflow_v5_example", {"netflow_v5.bin"}},
		{"netflow_v9_example", {"netflow_v9.bin"}},
		{"ipfix_example",
		 {"ipfix_0.bin", "ipfix_1.bin", "ipfix_2.bin", "ipfix_3.bin", "ipfix_4.bin",
		  "ipfix_5.bin", "ipfix_6.bin"}},
		{"issue_13305",
		 {"message-1.bin", "message-2.bin", "message-3.bin", "message-4.bin"}},
		{"ipfix_pen_35632",
		 {"message-1.bin", "message-2.bin", "message-3.bin", "message-4.bin"}},
		{"issue_14370", {"message.bin"}},
	};
	size_t count = 0, bad = 0, len;
	(void)state;
	uint8_t *there = testdata_load("flow/telegraf/netflow_v5_example/expected.out", &len);
	free(there);
	if (there == NULL)
		skip();
	for (size_t i = 0; i < WD_COUNT(cases); i++)
		count += telegraf_case(cases[i].folder, cases[i].files, &bad);
	printf("telegraf: %zu records\n", count);
	assert_int_equal(bad, 0);
	assert_true(count > 30);
}

static size_t graylog_flows;

static void every_prefix(const uint8_t *bytes, size_t len)
{
	struct exporter_address from = fixture_exporter(0xc0000201);
	struct exports *e = fixture_exports();
	for (size_t n = len + 1; n-- > 0;) {
		uint8_t *exact = malloc(n + 1);
		assert_non_null(exact);
		memcpy(exact, bytes, n);
		flow_count = 0;
		decode(e, &from, exact, n);
		free(exact);
	}
	exports_close(e);
}

static void any_visit(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	struct exporter_address from = fixture_exporter(0xc0000201);
	struct exports *e = fixture_exports();
	(void)context;
	(void)path;
	flow_count = 0;
	if (pcap_is(bytes, len)) {
		decode_capture(e, bytes, len);
	} else {
		decode(e, &from, bytes, len);
		if (export_version(bytes, len) != 0)
			every_prefix(bytes, len);
	}
	graylog_flows += flow_count;
	exports_close(e);
}

static void other_files_and_every_prefix_of_datagrams_are_safe(void **state)
{
	(void)state;
	if (testdata_each("flow", any_visit, NULL) + testdata_each("malformed", any_visit, NULL) == 0)
		skip();
	assert_true(graylog_flows > 1000);
}

static void every_difference_is_still_there(void **state)
{
	size_t len;
	uint8_t *there = testdata_load("flow/logstash/EXPECTED.json", &len);
	(void)state;
	free(there);
	if (there == NULL)
		skip();
	for (size_t i = 0; i < WD_COUNT(differences); i++) {
		printf("%s: %s: %s\n", differences[i].where, differences[i].field,
		       differences[i].why);
		assert_true(differences[i].used > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logstash),
		cmocka_unit_test(netgauze),
		cmocka_unit_test(telegraf),
		cmocka_unit_test(other_files_and_every_prefix_of_datagrams_are_safe),
		cmocka_unit_test(every_difference_is_still_there),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
