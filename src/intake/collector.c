/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/collector.h"

#include "base/check.h"
#include "intake/senders.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Flows are gathered from a few datagrams, so that the tally can look ahead; and one datagram
 * always has room behind them. */
enum { GATHER = 256, FLOWS_MAX = GATHER + EXPORT_FLOWS_MAX };
/* Datagrams of one socket before the clock and the other sockets have their turn. */
enum { BATCHES_AT_ONCE = 16 };
/* Where datagrams keep coming, what came meanwhile is fetched in one go: waking up for each costs
 * more than all the rest. Only where the socket can hold what comes in that time: 4 MB are some
 * 3,600 datagrams (a kernel counts more than their bytes), so 1.8 million a second. */
enum { PAUSE_NS = 2000000, PAUSE_BUFFER_MIN = 4 << 20 };
enum { KNOWN_SENDERS = 64, SFLOW_SOURCES_EACH = 16 };
static const wd_span SKEW_LIFE = {3600 * WD_NS_PER_S};
static const wd_span REFUSED_SILENCE = {10 * WD_NS_PER_S};

struct known_sender {
	struct exporter_address sender;
	const struct sender_rule *rule;
	uint32_t witness; /* its slot; WITNESS_NONE = it has none */
};

struct worker {
	struct collector *collector;
	struct lane *lane;
	struct exports *exports;
	struct sflow *sflow;
	struct packet_options parsing; /* of what sFlow samples and IPFIX sections hold */
	struct udp_batch *batch;
	struct flow *flows; /* FLOWS_MAX */
	size_t flow_count;
	int fds[COLLECTOR_ADDRESSES_MAX];
	uint32_t drops[COLLECTOR_ADDRESSES_MAX]; /* as last asked */
	uint32_t generation; /* of the rules that `known` was looked up in */
	struct known_sender known[KNOWN_SENDERS];
	struct collector_refused refused[COLLECTOR_REFUSED_MAX]; /* by a hash of the address */
	struct collector_counts counts;
	wd_wall told_at;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* of what follows */
	struct collector_counts told;
	struct export_view views[COLLECTOR_VIEWS_MAX];
	struct sflow_source sources[COLLECTOR_VIEWS_MAX];
	struct collector_refused told_refused[COLLECTOR_REFUSED_MAX];
	size_t view_count, source_count;
};

struct collector {
	size_t threads, addresses;
	uint32_t buffer;
	bool stop; /* atomic */
	struct worker *workers;
};

/* ---- a datagram ---- */

/* The rule of who is not allowed is NULL. */
static const struct known_sender *known_of(struct worker *w, const struct exporter_address *s)
{
	static const struct known_sender nobody = {.witness = WITNESS_NONE};
	const struct senders *senders = lane_senders(w->lane);

	if (senders == NULL)
		return &nobody;
	if (w->generation != lane_generation(w->lane)) {
		memset(w->known, 0, sizeof(w->known));
		w->generation = lane_generation(w->lane);
	}
	struct known_sender *k = &w->known[exporter_address_hash(s) % KNOWN_SENDERS];
	if (k->sender.family != 0 && memcmp(&k->sender, s, sizeof(*s)) == 0)
		return k;
	*k = (struct known_sender){*s, senders_find(senders, s), WITNESS_NONE};
	if (k->rule != NULL)
		k->witness = witness_list_exporter(lane_witnesses(w->lane), s);
	return k;
}

static void flush(struct worker *w)
{
	if (w->flow_count > 0)
		lane_flows(w->lane, w->flows, w->flow_count);
	w->counts.flows += w->flow_count;
	w->flow_count = 0;
}

/* What the operator knows of an exporter that does not tell its sampling. */
static void undo_sampling(struct flow *flows, size_t count, uint32_t sampling)
{
	for (size_t i = 0; i < count; i++) {
		if (flows[i].sampling == 1)
			flows[i].sampling = sampling;
	}
}

static void take_flows(struct worker *w, size_t count, const struct known_sender *k)
{
	struct flow *flows = w->flows + w->flow_count;
	for (size_t i = 0; i < count; i++)
		flows[i].witness = (uint8_t)(k->witness + 1); /* WITNESS_NONE: 0 */
	if (k->rule->sampling > 1)
		undo_sampling(flows, count, k->rule->sampling);
	w->flow_count += count;
	if (w->flow_count >= GATHER)
		flush(w);
}

