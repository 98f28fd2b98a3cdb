/* SPDX-License-Identifier: Apache-2.0 */
/* render: what a renderer is given, and the list of renderers. A renderer appends to `out` and may
 * change what `page` says (status, type, caching); site.c fills both with the route's values first.
 */
#ifndef WD_PUBLISH_RENDER_H
#define WD_PUBLISH_RENDER_H

#include "publish/site.h"

struct route; /* site.c */

struct render {
	const struct site *site;
	const struct snapshot *snapshot;
	const struct site_request *request;
	const struct route *route; /* NULL: of no parameters */
	bool timeless;             /* kept for ever: it must not say what time it is */
	const struct service_state *service; /* of a route with a service in it, else NULL */
	const struct incident *incident;     /* of a route with an incident in it, else NULL */
	const char *name;                    /* of an asset */
	const char *wrong, *wrong_field;     /* what is wrong with a bad request, and where */
	struct site_page *page;
	struct buf *out; /* page->body */
};

/* The value of a query parameter that the route takes, and one that it may have; else "": what the
 * key of a page does not tell must not be on it. */
const char *query_value(const struct render *r, const char *name);

typedef void renderer(const struct render *r);

/* Pages. A …_live one is the part of the page that changes. */
renderer page_now, page_now_live, page_service, page_service_live, page_incident,
	page_incident_live, page_versions;
renderer page_history, page_method, page_vectors, page_api, page_missing;
renderer page_bad_request;
void page_refusal(const struct render *r, const struct site_refusal *refusal);
renderer page_asset, page_favicon, page_robots, page_sitemap;
/* Parts of pages: a section, or nothing if there are no comments. */
renderer page_comments_day, page_comments_incident;
renderer page_incident_made_from; /* nothing if it is no reconstruction */
/* JSON. */
renderer api_now, api_services, api_service, api_series, api_traffic, api_comments;
renderer api_incidents, api_incident, api_trace, api_versions, api_openapi;
renderer api_missing, api_bad_request, api_health;
/* Feeds, embeds and other people's formats. */
renderer feed_atom, feed_json, embed_badge, embed_chart, embed_map, metrics_text;
void embed_style(const struct render *r); /* of pictures that stand by themselves */
renderer statuspage_summary, statuspage_status, statuspage_components, statuspage_incidents,
	statuspage_unresolved;

#endif
