/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: the program's counters for Prometheus (text format 0.0.4). Declared once in metrics.def.
 * Whoever serves fills in what the snapshot does not have; what stays NAN is left out. */
#ifndef WD_PUBLISH_METRICS_H
#define WD_PUBLISH_METRICS_H

#include "base/buf.h"
#include "model/snapshot.h"
#include "publish/exporters.h"
#include "publish/http.h"

enum metric {
#define METRIC(id, name, type, unit, meaning) METRIC_##id,
#include "publish/metrics.def"
#undef METRIC
	METRIC_COUNT,
};

struct metrics {
	double value[METRIC_COUNT];
	const struct http_counters *http; /* borrowed; NULL = not known */
	const struct exporters *exporters; /* borrowed; NULL = who asks may not see addresses */
};

void metrics_init(struct metrics *m); /* nothing is known */
/* The whole text: *m (may be NULL) with what the snapshot says over it, and three gauges a service.
 */
void metrics_write(struct buf *b, const struct metrics *m, const struct snapshot *snapshot);
/* docs/metrics.md. */
void metrics_document(struct buf *b);

#endif