/* That it speaks proves that it would have told of traffic: not so where it has told of none yet,
 * because its templates have not come since the program started. */
static void note_word(struct worker *w, const struct known_sender *k, bool telling)
{
	if (k->witness != WITNESS_NONE &&
	    witness_list_tells(lane_witnesses(w->lane), k->witness, telling))
		lane_heard(w->lane, k->witness);
}

static void count_failure(struct worker *w, enum wd_err err)
{
	switch (err) {
	case WD_UNKNOWN: w->counts.unknown++; break;
	case WD_FULL: w->counts.no_room++; break;
	default: w->counts.broken++;
	}
}

static void take_export(struct worker *w, const struct datagram *d,
			const struct exporter_address *s, const struct known_sender *k,
			wd_wall now)
{
	size_t count = 0;
	wd_wall at;

	enum wd_err err = exports_decode(w->exports, s, d->bytes, d->len, now,
					 w->flows + w->flow_count, FLOWS_MAX - w->flow_count,
					 &count, NULL);
	if (err != WD_OK) {
		count_failure(w, err);
		return;
	}
	note_word(w, k, count > 0);
	take_flows(w, count, k);
	while (exports_held(w->exports, now, w->flows + w->flow_count, FLOWS_MAX - w->flow_count,
			    &count, &at)) {
		take_flows(w, count, k);
		flush(w); /* their payloads go with the next call */
	}
}

static void take_sflow(struct worker *w, const struct datagram *d,
		       const struct exporter_address *s, const struct known_sender *k,
		       wd_wall now)
{
	size_t count = 0;

	enum wd_err err = sflow_decode(w->sflow, s, d->bytes, d->len, now,
				       w->flows + w->flow_count, FLOWS_MAX - w->flow_count,
				       &count, NULL);
	if (err != WD_OK) {
		count_failure(w, err);
		return;
	}
	note_word(w, k, true); /* counters are of what it sees, too */
	take_flows(w, count, k);
}

/* So that an operator finds the exporter that the list forgot. Two that share a row: the one
 * that fell silent gives way. */
static void note_refused(struct worker *w, const struct exporter_address *s, wd_wall now)
{
	struct collector_refused *r = &w->refused[exporter_address_hash(s) % COLLECTOR_REFUSED_MAX];
	bool same = memcmp(&r->address, s, sizeof(*s)) == 0;
	w->counts.refused++;
	if (!same && r->datagrams > 0 && wall_sub(now, r->seen).ns < REFUSED_SILENCE.ns)
		return;
	r->datagrams = same ? r->datagrams + 1 : 1;
	r->address = *s;
	r->seen = now;
}

static void take_datagram(struct worker *w, const struct datagram *d, wd_wall now)
{
	struct exporter_address s = sender_of(d->from);
	const struct known_sender *k = known_of(w, &s);

	if (k->rule == NULL) {
		note_refused(w, &s, now);
		return;
	}
	w->counts.datagrams++;
	w->counts.bytes += d->len;
	w->counts.cut += d->cut;
	if (export_version(d->bytes, d->len) == EXPORT_SFLOW5)
		take_sflow(w, d, &s, k, now);
	else
		take_export(w, d, &s, k, now);
}

/* ---- the thread ---- */

/* Payloads borrow from the batch: what it brought is tallied before the next one is taken. */
static bool take_batch(struct worker *w, int fd, wd_wall now)
{
	struct datagram d;
	if (udp_receive(w->batch, fd) == 0)
		return false;
	while (udp_next(w->batch, &d))
		take_datagram(w, &d, now);
	flush(w);
	return true;
}

static void add_view(void *arg, const struct export_view *view)
{
	struct worker *w = arg;
	size_t at = w->view_count;
	uint64_t skew = (uint64_t)llabs(view->skew.ns);
	if (wall_sub(w->told_at, view->seen).ns < SKEW_LIFE.ns && skew > w->told.skew_ns_max)
		w->told.skew_ns_max = skew;
	if (at == COLLECTOR_VIEWS_MAX) {
		for (at = 0; at < COLLECTOR_VIEWS_MAX; at++) {
			if (w->views[at].counts.lost < view->counts.lost)
				break;
		}
		if (at == COLLECTOR_VIEWS_MAX)
			return;
	} else
		w->view_count++;
	w->views[at] = *view;
}

