/* SPDX-License-Identifier: Apache-2.0 */
/* Exports of real captures, read by us and by tshark: within each datagram the same flows, by
 * addresses, ports, protocol, octets and packets; what a record lacks is 0. Where tshark is not
 * installed, nothing is tried. `test_decode_export_tshark FILE…` compares other captures.
 *
 * What is no flow is counted and left out: records without an address, options among them. Of
 * a record of both directions tshark's one gives two of ours. Differences, each accepted in
 * the datagrams alone to which it applies, and why:
 * - CUT: of NetFlow v9 tshark reads as many sets as the header counts. That is a number of
 *   records (RFC 3954, 5.1), which some exporters count too low; sets tell their own length
 *   (5.2, 5.3), and by that we go. Only we have what is in the sets beyond;
 * - UNTOLD: a template that stood in such a set is missing to tshark in later datagrams;
 * - BROKEN: tshark gives a datagram up at an element whose width is not the one it expects, such
 *   as 43 in two bytes. The template tells the width (5.2), and we step over the field;
 * - OVERCOUNTED: of NetFlow v5 a header that counts more records than there are. tshark shows
 *   what is there; it is shifted, or not v5 at all, and we refuse the datagram. */
#include "base/check.h"
#include "decode/export_fixture.h"
#include "decode/pcap.h"
#include "decode/testdata.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

enum { FLOWS_MAX = 20000, FRAMES_MAX = 4096, V9_HEADER = 20, T0 = 1700000000, ICMP = 1, ICMP6 = 58, DENIED = 3, RANKS = 8 };

/* Counters of one direction, by the order in which we prefer them: the first that is not 0. */
struct sums {
	uint64_t of[RANKS];
	bool has[RANKS];
};

enum sum { OCTETS, PACKETS, SUMS };

/* What tshark shows of one record. */
struct record {
	struct sums sums[2][SUMS]; /* forward, reverse */
	uint8_t src[16], dst[16];
	uint16_t sport, dport, icmp;
	uint8_t protocol;
	uint8_t type, code; /* ICMP */
	bool is_flow, denied, later_fragment, has_type, has_code, has_sport, has_dport;
};

/* A flow of either side, and the datagram that it came in. */
struct seen {
	struct flow flow;
	uint64_t frame;
	bool matched;
};

/* What tshark shows of a datagram. */
struct frame {
	size_t size, sets, sets_size, records;
	uint32_t version, count;
	bool malformed, without_template;
};

enum excuse { NONE, CUT, UNTOLD, BROKEN, OVERCOUNTED, EXCUSES };

static struct {
	struct frame *frames; /* by number, from 1 */
	size_t frames_count, excused[EXCUSES];
	struct seen *ours, *theirs;
	size_t ours_count, theirs_count;
	size_t files, compared, held, without_template, not_flows, reverse, bad;
} all;

static const struct {
	const char *name;
	enum sum sum;
	uint8_t rank, reverse;
} counters[] = {
	{"cflow.octets", OCTETS, 0, 0},
	{"cflow.permanent_octets", OCTETS, 1, 0},
	{"cflow.initiator_octets", OCTETS, 2, 0},
	{"cflow.post_octets", OCTETS, 4, 0},
	{"cflow.post_total_octets", OCTETS, 5, 0},
	{"cflow.layer2_octet_delta_count", OCTETS, 6, 0},
	{"cflow.layer2_octet_total_count", OCTETS, 7, 0},
	{"cflow.packets", PACKETS, 0, 0},
	{"cflow.permanent_packets", PACKETS, 1, 0},
	{"cflow.initiator_packets", PACKETS, 2, 0},
	{"cflow.post_packets", PACKETS, 4, 0},
	{"cflow.post_total_packets", PACKETS, 5, 0},
	{"cflow.responder_octets", OCTETS, 1, 1},
	{"cflow.responder_packets", PACKETS, 1, 1},
};

