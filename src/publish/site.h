/* SPDX-License-Identifier: Apache-2.0 */
/* site: pages, API, feeds and embeds. A request and a snapshot in, bytes out. Pure: no clock,
 * no file, no socket, so that a test renders what a reader gets, and any thread may render.
 *
 * The caller shares what is rendered. For each request it asks site_key() (cheap, allocates
 * nothing) and looks in its cache for the key's text and version; only if the two are not there
 * does it call site_render(). A key stands for something that exists: made-up paths share one
 * key, and what a free query selects is not worth keeping (`keep` is false), so requests cannot
 * grow the cache beyond a few entries a service. */
#ifndef WD_PUBLISH_SITE_H
#define WD_PUBLISH_SITE_H

#include "base/buf.h"
#include "base/err.h"
#include "model/reconstruction.h"
#include "model/snapshot.h"
#include "model/trace.h"
#include "publish/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SITE_PATH_MAX = 256, /* bytes of a request's path; a longer one is not found */
	SITE_KEY_MAX = 192,
	SITE_BODY_MAX = 32 << 20,
};

struct comment; /* store/store.h */
struct comment_window;
struct store_version;
struct store_versions;

/* What stays the same from page to page. Borrowed; must outlive the calls. */
struct site {
	const char *name; /* in titles: "whydown" */
	const char
		*base_url; /* "https://status.example", no slash at its end; for feeds and embeds */
	const char *contact;  /* a mail address or a URL; "" = none */
	const char *measured; /* the detector's measured error rates as TSV (page_method.c); "" =
				 none */
	const char *measured_traffic; /* the same of floods; "" or NULL = none */
	const struct reconstructions *reconstructions; /* whose sources are known; NULL = none */
	bool collects_flows, collects_logs; /* some telemetry comes in that way */
	char assets[17];      /* version of the embedded files, from site_init() */
	/* The chart of an incident that the snapshot's series no longer reach. Caller frees
	 * ret_series->points. NULL = there is none. */
	bool (*incident_series)(void *ctx, const struct incident *i, struct series *ret_series);
	/* The trace of an incident that is not in the snapshot any more. NULL = there is none. */
	bool (*incident_trace)(void *ctx, const struct incident *i, struct trace *ret_trace);
	/* Every version of an incident that was told, oldest first. NULL = there are none. */
	void (*incident_versions)(void *ctx, const struct store_versions *which,
				  void (*each)(void *each_ctx, const struct store_version *v),
				  void *each_ctx);
	/* Published comments, the latest first. NULL = there are none. */
	void (*comments)(void *ctx, const struct comment_window *window,
			 void (*each)(void *each_ctx, const struct comment *c), void *each_ctx);
	/* Changes with each decision on a comment. NULL = there is none. */
	uint64_t (*comments_version)(void *ctx);
	void *ctx;
};

struct site_health {
	bool journal_writes;       /* false: reports cannot be accepted, /healthz answers 503 */
	const char *journal_error; /* static text; "" when it writes */
	wd_span snapshot_age;      /* since the snapshot was last all there is to show */
	wd_span uptime;
};

struct site_request {
	const char *path; /* decoded, UTF-8, starts with a slash */
	/* The value of a query parameter, decoded, or NULL. NULL itself = there is no query. */
	const char *(*query)(const void *ctx, const char *name);
	const void *ctx;
	const struct site_health *health; /* for /healthz; may be NULL elsewhere */
	const struct metrics *metrics;    /* for /metrics; may be NULL elsewhere */
};

struct site_page {
	int status;
	const char *content_type;
	const char *cache_control;
	bool embeddable;                 /* other sites may frame or embed it */
	bool cross_origin;               /* Access-Control-Allow-Origin: * */
	char location[SITE_KEY_MAX + 1]; /* of a redirect; "" = none */
	struct buf body;
};

struct site_key {
	char text[SITE_KEY_MAX + 1]; /* canonical path and what of the query matters */
	uint64_t version;            /* the same text and version give the same bytes */
	bool keep;                   /* false: render it for this request only */
};

/* Once, before the site is shared: fills what the others need. */
void site_init(struct site *site);

void site_key(const struct site *site, const struct snapshot *snapshot,
	      const struct site_request *request, struct site_key *ret_key);

/* Is there anything at that path, a redirect included? */
bool site_has(const struct snapshot *snapshot, const char *path);

/* Every request has an answer: an unknown path gives the 404 page, a bad query the 400 one. Fails
 * only when memory or SITE_BODY_MAX runs out. The caller frees ret_page->body with buf_done(). */
enum wd_err site_render(const struct site *site, const struct snapshot *snapshot,
			const struct site_request *request, struct site_page *ret_page,
			struct wd_why *why) WD_MUST_CHECK;

/* A refusal as a page, for a form that somebody sent: what is wrong, and the way back. */
struct site_refusal {
	int status;
	const char *title, *detail; /* plain text; detail "" = none */
	const char *back;           /* path of the page to go back to: "/s/x"; "" = "/" */
};
enum wd_err site_render_refusal(const struct site *site, const struct snapshot *snapshot,
				const struct site_refusal *refusal, struct site_page *ret_page,
				struct wd_why *why) WD_MUST_CHECK;

/* How a route appears to tests and to the OpenAPI document. */
struct site_route {
	const char *pattern, *content_type;
	bool in_openapi;
};
size_t site_route_count(void);
struct site_route site_route_at(size_t index);

#endif