static void add_source(void *arg, const struct sflow_source *source)
{
	struct worker *w = arg;
	if (w->source_count < COLLECTOR_VIEWS_MAX)
		w->sources[w->source_count++] = *source;
}

/* Once a second others may see the counts. */
static void tell(struct worker *w, wd_wall now)
{
	if (now.ns >= w->told_at.ns && wall_sub(now, w->told_at).ns < WD_NS_PER_S)
		return;
	w->told_at = now;
	for (size_t i = 0; i < w->collector->addresses; i++) {
		uint32_t drops = udp_drops(w->fds[i]);
		w->counts.dropped += drops - w->drops[i];
		w->drops[i] = drops;
	}
	exports_totals(w->exports, &w->counts.exports);
	w->counts.sflow = sflow_counts(w->sflow);
	pthread_mutex_lock(&w->lock);
	w->told = w->counts;
	w->view_count = 0;
	exports_each(w->exports, add_view, w);
	w->source_count = 0;
	sflow_each(w->sflow, add_source, w);
	memcpy(w->told_refused, w->refused, sizeof(w->refused));
	pthread_mutex_unlock(&w->lock);
}

static bool is_stopping(const struct worker *w)
{
	return __atomic_load_n(&w->collector->stop, __ATOMIC_RELAXED);
}

/* Until there may be something to do. */
static void rest(struct worker *w, struct pollfd *polls, bool busy, wd_wall now)
{
	wd_span wait = lane_wait(w->lane, now);
	struct timespec t = {wait.ns / WD_NS_PER_S, wait.ns % WD_NS_PER_S};
	if (busy && w->collector->buffer >= PAUSE_BUFFER_MIN) {
		t = (struct timespec){0, wait.ns < PAUSE_NS ? wait.ns : PAUSE_NS};
		(void)nanosleep(&t, NULL);
	} else {
		(void)ppoll(polls, w->collector->addresses, &t, NULL);
	}
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct pollfd polls[COLLECTOR_ADDRESSES_MAX];
	size_t count = w->collector->addresses;

	for (size_t i = 0; i < count; i++)
		polls[i] = (struct pollfd){.fd = w->fds[i], .events = POLLIN};
	lane_clock(w->lane, lane_now(w->lane)); /* what has come already has its time */
	while (!is_stopping(w)) {
		bool more = false, busy = false;
		for (size_t i = 0; i < count; i++) {
			bool got = true;
			for (int n = 0; n < BATCHES_AT_ONCE && got; n++) {
				got = take_batch(w, w->fds[i], lane_now(w->lane));
				busy |= got;
			}
			more |= got;
		}
		wd_wall now = lane_now(w->lane);
		lane_clock(w->lane, now);
		tell(w, now);
		if (!more)
			rest(w, polls, busy, now);
	}
	lane_end(w->lane, lane_now(w->lane));
	w->told_at.ns = 0;
	tell(w, lane_now(w->lane));
	return NULL;
}

/* ---- start and stop ---- */

static enum wd_err open_sockets(struct worker *w, const struct collector_options *o,
				struct wd_why *why)
{
	struct collector *c = w->collector;
	for (size_t i = 0; i < c->addresses; i++) {
		struct udp_options u = {o->addresses[i], o->receive_buffer_bytes};
		uint16_t port = c->workers[0].fds[i] >= 0 ? collector_port(c, i) : 0;
		uint32_t buffer;
		if (port != 0 && u.address.ss.ss_family == AF_INET6)
			((struct sockaddr_in6 *)(void *)&u.address.ss)->sin6_port = htons(port);
		else if (port != 0)
			((struct sockaddr_in *)(void *)&u.address.ss)->sin_port = htons(port);
		enum wd_err err = udp_open(&u, &w->fds[i], &buffer, why);
		if (err != WD_OK) {
			if (why != NULL)
				why->at = (uint32_t)i;
			return err;
		}
		if (c->buffer == 0 || buffer < c->buffer)
			c->buffer = buffer;
	}
	return WD_OK;
}