static void take_address(struct record *r, bool dst, int family, const char *text)
{
	static const uint8_t none[16];
	uint8_t bytes[16] = {0};
	assert_int_equal(inet_pton(family, text, bytes), 1);
	/* Of two families the one that is not zeros; of a tunnel what is inside. */
	if (!r->is_flow || memcmp(bytes, none, 16) != 0)
		memcpy(dst ? r->dst : r->src, bytes, 16);
	r->is_flow = true;
}

static void take_counter(struct record *r, const char *name, bool reverse, uint64_t x)
{
	for (size_t i = 0; i < WD_COUNT(counters); i++) {
		if (strcmp(counters[i].name, name) != 0)
			continue;
		struct sums *s = &r->sums[reverse || counters[i].reverse][counters[i].sum];
		if (!s->has[counters[i].rank])
			s->of[counters[i].rank] = x;
		s->has[counters[i].rank] = true;
	}
}

/* Of a port and one of TCP or UDP alone (IE 180 to 183) the first kind is read; several of that
 * kind belong to a tunnel, and the last is inside. */
static void take_port(uint16_t *port, bool *has, uint16_t x, bool by_protocol)
{
	if (!by_protocol || !*has)
		*port = x;
	*has |= !by_protocol;
}

/* `by_protocol`: tshark adds the port in brackets where the element is one of TCP or UDP. */
static void take(struct record *r, const char *name, const char *show, bool reverse, bool by_protocol)
{
	uint64_t x = strtoull(show, NULL, 0);
	take_counter(r, name, reverse, x);
	if (reverse)
		return;
	if (strcmp(name, "cflow.srcaddr") == 0)
		take_address(r, false, AF_INET, show);
	else if (strcmp(name, "cflow.dstaddr") == 0)
		take_address(r, true, AF_INET, show);
	else if (strcmp(name, "cflow.srcaddrv6") == 0)
		take_address(r, false, AF_INET6, show);
	else if (strcmp(name, "cflow.dstaddrv6") == 0)
		take_address(r, true, AF_INET6, show);
	else if (strcmp(name, "cflow.srcport") == 0)
		take_port(&r->sport, &r->has_sport, (uint16_t)x, by_protocol);
	else if (strcmp(name, "cflow.dstport") == 0)
		take_port(&r->dport, &r->has_dport, (uint16_t)x, by_protocol);
	else if (strcmp(name, "cflow.protocol") == 0)
		r->protocol = (uint8_t)x;
	else if (strcmp(name, "cflow.icmp_type_code_ipv4") == 0)
		r->icmp = (uint16_t)x;
	else if (strcmp(name, "cflow.icmp_ipv4_type") == 0 || strcmp(name, "cflow.icmp_ipv6_type") == 0) {
		r->type = (uint8_t)x;
		r->has_type = true;
	} else if (strcmp(name, "cflow.icmp_ipv4_code") == 0 || strcmp(name, "cflow.icmp_ipv6_code") == 0) {
		r->code = (uint8_t)x;
		r->has_code = true;
	} else if (strcmp(name, "cflow.fragment_offset") == 0)
		r->later_fragment = x != 0;
	else if (strcmp(name, "cflow.firewall_event") == 0)
		r->denied = x == DENIED;
}

static uint64_t sum_of(const struct record *r, bool reverse, enum sum sum)
{
	for (size_t i = 0; i < RANKS; i++)
		if (r->sums[reverse][sum].of[i] != 0)
			return r->sums[reverse][sum].of[i];
	return 0;
}

static bool counts_packets(const struct record *r)
{
	for (size_t i = 0; i < RANKS; i++)
		if (r->sums[0][PACKETS].has[i])
			return true;
	return false;
}

/* Where only type and code are told they are told even as 0, an echo's reply. */
static uint16_t icmp_of(const struct record *r)
{
	uint16_t x = r->icmp != 0 ? r->icmp : r->dport;
	if (r->has_type)
		x = (uint16_t)((x & 255) | r->type << 8);
	if (r->has_code)
		x = (uint16_t)((x & 0xff00) | r->code);
	return x;
}

