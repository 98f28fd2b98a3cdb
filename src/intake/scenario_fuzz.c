/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a scenario file: read or refused, with a place inside the text; and what was
 * read can be played. */
#include "base/check.h"
#include "intake/scenario.h"
#include "intake/simulation.h"

#include <stdbool.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scenario *s = NULL;
	struct wd_why why = {0};
	const char *text = size > 0 ? (const char *)data : "";

	if (scenario_read(text, size, &s, &why) != WD_OK) {
		WD_CHECK(s == NULL && why.what != NULL && why.at <= size);
		return 0;
	}
	struct simulation *m = NULL;
	struct observation o;
	bool more = true;
	/* Played a little: a great rate is allowed, but it is not what is searched here. */
	for (size_t i = 0; i < s->service_count; i++) {
		if (s->services[i].usually_high > 100)
			s->services[i].usually_low = s->services[i].usually_high = 100;
	}
	for (size_t i = 0; i < s->surge_count; i++) {
		if (s->surges[i].peak_rate > 1000 || s->surges[i].peak_times > 10) {
			s->surges[i].peak_rate = 1000;
			s->surges[i].peak_times = 0;
		}
	}
	if (s->lasts.ns > 3600 * WD_NS_PER_S)
		s->lasts = span_s(3600);
	if (simulation_open(s, s->seed, &m, NULL) == WD_OK) {
		wd_wall last = s->begins;
		for (int i = 0; i < 1000 && more; i++) {
			WD_CHECK(simulation_next(m, &o, &more, NULL) == WD_OK);
			if (!more)
				break;
			WD_CHECK(observation_is_sound(&o, NULL) && o.at.ns >= last.ns);
			last = o.at;
		}
	}
	simulation_close(m);
	scenario_free(s);
	return 0;
}