static bool is_watched(const void *context, const struct flow *f)
{
	return lane_watches(context, f);
}

/* What a thread's decoders may keep. */
struct room { struct exports_limits exports; struct sflow_limits sflow; };

static struct room room_of(const struct collector_options *o)
{
	struct room r = {.exports = exports_limits_default()};
	r.exports.exporters = o->exporters_max < 8 ? 8 : o->exporters_max;
	r.sflow.sources = r.exports.exporters * SFLOW_SOURCES_EACH;
	return r;
}

size_t collector_memory(const struct collector_options *o)
{
	const struct room room = room_of(o);
	return sizeof(struct worker) + FLOWS_MAX * sizeof(struct flow) + udp_batch_memory() +
	       exports_memory(&room.exports) + sflow_memory(&room.sflow) + lane_memory(&o->lane);
}

static enum wd_err open_worker(struct worker *w, const struct collector_options *o,
			       struct wd_why *why)
{
	const struct room room = room_of(o);
	w->flows = calloc(FLOWS_MAX, sizeof(*w->flows));
	if (w->flows == NULL || udp_batch_open(&w->batch) != WD_OK ||
	    exports_open(&room.exports, &o->key, &w->exports) != WD_OK ||
	    sflow_open(&room.sflow, &o->key, &w->sflow) != WD_OK)
		return wd_fail(why, WD_NOMEM, 0, "memory for a collector");
	enum wd_err err = lane_open(&o->lane, &w->lane, why);
	if (err != WD_OK)
		return err;
	w->parsing = (struct packet_options){
		.decapsulate = true, .watched = is_watched, .context = w->lane};
	sflow_set_packet_options(w->sflow, &w->parsing);
	exports_packets(w->exports, &w->parsing);
	return open_sockets(w, o, why);
}

enum wd_err collector_open(const struct collector_options *options,
			   struct collector **ret_collector, struct wd_why *why)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = options->threads != 0 ? options->threads : cores > 0 ? (size_t)cores : 1;
	enum wd_err err = WD_NOMEM;
	struct collector *c = calloc(1, sizeof(*c));

	WD_CHECK(options->address_count <= COLLECTOR_ADDRESSES_MAX);
	if (c == NULL)
		return wd_fail(why, err, 0, "memory for a collector");
	c->threads = threads < COLLECTOR_THREADS_MAX ? threads : COLLECTOR_THREADS_MAX;
	c->addresses = options->address_count;
	c->workers = calloc(c->threads, sizeof(*c->workers));
	if (c->workers == NULL) {
		err = wd_fail(why, err, 0, "memory for a collector");
		goto fail;
	}
	for (size_t n = 0; n < c->threads; n++) {
		c->workers[n].collector = c;
		memset(c->workers[n].fds, 0xff, sizeof(c->workers[n].fds)); /* -1 each */
		pthread_mutex_init(&c->workers[n].lock, NULL);
	}
	for (size_t n = 0; n < c->threads; n++) {
		if ((err = open_worker(&c->workers[n], options, why)) != WD_OK)
			goto fail;
	}
	*ret_collector = c;
	return WD_OK;
fail:
	collector_close(c);
	return err;
}

enum wd_err collector_start(struct collector *c, struct wd_why *why)
{
	for (size_t n = 0; n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		int failed = pthread_create(&w->thread, NULL, run, w);
		if (failed != 0)
			return wd_fail_os(why, failed, "start a collector's thread");
		w->started = true;
	}
	return WD_OK;
}

void collector_stop(struct collector *c)
{
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	for (size_t n = 0; c->workers != NULL && n < c->threads; n++) {
		if (c->workers[n].started)
			pthread_join(c->workers[n].thread, NULL);
		c->workers[n].started = false;
	}
}

void collector_close(struct collector *c)
{
	if (c == NULL)
		return;
	collector_stop(c);
	for (size_t n = 0; c->workers != NULL && n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		for (size_t i = 0; i < c->addresses; i++) {
			if (w->fds[i] >= 0)
				close(w->fds[i]);
		}
		lane_close(w->lane);
		exports_close(w->exports);
		sflow_close(w->sflow);
		udp_batch_close(w->batch);
		free(w->flows);
		pthread_mutex_destroy(&w->lock);
	}
	free(c->workers);
	free(c);
}