static void want(const struct record *r, bool reverse, uint64_t frame)
{
	bool icmp = r->protocol == ICMP || r->protocol == ICMP6;
	struct flow f = {.protocol = r->protocol};
	f.bytes = sum_of(r, reverse, OCTETS);
	f.packets = sum_of(r, reverse, PACKETS);
	if (f.packets == 0 && ((f.bytes > 0 && !counts_packets(r)) || (r->denied && !reverse)))
		f.packets = 1;
	if (reverse && f.packets == 0 && f.bytes == 0)
		return;
	memcpy(f.src, reverse ? r->dst : r->src, 16);
	memcpy(f.dst, reverse ? r->src : r->dst, 16);
	if (icmp && !reverse)
		f.dport = icmp_of(r);
	else if (!icmp && !r->later_fragment) {
		f.sport = reverse ? r->dport : r->sport;
		f.dport = reverse ? r->sport : r->dport;
	}
	assert_true(all.theirs_count < FLOWS_MAX);
	all.theirs[all.theirs_count++] = (struct seen){.flow = f, .frame = frame};
	all.reverse += reverse;
}

/* An attribute of a line of XML; at most 255 characters of it. */
static const char *attribute(const char *line, const char *begin, char *dst)
{
	const char *at = strstr(line, begin);
	size_t len = 0;
	if (at != NULL) {
		at += strlen(begin);
		len = strcspn(at, "\"");
		len = len < 255 ? len : 255;
		memcpy(dst, at, len);
	}
	dst[len] = '\0';
	return dst;
}

static void take_header(struct frame *f, const char *name, const char *show)
{
	size_t x = strtoull(show, NULL, 0);
	if (strcmp(name, "cflow.version") == 0)
		f->version = (uint32_t)x;
	else if (strcmp(name, "cflow.count") == 0)
		f->count = (uint32_t)x;
	else if (strcmp(name, "cflow.flowset_length") == 0) {
		f->sets++;
		f->sets_size += x;
	} else if (name[0] == '\0' && strstr(show, "no template found") != NULL && !f->without_template) {
		f->without_template = true;
		all.without_template++;
	}
}

static void end_record(const struct record *r)
{
	all.frames[all.frames_count].records++;
	all.not_flows += !r->is_flow;
	if (!r->is_flow)
		return;
	want(r, false, all.frames_count);
	want(r, true, all.frames_count);
}

static void begin_proto(const char *line)
{
	char name[256], size[256];
	attribute(line, " name=\"", name);
	struct frame *f = &all.frames[all.frames_count];
	if (strcmp(name, "geninfo") == 0) {
		assert_true(all.frames_count + 1 < FRAMES_MAX);
		all.frames[++all.frames_count] = (struct frame){0};
	} else if (strcmp(name, "cflow") == 0)
		f->size = strtoull(attribute(line, " size=\"", size), NULL, 10);
	else if (strcmp(name, "_ws.malformed") == 0)
		f->malformed = true;
}

static bool is_record(const char *name, const char *show)
{
	return name[0] == '\0' && (strncmp(show, "Flow ", 5) == 0 || strncmp(show, "pdu ", 4) == 0);
}

/* tshark's PDML: a line for each field, indented; records are fields with fields in them. */
static void read_theirs(FILE *in)
{
	char *line = NULL, name[256], show[256];
	size_t size = 0, depth = 0, begun = 0;
	struct record r = {0};
	while (getline(&line, &size, in) > 0) {
		const char *at = line + strspn(line, " ");
		if (strncmp(at, "<proto ", 7) == 0)
			begin_proto(at);
		if (strncmp(at, "</field>", 8) == 0) {
			if (depth == begun && begun != 0) {
				begun = 0;
				end_record(&r);
			}
			depth--;
		}
		if (strncmp(at, "<field ", 7) != 0)
			continue;
		attribute(at, " name=\"", name);
		attribute(at, " show=\"", show);
		depth += strstr(at, "/>\n") == NULL;
		if (is_record(name, show)) {
			r = (struct record){0};
			begun = depth;
		} else if (begun != 0)
			take(&r, name, show, strstr(at, "(Reverse Type") != NULL, strstr(at, ")\" size") != NULL);
		else
			take_header(&all.frames[all.frames_count], name, show);
	}
	assert_int_equal(depth, 0);
	free(line);
}

