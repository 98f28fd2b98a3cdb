/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of real captures and of our own, read by us and by tshark: field by field the same.
 * Where tshark is not installed, nothing is tried. Differences, and why:
 * - tunnels: tshark's first IP header is the outer one, so ours are left closed here;
 * - of an ICMP error tshark shows the quoted packet's ports too: compared for TCP and UDP only;
 * - IPv6: its payload length, to which ours adds the header's 40 bytes; its next header is the
 *   first, ours the first that is no extension header: so only the transport is compared. */
#include "base/check.h"
#include "decode/pcap.h"
#include "decode/testdata.h"

#include <arpa/inet.h>
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

enum field {
	TIME, SRC, DST, PROTOCOL, LENGTH, TTL, OFFSET, MORE, SRC6, DST6, LENGTH6, HOPS, SPORT_UDP, DPORT_UDP, SPORT_TCP, DPORT_TCP,
	FLAGS, SEQUENCE, WINDOW, HEADER, TYPE, CODE, FIELDS,
};
static const char *const names[FIELDS] = {
	"frame.time_epoch", "ip.src", "ip.dst", "ip.proto", "ip.len", "ip.ttl", "ip.frag_offset", "ip.flags.mf",
	"ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.hlim", "udp.srcport", "udp.dstport", "tcp.srcport", "tcp.dstport",
	"tcp.flags", "tcp.seq_raw", "tcp.window_size_value", "tcp.hdr_len", "icmp.type", "icmp.code",
};

/* Starts tshark on a file; its output is the pipe's end, or -1. */
static int tshark(const char *path, pid_t *ret_pid)
{
	const char *args[32 + 2 * FIELDS] = {"tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=f", "-E", "separator=|",
					     "-o", "ip.defragment:FALSE",
					     "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"};
	size_t n = 16;
	int ends[2];
	posix_spawn_file_actions_t actions;
	for (size_t i = 0; i < FIELDS; i++) {
		args[n++] = "-e";
		args[n++] = names[i];
	}
	assert_int_equal(pipe(ends), 0);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	int err = posix_spawnp(ret_pid, "tshark", &actions, NULL, (char **)(uintptr_t)args, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (err == 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

static bool yes(const char *text)
{
	return text[0] == '1' || text[0] == 'T'; /* "1" or "True", by version */
}

static void assert_address(int family, const uint8_t *bytes, const char *theirs)
{
	char ours[64];
	assert_non_null(inet_ntop(family, bytes, ours, sizeof(ours)));
	assert_string_equal(ours, theirs);
}

static void assert_transport(const struct flow *f, char *const *v)
{
	if (f->fragment == FLOW_FRAGMENT_LATER)
		return;
	if (f->protocol == 17 && *v[SPORT_UDP] != '\0') {
		assert_int_equal(f->sport, number(v[SPORT_UDP]));
		assert_int_equal(f->dport, number(v[DPORT_UDP]));
	} else if (f->protocol == 6 && *v[SPORT_TCP] != '\0') {
		assert_int_equal(f->sport, number(v[SPORT_TCP]));
		assert_int_equal(f->dport, number(v[DPORT_TCP]));
		assert_int_equal(f->tcp_flags, number(v[FLAGS]) & 0xff);
		assert_int_equal(f->sequence, number(v[SEQUENCE]));
		assert_int_equal(f->window, number(v[WINDOW]));
		assert_int_equal(f->options_len + 20, number(v[HEADER]));
	} else if (f->protocol == 1 && *v[TYPE] != '\0') {
		assert_int_equal(f->dport, number(v[TYPE]) << 8 | number(v[CODE]));
	}
}

static void assert_same(const struct packet *packet, char *const *v, size_t *compared)
{
	static const struct packet_options closed = {.decapsulate = false};
	struct flow f;
	double seconds = strtod(v[TIME], NULL);
	assert_true(seconds - (double)packet->at.ns * 1e-9 < 1e-5 && (double)packet->at.ns * 1e-9 - seconds < 1e-5);
	enum wd_err err = packet_parse(packet, &closed, &f);
	bool theirs4 = *v[SRC] != '\0', theirs6 = *v[SRC6] != '\0' && !theirs4;
	if (err == WD_OK && f.family == 4) {
		assert_true(theirs4);
		assert_address(AF_INET, f.src, v[SRC]);
		assert_address(AF_INET, f.dst, v[DST]);
		assert_int_equal(f.protocol, number(v[PROTOCOL]));
		assert_int_equal(f.length, number(v[LENGTH]));
		assert_int_equal(f.ttl, number(v[TTL]));
		enum flow_fragment theirs = number(v[OFFSET]) != 0 ? FLOW_FRAGMENT_LATER : yes(v[MORE]) ? FLOW_FRAGMENT_FIRST : FLOW_WHOLE;
		assert_int_equal(f.fragment, theirs);
	} else if (err == WD_OK) {
		assert_true(theirs6);
		assert_address(AF_INET6, f.src, v[SRC6]);
		assert_address(AF_INET6, f.dst, v[DST6]);
		assert_int_equal(f.length, number(v[LENGTH6]) + 40);
		assert_int_equal(f.ttl, number(v[HOPS]));
	} else {
		assert_false(theirs4 || theirs6);
		return;
	}
	assert_transport(&f, v);
	++*compared;
}

static void compare(const char *path, const uint8_t *bytes, size_t len, size_t *compared)
{
	struct pcap p;
	struct packet packet;
	bool end = false;
	pid_t pid;
	int status = 0;
	static char line[4096];
	int fd = tshark(path, &pid);
	if (fd < 0)
		return;
	FILE *in = fdopen(fd, "r");
	assert_non_null(in);
	assert_int_equal(pcap_begin(&p, bytes, len, NULL), WD_OK);
	while (fgets(line, sizeof(line), in) != NULL) {
		char *v[FIELDS], *at = line;
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < FIELDS; i++) {
			v[i] = at;
			at += strcspn(at, "|");
			if (*at != '\0')
				*at++ = '\0';
		}
		assert_int_equal(pcap_next(&p, &packet, &end, NULL), WD_OK);
		assert_false(end);
		assert_same(&packet, v, compared);
	}
	fclose(in);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return;
	assert_int_equal(pcap_next(&p, &packet, &end, NULL), WD_OK);
	assert_true(end);
}

static void visit(void *context, const char *path, const uint8_t *bytes, size_t len)
{
	compare(path, bytes, len, context);
}

static void tshark_reads_the_same(void **state)
{
	pid_t pid;
	char *args[] = {(char[]){"tshark"}, (char[]){"--version"}, NULL};
	posix_spawn_file_actions_t quiet;
	size_t compared = 0;
	(void)state;
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
	posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", 1, 0);
	int err = posix_spawnp(&pid, "tshark", &quiet, NULL, args, environ), status = 0;
	posix_spawn_file_actions_destroy(&quiet);
	if (err != 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		print_message("skipped: tshark is not installed\n");
		skip();
	}
	size_t files = testdata_each("ddos", visit, &compared);
	if (files == 0)
		skip();
	print_message("%zu packets of %zu files compared\n", compared, files);
	assert_true(compared > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tshark_reads_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