/* ---- for others ---- */

size_t collector_threads(const struct collector *c) { return c->threads; }
uint32_t collector_buffer(const struct collector *c) { return c->buffer; }

struct lane *collector_lane(struct collector *c, size_t thread)
{
	WD_CHECK(thread < c->threads);
	return c->workers[thread].lane;
}

uint16_t collector_port(const struct collector *c, size_t address)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	WD_CHECK(address < c->addresses);
	if (getsockname(c->workers[0].fds[address], (struct sockaddr *)&ss, &len) != 0)
		return 0;
	return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&ss)->sin6_port
					      : ((struct sockaddr_in *)(void *)&ss)->sin_port);
}

/* Structs of nothing but uint64_t counters. */
static void add_up(void *sum, const void *more, size_t size)
{
	uint64_t *to = sum;
	const uint64_t *from = more;
	for (size_t i = 0; i < size / sizeof(*to); i++)
		to[i] += from[i];
}

void collector_count(struct collector *c, struct collector_counts *ret_counts)
{
	struct collector_counts sum = {0};
	for (size_t n = 0; n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		pthread_mutex_lock(&w->lock);
		struct collector_counts told = w->told;
		pthread_mutex_unlock(&w->lock);
		uint64_t skew = told.skew_ns_max > sum.skew_ns_max ? told.skew_ns_max
								   : sum.skew_ns_max;
		uint32_t exporters = sum.exports.exporters + told.exports.exporters;
		uint32_t templates = sum.exports.templates + told.exports.templates;
		add_up(&sum, &told, sizeof(sum));
		sum.skew_ns_max = skew;
		sum.exports.exporters = exporters;
		sum.exports.templates = templates;
	}
	*ret_counts = sum;
}

static int by_loss(const void *a, const void *b)
{
	const struct export_view *va = a, *vb = b;
	return (va->counts.lost < vb->counts.lost) - (va->counts.lost > vb->counts.lost);
}

/* Adds it to the same exporter's of another thread, or behind them. */
static void join_view(struct export_view *all, size_t *count, const struct export_view *view)
{
	for (size_t i = 0; i < *count; i++) {
		struct export_view *v = &all[i];
		if (v->source_id != view->source_id || v->version != view->version ||
		    memcmp(&v->address, &view->address, sizeof(v->address)) != 0)
			continue;
		struct export_counts sum = v->counts;
		add_up(&sum, &view->counts, sizeof(sum));
		if (wall_before(v->seen, view->seen))
			*v = *view;
		v->counts = sum;
		return;
	}
	all[(*count)++] = *view;
}

size_t collector_exporters(struct collector *c, struct export_view *ret_views, size_t max)
{
	struct export_view *all = calloc(c->threads * COLLECTOR_VIEWS_MAX, sizeof(*all));
	size_t count = 0;
	if (all == NULL)
		return 0;
	for (size_t n = 0; n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		pthread_mutex_lock(&w->lock);
		for (size_t i = 0; i < w->view_count; i++)
			join_view(all, &count, &w->views[i]);
		pthread_mutex_unlock(&w->lock);
	}
	qsort(all, count, sizeof(*all), by_loss);
	count = count < max ? count : max;
	memcpy(ret_views, all, count * sizeof(*all));
	free(all);
	return count;
}

size_t collector_sflow(struct collector *c, struct sflow_source *ret_sources, size_t max)
{
	size_t count = 0;
	for (size_t n = 0; n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		pthread_mutex_lock(&w->lock);
		for (size_t i = 0; i < w->source_count && count < max; i++)
			ret_sources[count++] = w->sources[i];
		pthread_mutex_unlock(&w->lock);
	}
	return count;
}

size_t collector_refused(struct collector *c, struct collector_refused *ret_refused, size_t max)
{
	size_t count = 0;
	for (size_t n = 0; n < c->threads; n++) {
		struct worker *w = &c->workers[n];
		pthread_mutex_lock(&w->lock);
		for (size_t i = 0; i < COLLECTOR_REFUSED_MAX && count < max; i++) {
			if (w->told_refused[i].datagrams > 0)
				ret_refused[count++] = w->told_refused[i];
		}
		pthread_mutex_unlock(&w->lock);
	}
	return count;
}