static void add_ours(const struct flow *flows, size_t n, uint64_t frame)
{
	assert_true(n <= FLOWS_MAX - all.ours_count);
	for (size_t i = 0; i < n; i++)
		all.ours[all.ours_count++] = (struct seen){.flow = flows[i], .frame = frame};
}

/* A datagram's time tells its number, also of what was held. */
static void read_ours(const uint8_t *bytes, size_t len)
{
	static const struct packet_options closed;
	static struct flow flows[EXPORT_FLOWS_MAX];
	struct exports *e = fixture_exports();
	struct pcap p;
	struct packet packet;
	bool end = false;
	assert_int_equal(pcap_begin(&p, bytes, len, NULL), WD_OK);
	for (uint64_t frame = 1; pcap_next(&p, &packet, &end, NULL) == WD_OK && !end; frame++) {
		struct flow f;
		size_t n;
		wd_wall now = {INT64_C(1000000000) * T0 + (int64_t)frame}, at;
		if (packet_parse(&packet, &closed, &f) != WD_OK || f.protocol != 17 || f.payload == NULL)
			continue;
		struct exporter_address from = {.family = f.family};
		memcpy(from.bytes, f.src, 16);
		if (exports_decode(e, &from, f.payload, f.payload_len, now, flows, EXPORT_FLOWS_MAX, &n, NULL) == WD_OK)
			add_ours(flows, n, frame);
		while (exports_held(e, now, flows, EXPORT_FLOWS_MAX, &n, &at)) {
			add_ours(flows, n, (uint64_t)at.ns % 1000000000);
			all.held += n;
		}
	}
	exports_close(e);
}

static bool same(const struct seen *a, const struct seen *b)
{
	const struct flow *f = &a->flow, *g = &b->flow;
	return a->frame == b->frame && memcmp(f->src, g->src, 16) == 0 && memcmp(f->dst, g->dst, 16) == 0 &&
	       f->sport == g->sport && f->dport == g->dport && f->protocol == g->protocol &&
	       f->bytes == g->bytes && f->packets == g->packets;
}

static void say(const char *path, const char *whose, const struct seen *s)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	inet_ntop(AF_INET6, s->flow.src, src, sizeof(src));
	inet_ntop(AF_INET6, s->flow.dst, dst, sizeof(dst));
	printf("%s: datagram %" PRIu64 ": only %s: %s %u > %s %u, protocol %u, %" PRIu64 " packets, %" PRIu64 " bytes\n",
	       path, s->frame, whose, src, s->flow.sport, dst, s->flow.dport, s->flow.protocol, s->flow.packets,
	       s->flow.bytes);
	all.bad++;
}

static bool is_cut(const struct frame *f)
{
	return f->version == 9 && f->sets == f->count && V9_HEADER + f->sets_size < f->size;
}

static enum excuse excuse(const struct seen *s, bool is_ours)
{
	const struct frame *f = &all.frames[s->frame];
	if (!is_ours)
		return f->version == 5 && f->records < f->count ? OVERCOUNTED : NONE;
	if (is_cut(f))
		return CUT;
	for (uint64_t i = 1; f->without_template && i < s->frame; i++)
		if (is_cut(&all.frames[i]))
			return UNTOLD;
	return f->malformed ? BROKEN : NONE;
}

static void leftovers(const char *path, const char *whose, const struct seen *seen, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		enum excuse why = seen[i].matched ? NONE : excuse(&seen[i], seen == all.ours);
		if (why != NONE)
			all.excused[why]++;
		else if (!seen[i].matched)
			say(path, whose, &seen[i]);
	}
}

static void match(const char *path)
{
	for (size_t i = 0; i < all.theirs_count; i++)
		for (size_t k = 0; k < all.ours_count; k++)
			if (!all.ours[k].matched && same(&all.theirs[i], &all.ours[k])) {
				all.theirs[i].matched = all.ours[k].matched = true;
				all.compared++;
				break;
			}
	leftovers(path, "tshark", all.theirs, all.theirs_count);
	leftovers(path, "we", all.ours, all.ours_count);
}

