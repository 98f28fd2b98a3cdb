/* SPDX-License-Identifier: Apache-2.0 */
/* reader: looking into a data folder from another process, while a server uses it or not.
 * It takes no lock that a writer would wait for, and holds no view of the database for longer
 * than some hundred batches take, so that the server's log does not grow meanwhile.
 *
 * A reader is a store that cannot write: the store_each_… functions take it, too. */
#ifndef WD_STORE_READER_H
#define WD_STORE_READER_H

#include "store/store.h"

/* WD_UNKNOWN: there is no database there, or a newer whydown's (at = its schema version; 0 if
 * there is none). */
enum wd_err reader_open(const char *folder, struct store **ret_store,
			struct wd_why *why) WD_MUST_CHECK;

struct reader_query {
	wd_wall from, to;    /* of when it happened; to 0 = no end */
	const char *service; /* NULL = all */
	bool all_comments;   /* else only those that were approved; others read "" */
};

/* Every observation of the journal, in its order, with the time it was received.
 * *ret_damaged counts batches that were left out because they are damaged. `each` returns
 * false to end it. */
enum wd_err reader_each(struct store *s, const struct reader_query *query,
			bool (*each)(void *ctx, wd_wall received, const struct observation *o),
			void *ctx, uint64_t *ret_damaged, struct wd_why *why) WD_MUST_CHECK;

struct reader_count {
	wd_wall at; /* begin of the bucket */
	wd_span step;
	const char *service;
	uint64_t reports;
};

struct reader_counted {
	uint64_t damaged;  /* batches */
	uint64_t left_out; /* counts of wider buckets than their service's are told in */
};

/* Reports a bucket of this width and service, by time, then service; counts that feeders sent
 * are reports, too. What came first of a service says what it is, as the engine has it: a report,
 * and a bucket without any is told as 0 from the first on, if somebody watched then; a count, and
 * its buckets have that count's width, if this is more than `bucket`, and where none was sent
 * nothing is known. What covers a wider bucket than the service's is in none of them. */
enum wd_err reader_each_count(struct store *s, const struct reader_query *query, wd_span bucket,
			      bool (*each)(void *ctx, const struct reader_count *count),
			      void *ctx, struct reader_counted *ret_counted,
			      struct wd_why *why) WD_MUST_CHECK;

#endif
