/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include "model/trace.h"

#include <stdlib.h>
#include <string.h>

/* References are counted with atomics because any reader's thread may drop the last. */

struct snapshot *snapshot_hold(struct snapshot *s)
{
	__atomic_fetch_add(&s->references, 1, __ATOMIC_RELAXED);
	return s;
}

struct shared_trace { int references; struct trace trace; };

struct shared_trace *shared_trace_new(const struct trace *t)
{
	struct shared_trace *s = malloc(sizeof(*s));
	if (s == NULL)
		return NULL;
	s->references = 1;
	s->trace = *t;
	return s;
}

struct shared_trace *shared_trace_hold(struct shared_trace *t)
{
	__atomic_fetch_add(&t->references, 1, __ATOMIC_RELAXED);
	return t;
}

void shared_trace_release(struct shared_trace *t)
{
	if (t != NULL && __atomic_sub_fetch(&t->references, 1, __ATOMIC_ACQ_REL) == 0)
		free(t);
}

const struct trace *shared_trace_of(const struct shared_trace *t)
{
	return &t->trace;
}

void traffic_state_free(struct traffic_state *t)
{
	if (t == NULL)
		return;
	free(t->day_packets.points);
	free(t->day_bits.points);
	free(t->day_requests.points);
	free(t->recent_packets.points);
	free(t->recent_bits.points);
	free(t->recent_requests.points);
	free(t);
}

void service_state_release(struct service_state *s)
{
	if (s == NULL || __atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(s->day.points);
	free(s->week.points);
	free(s->quarter.points);
	free(s->leading.points);
	free(s->shares);
	traffic_state_free(s->traffic);
	client_notes_release(s->clients);
	free(s);
}

void snapshot_release(struct snapshot *s)
{
	if (s == NULL || __atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < s->service_count; i++)
		service_state_release(s->services[i]);
	free(s->services);
	for (size_t i = 0; i < s->trace_count; i++)
		shared_trace_release(s->traces[i]);
	free(s->traces);
	if (s->incident_release != NULL)
		s->incident_release(s->incident_owner);
	catalogue_release(s->catalogue);
	free(s);
}

const struct incident *snapshot_incident(const struct snapshot *s, const char *id)
{
	for (size_t i = 0; i < s->incident_count; i++) {
		if (strcmp(s->incidents[i].id, id) == 0)
			return &s->incidents[i];
	}
	return NULL;
}

const struct trace *snapshot_trace(const struct snapshot *s, const char *incident)
{
	for (size_t i = 0; i < s->trace_count; i++) {
		if (strcmp(s->traces[i]->trace.incident, incident) == 0)
			return &s->traces[i]->trace;
	}
	return NULL;
}

struct rank snapshot_rank(const struct snapshot *s, const struct incident *mine)
{
	struct rank rank = {1, 1, 0};
	int64_t duration = incident_duration(mine, s->now).ns;

	for (size_t i = 0; i < s->incident_count; i++) {
		const struct incident *other = &s->incidents[i];
		if (strcmp(other->service, mine->service) != 0)
			continue;
		rank.of++;
		rank.by_duration += incident_duration(other, s->now).ns > duration;
		rank.by_severity += other->severity > mine->severity;
	}
	return rank;
}
