/* SPDX-License-Identifier: Apache-2.0 */
#include "model/snapshot.h"

#include <stdlib.h>
#include <string.h>

/* References are counted with atomics because any reader's thread may drop the last. */

struct snapshot *snapshot_hold(struct snapshot *s)
{
	__atomic_fetch_add(&s->references, 1, __ATOMIC_RELAXED);
	return s;
}

void service_state_release(struct service_state *s)
{
	if (s == NULL || __atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	free(s->day.points);
	free(s->week.points);
	free(s->quarter.points);
	free(s->shares);
	free(s);
}

void snapshot_release(struct snapshot *s)
{
	if (s == NULL || __atomic_sub_fetch(&s->references, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < s->service_count; i++)
		service_state_release(s->services[i]);
	free(s->services);
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
