/* SPDX-License-Identifier: Apache-2.0 */
#include "command/simulate_traffic.h"

#include "base/prng.h"
#include "base/timetext.h"
#include "intake/export_write.h"
#include "intake/flow_meter.h"
#include "intake/packet_write.h"
#include "intake/traffic_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { COLLECTOR_PORT = 2055, SFLOW_PORT = 6343, LABELS_MAX = 256, SNAP = 192 };

/* Packets and bytes of one second of a service and vector: what was really there. */
struct label { const char *service, *vector; uint64_t packets, bytes; };

struct writer {
	const struct traffic_job *job;
	struct export_writer exports;
	struct flow_meter meter;
	struct prng random; /* of the sampling */
	FILE *labels;
	struct label label[LABELS_MAX];
	size_t label_count;
	int64_t label_s;
	int socket;
	int error; /* errno of the first write that failed; 0 = none */
	struct timespec start;
};

bool traffic_format_read(const char *text, struct traffic_job *job)
{
	if (strcmp(text, "pcap") == 0) {
		job->format = TRAFFIC_PACKETS;
		return true;
	}
	for (int n = EXPORT_NETFLOW5; n <= EXPORT_SFLOW; n++) {
		if (strcmp(text, export_format_name((enum export_format)n)) == 0) {
			job->format = TRAFFIC_EXPORTS;
			job->export_format = n;
			return true;
		}
	}
	return false;
}

static void failed(struct writer *w)
{
	if (w->error == 0)
		w->error = errno != 0 ? errno : EIO;
}

static void write_frame(struct writer *w, const struct flow *f, wd_wall at, size_t cap)
{
	uint8_t record[PCAP_WRITE_RECORD], frame[PACKET_WRITE_MAX];
	size_t len = packet_write(f, frame, cap);
	pcap_write_record(record, at, (uint32_t)len, (uint32_t)packet_write_length(f));
	if (fwrite(record, 1, sizeof(record), w->job->out) != sizeof(record) ||
	    fwrite(frame, 1, len, w->job->out) != len)
		failed(w);
}

/* ---- exports ---- */

