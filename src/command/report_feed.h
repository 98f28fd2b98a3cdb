/* SPDX-License-Identifier: Apache-2.0 */
/* report_feed: a recording (NDJSON) to a running whydown, in batches, as a feeder. A report
 * without an id gets one made of its line and line number, so that sending the same file
 * again, whole or from where it broke off, counts nothing twice. */
#ifndef WD_COMMAND_REPORT_FEED_H
#define WD_COMMAND_REPORT_FEED_H

#include "command/report_client.h"

#include <stdint.h>

struct report_feed {
	uint64_t lines;      /* that were not blank */
	uint64_t accepted;   /* new to the server */
	uint64_t duplicates; /* sent before */
	uint64_t refused;    /* by us or by the server; the first are told on stderr */
	bool stopped;        /* the server would take no more: told on stderr */
};

/* Sends all lines of the file (plain or gzip; "-" is standard input). WD_OS if it cannot be
 * opened. */
enum wd_err report_feed_send(struct report_client *c, const char *path, size_t batch_lines,
			     struct report_feed *ret_feed, struct wd_why *why) WD_MUST_CHECK;

#endif