/* Its output's end, or NULL if it cannot be run. Twice through the file: then it has the
 * templates that come after their data, as we do. */
static FILE *tshark(const char *path, bool version, pid_t *ret_pid)
{
	const char *args[] = {"tshark", "-2", "-n", "-r", path, "-d", "udp.port==1-65535,cflow", "-T", "pdml", NULL};
	const char *ask[] = {"tshark", "--version", NULL};
	posix_spawn_file_actions_t actions;
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	int err = posix_spawnp(ret_pid, "tshark", &actions, NULL, (char **)(uintptr_t)(version ? ask : args), environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (err == 0)
		return fdopen(ends[0], "r");
	close(ends[0]);
	return NULL;
}

static bool ended_well(FILE *in, pid_t pid)
{
	int status = 0;
	fclose(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void visit(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	pid_t pid;
	(void)context;
	if (!pcap_is(bytes, len))
		return;
	all.ours_count = all.theirs_count = all.frames_count = 0;
	FILE *in = tshark(path, false, &pid);
	assert_non_null(in);
	read_theirs(in);
	assert_true(ended_well(in, pid));
	read_ours(bytes, len);
	match(path);
	all.files++;
}

static bool is_installed(void)
{
	char line[256];
	pid_t pid;
	FILE *in = tshark(NULL, true, &pid);
	if (in == NULL)
		return false;
	while (fgets(line, sizeof(line), in) != NULL)
		;
	return ended_well(in, pid);
}

static void summary(void)
{
	print_message("%zu flows of %zu files are the same: %zu had been held, %zu are of the other direction. "
		      "No flows: %zu records. Without a template: something in %zu datagrams\n",
		      all.compared, all.files, all.held, all.reverse, all.not_flows, all.without_template);
	print_message("differences: cut %zu, untold %zu, broken %zu, overcounted %zu\n", all.excused[CUT],
		      all.excused[UNTOLD], all.excused[BROKEN], all.excused[OVERCOUNTED]);
}

static void tshark_reads_the_same(void **state)
{
	(void)state;
	if (!is_installed()) {
		print_message("skipped: tshark is not installed\n");
		skip();
	}
	const char *const folders[] = {"flow/logstash-pcap", "flow/graylog-netflow", "flow/netgauze"};
	size_t there = 0;
	for (size_t i = 0; i < WD_COUNT(folders); i++)
		there += testdata_each(folders[i], visit, NULL);
	if (there == 0)
		skip();
	summary();
	assert_int_equal(all.bad, 0);
	assert_true(all.compared > 0);
}

/* Captures of the command line. */
static void tshark_reads_these_the_same(void **state)
{
	for (char **path = *state; *path != NULL; path++) {
		FILE *f = fopen(*path, "rb");
		static uint8_t bytes[1 << 24];
		assert_non_null(f);
		size_t len = fread(bytes, 1, sizeof(bytes), f);
		assert_true(len < sizeof(bytes));
		fclose(f);
		visit(NULL, *path, bytes, len);
	}
	summary();
	assert_int_equal(all.bad, 0);
	assert_true(all.compared > 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tshark_reads_the_same),
	};
	const struct CMUnitTest given[] = {
		cmocka_unit_test_prestate(tshark_reads_these_the_same, argv + 1),
	};
	all.frames = calloc(FRAMES_MAX, sizeof(*all.frames));
	all.ours = calloc(FLOWS_MAX, sizeof(*all.ours));
	all.theirs = calloc(FLOWS_MAX, sizeof(*all.theirs));
	if (all.frames == NULL || all.ours == NULL || all.theirs == NULL)
		return 1;
	int failed = argc > 1 ? cmocka_run_group_tests(given, NULL, NULL)
			      : cmocka_run_group_tests(tests, NULL, NULL);
	free(all.frames);
	free(all.ours);
	free(all.theirs);
	return failed;
}