static void pace(const struct writer *w, wd_wall at)
{
	double s = (double)wall_sub(at, wall_add(w->job->scenario->begins, w->job->shift)).ns /
		   1e9 / w->job->speed;
	int64_t ns = w->start.tv_nsec + (int64_t)(s * 1e9);
	struct timespec until = {w->start.tv_sec + ns / WD_NS_PER_S, ns % WD_NS_PER_S};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* The exporter is 192.0.2.1, the collector 192.0.2.2 (RFC 5737). */
static void send_datagram(void *ctx, const uint8_t *datagram, size_t len, wd_wall at)
{
	struct writer *w = ctx;
	if (w->job->out == NULL) {
		if (w->job->speed > 0)
			pace(w, at);
		if (send(w->socket, datagram, len, 0) < 0 && errno != ECONNREFUSED)
			failed(w);
		return;
	}
	struct flow f = {.src = {192, 0, 2, 1}, .dst = {192, 0, 2, 2}, .sport = 40000,
			 .dport = w->job->export_format == EXPORT_SFLOW ? SFLOW_PORT
									: COLLECTOR_PORT,
			 .family = 4, .protocol = 17, .ttl = 64, .payload = datagram,
			 .payload_len = (uint16_t)len};
	write_frame(w, &f, at, PACKET_WRITE_MAX);
}

static void flow_ended(void *ctx, const struct flow *f, wd_wall at)
{
	export_writer_add(&((struct writer *)ctx)->exports, f, at);
}

/* ---- what was really there ---- */

static void write_labels(struct writer *w)
{
	char time[TIMETEXT_LEN_MAX];
	timetext_write(time, wall_s(w->label_s));
	for (size_t n = 0; n < w->label_count; n++) {
		const struct label *l = &w->label[n];
		if (fprintf(w->labels, "%s,%s,%s,%llu,%llu\n", time, l->service,
			    l->vector[0] != '\0' ? l->vector : "usual",
			    (unsigned long long)l->packets, (unsigned long long)l->bytes) < 0)
			failed(w);
	}
	w->label_count = 0;
}

static void count_label(struct writer *w, const struct traffic_packet *p, wd_wall at)
{
	size_t n = 0;
	if (wall_to_s(at) != w->label_s)
		write_labels(w);
	w->label_s = wall_to_s(at);
	while (n < w->label_count &&
	       (w->label[n].service != p->service || strcmp(w->label[n].vector, p->vector) != 0))
		n++;
	if (n == LABELS_MAX)
		return;
	if (n == w->label_count)
		w->label[w->label_count++] = (struct label){p->service, p->vector, 0, 0};
	w->label[n].packets++;
	w->label[n].bytes += p->flow.bytes;
}

/* ---- all ---- */

static void take(struct writer *w, struct traffic_packet *p)
{
	const struct traffic_job *job = w->job;
	wd_wall at = wall_add(p->at, job->shift);

	p->flow.first_ms += job->shift.ns / 1000000;
	p->flow.last_ms = p->flow.first_ms;
	if (w->labels != NULL)
		count_label(w, p, at);
	if (job->sampling > 1 && prng_below(&w->random, job->sampling) != 0)
		return;
	if (job->format == TRAFFIC_PACKETS)
		write_frame(w, &p->flow, at, SNAP);
	else if (job->export_format == EXPORT_SFLOW)
		export_writer_add(&w->exports, &p->flow, at);
	else
		flow_meter_add(&w->meter, &p->flow, at);
}

/* "127.0.0.1:2055": a simulation leaves this machine only as a file. */
static int open_collector(const char *text)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	struct sockaddr_in to = {.sin_family = AF_INET};
	char *end = NULL;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (inet_pton(AF_INET, host, &to.sin_addr) != 1 ||
	    ntohl(to.sin_addr.s_addr) >> 24 != 127 || *end != '\0' || port < 1 || port > 65535) {
		errno = EINVAL;
		return -1;
	}
	to.sin_port = htons((uint16_t)port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool complain(const char *about, const char *what)
{
	fprintf(stderr, "whydown: %s: %s\n", about, what);
	return false;
}

static bool begin(struct writer *w)
{
	const struct traffic_job *job = w->job;
	wd_wall begins = wall_add(job->scenario->begins, job->shift);

	if (job->collector != NULL) {
		w->socket = open_collector(job->collector);
		if (w->socket < 0)
			return complain(job->collector,
					"here stands an address of this machine and a port, like: "
					"127.0.0.1:2055");
	}
	if (job->labels_path != NULL) {
		w->labels = fopen(job->labels_path, "wb");
		if (w->labels == NULL)
			return complain(job->labels_path, strerror(errno));
		fputs("time,service,vector,packets,bytes\n", w->labels);
	}
	if (!flow_meter_open(&w->meter, job->timeout, flow_ended, w))
		return complain("simulate", "memory ran out");
	/* Booted an hour before. */
	export_writer_init(&w->exports, (enum export_format)job->export_format, job->sampling,
			   wall_back(begins, span_s(3600)), send_datagram, w);
	w->random = prng_of(job->seed, UINT32_MAX);
	clock_gettime(CLOCK_MONOTONIC, &w->start);
	if (job->out == NULL)
		return true;
	uint8_t head[PCAP_WRITE_HEAD];
	pcap_write_head(head);
	if (fwrite(head, 1, sizeof(head), job->out) != sizeof(head))
		failed(w);
	return true;
}

static bool end(struct writer *w)
{
	const struct traffic_job *job = w->job;
	bool ok = true;
	if (w->labels != NULL) {
		write_labels(w);
		if (fclose(w->labels) != 0)
			ok = complain(job->labels_path, strerror(errno));
	}
	if (job->out != NULL && fflush(job->out) != 0)
		failed(w);
	if (w->error != 0)
		ok = complain(job->out != NULL ? job->out_path : job->collector,
			      strerror(w->error));
	return ok;
}

bool traffic_write(const struct traffic_job *job)
{
	struct writer *w = calloc(1, sizeof(*w));
	struct traffic_world *world = NULL;
	struct traffic_packet p;
	struct wd_why why;
	bool ok = false;

	if (w == NULL)
		return complain("simulate", "memory ran out");
	w->job = job;
	w->socket = -1;
	if (job->scenario->traffic_count == 0)
		complain("simulate", "this scenario has no traffic: its file says none, like: "
				     "traffic of x");
	else if (traffic_world_open(job->scenario, job->seed, &world, &why) != WD_OK)
		complain("simulate", why.what);
	else if (begin(w)) {
		wd_wall last = wall_add(job->scenario->begins, job->scenario->lasts);
		while (w->error == 0 && traffic_world_next(world, &p))
			take(w, &p);
		flow_meter_flush(&w->meter, wall_add(last, job->shift));
		export_writer_flush(&w->exports, wall_add(last, job->shift));
		ok = end(w);
	}
	flow_meter_close(&w->meter);
	traffic_world_close(world);
	if (w->socket >= 0)
		close(w->socket);
	free(w);
	return ok;
}
