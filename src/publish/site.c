/* SPDX-License-Identifier: Apache-2.0 */
/* The routes, and what a request asks for. */
#include "publish/site.h"

#include "base/check.h"
#include "base/hash.h"
#include "publish/embedded.h"
#include "publish/problem.h"
#include "publish/render.h"
#include "publish/words.h"

#include <stdio.h>
#include <string.h>

#define HTML       "text/html; charset=utf-8"
#define JSON       "application/json"
#define SVG        "image/svg+xml"
#define ATOM       "application/atom+xml; charset=utf-8"
#define FEED       "application/feed+json"
#define PROMETHEUS "text/plain; version=0.0.4; charset=utf-8"
#define TEXT       "text/plain; charset=utf-8"

#define FRESH   "no-cache" /* kept, but asked about each time: an unchanged page answers 304 */
#define SOON    "public, max-age=30"
#define LATER   "public, max-age=3600"
#define NEVER   "no-store"
#define FOREVER "public, max-age=31536000, immutable" /* its URL changes when it does */

/* What a page is made from: it stays the same while this does. */
enum depends { ON_NOTHING, ON_SERVICE, ON_SNAPSHOT, ON_REQUEST };

enum kind { PAGE, API, EMBED };

struct route {
	const char *pattern; /* {service}, {incident} and {name} stand for one segment */
	renderer *render;
	const char *type, *cache;
	enum depends depends;
	enum kind kind;
	const char *choice, *choices; /* a parameter, and its few values: part of the key */
	const char *free;  /* parameters of any value: such a page is not worth keeping */
	bool comments;     /* has published comments in it */
	bool undocumented; /* of the API, but not in the OpenAPI document */
};

/* clang-format off */
static const struct route routes[] = {
	{"/", page_now, HTML, FRESH, ON_SNAPSHOT, PAGE, .free = "q"},
	{"/live", page_now_live, HTML, FRESH, ON_SNAPSHOT, PAGE},
	{"/s/{service}", page_service, HTML, FRESH, ON_SERVICE, PAGE,
		.choice = "reported", .choices = "1 2", .comments = true},
	{"/s/{service}/live", page_service_live, HTML, FRESH, ON_SERVICE, PAGE, .comments = true},
	{"/i/{incident}", page_incident, HTML, FRESH, ON_SNAPSHOT, PAGE, .comments = true,
		.choice = "show", .choices = "packets bits flows requests sources"},
	{"/i/{incident}/live", page_incident_live, HTML, FRESH, ON_SNAPSHOT, PAGE, .comments = true,
		.choice = "show", .choices = "packets bits flows requests sources"},
	{"/i/{incident}/versions", page_versions, HTML, FRESH, ON_SNAPSHOT, PAGE, .free = "after"},
	{"/history", page_history, HTML, FRESH, ON_SNAPSHOT, PAGE,
		.free = "service year kind vector order page"},
	{"/method", page_method, HTML, FRESH, ON_SNAPSHOT, PAGE},
	{"/method/vectors", page_vectors, HTML, LATER, ON_NOTHING, PAGE},
	{"/api", page_api, HTML, LATER, ON_NOTHING, PAGE},

	{"/api/v1/now", api_now, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v1/services", api_services, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v1/services/{service}", api_service, JSON, FRESH, ON_SERVICE, API},
	{"/api/v1/services/{service}/series", api_series, JSON, FRESH, ON_SERVICE, API,
		.choice = "range", .choices = "24h 7d 90d"},
	{"/api/v1/services/{service}/traffic", api_traffic, JSON, FRESH, ON_SERVICE, API,
		.choice = "range", .choices = "6m 24h"},
	{"/api/v1/services/{service}/comments", api_comments, JSON, FRESH, ON_SERVICE, API,
		.comments = true},
	{"/api/v1/incidents", api_incidents, JSON, FRESH, ON_SNAPSHOT, API,
		.free = "service state kind vector since limit cursor"},
	{"/api/v1/incidents/{incident}", api_incident, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v1/incidents/{incident}/trace", api_trace, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v1/incidents/{incident}/versions", api_versions, JSON, FRESH, ON_SNAPSHOT, API,
		.free = "after"},
	{"/api/v1/openapi.json", api_openapi, JSON, LATER, ON_NOTHING, API, .undocumented = true},

	{"/api/v2/summary.json", statuspage_summary, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v2/status.json", statuspage_status, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v2/components.json", statuspage_components, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v2/incidents.json", statuspage_incidents, JSON, FRESH, ON_SNAPSHOT, API},
	{"/api/v2/incidents/unresolved.json", statuspage_unresolved, JSON, FRESH, ON_SNAPSHOT, API},

	{"/feed.atom", feed_atom, ATOM, SOON, ON_SNAPSHOT, API},
	{"/feed.json", feed_json, FEED, SOON, ON_SNAPSHOT, API},
	{"/s/{service}/feed.atom", feed_atom, ATOM, SOON, ON_SNAPSHOT, API},
	{"/s/{service}/feed.json", feed_json, FEED, SOON, ON_SNAPSHOT, API},
	{"/s/{service}/badge.svg", embed_badge, SVG, SOON, ON_SERVICE, EMBED},
	{"/s/{service}/chart.svg", embed_chart, SVG, SOON, ON_SERVICE, EMBED},

	{"/i/{incident}/map.svg", embed_map, SVG, SOON, ON_SNAPSHOT, EMBED},

	{"/metrics", metrics_text, PROMETHEUS, NEVER, ON_REQUEST, API},
	{"/healthz", api_health, JSON, NEVER, ON_REQUEST, API},
	{"/assets/{name}", page_asset, NULL, FOREVER, ON_NOTHING, PAGE},
	{"/favicon.ico", page_favicon, SVG, LATER, ON_NOTHING, PAGE}, /* asked for without a link */
	{"/favicon.svg", page_favicon, SVG, LATER, ON_NOTHING, PAGE},
	{"/robots.txt", page_robots, TEXT, LATER, ON_NOTHING, PAGE},
	{"/sitemap.xml", page_sitemap, "application/xml", LATER, ON_SNAPSHOT, PAGE},
};

static const struct route missing_page = {"404", page_missing, HTML, FRESH, ON_NOTHING, PAGE};
static const struct route missing_api = {
	"404 api", api_missing, PROBLEM_TYPE, FRESH, ON_NOTHING, API};
static const struct route bad_page = {"400", page_bad_request, HTML, NEVER, ON_REQUEST, PAGE};
static const struct route bad_api = {
	"400 api", api_bad_request, PROBLEM_TYPE, NEVER, ON_REQUEST, API};
/* A service's other name: the renderer is not called. */
static const struct route moved = {"302", page_missing, HTML, FRESH, ON_REQUEST, PAGE};
/* clang-format on */

size_t site_route_count(void)
{
	return WD_COUNT(routes);
}

struct site_route site_route_at(size_t index)
{
	const struct route *r = &routes[index];
	return (struct site_route){r->pattern, r->type, r->kind != PAGE && !r->undocumented};
}

void site_init(struct site *site)
{
	static const struct hash_key key; /* a name for what is in the files, not a secret */
	uint64_t version = 0;

	for (size_t i = 0; i < embedded_count; i++) {
		const struct embedded *file = &embedded_files[i];
		version = hash_mix(version + hash_bytes(&key, file->bytes, file->len));
	}
	snprintf(site->assets, sizeof(site->assets), "%016llx", (unsigned long long)version);
}

/* ---- what is asked for ---- */

struct target {
	const struct route *route;
	char segment[SITE_PATH_MAX + 1]; /* what stood for {…} */
	const struct service_state *service;
	const struct incident *incident;
	const char *wrong, *wrong_field;
};

/* True if the path fits the pattern; `segment` gets what stands for the braces. */
static bool pattern_fits(const char *pattern, const char *path, char *segment)
{
	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t len = strcspn(path, "/");
		if (len == 0)
			return false;
		memcpy(segment, path, len);
		segment[len] = '\0';
		path += len;
		pattern += strcspn(pattern, "}") + 1;
	}
	return *path == '\0';
}

/* True if `word` is one of the words in `list`, which a space separates. */
static bool list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list;
	     len > 0 && strchr(word, ' ') == NULL && (at = strstr(at, word)) != NULL; at++) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	}
	return false;
}

static const char *parameter(const struct site_request *request, const char *name)
{
	const char *value = request->query != NULL ? request->query(request->ctx, name) : NULL;
	return value != NULL ? value : "";
}

const char *query_value(const struct render *r, const char *name)
{
	const struct route *route = r->route;
	const char *value = parameter(r->request, name);

	if (route == NULL)
		return "";
	if (route->choice != NULL && strcmp(route->choice, name) == 0)
		return list_has(route->choices, value) ? value : "";
	return route->free != NULL && list_has(route->free, name) ? value : "";
}

static bool path_is_api(const char *path)
{
	return strncmp(path, "/api/", 5) == 0;
}

/* What the route's braces stand for: false if there is no such thing. */
static bool find_subject(const struct snapshot *snapshot, struct target *t)
{
	if (strstr(t->route->pattern, "{service}") != NULL) {
		t->service = snapshot_service(snapshot, t->segment);
		return t->service != NULL;
	}
	if (strstr(t->route->pattern, "{incident}") != NULL) {
		t->incident = snapshot_incident(snapshot, t->segment);
		return t->incident != NULL;
	}
	if (strstr(t->route->pattern, "{name}") != NULL)
		return embedded_find(t->segment) != NULL;
	return true;
}

static void resolve(const struct snapshot *snapshot, const struct site_request *request,
		    struct target *t)
{
	const char *path = request->path;

	*t = (struct target){.route = path_is_api(path) ? &missing_api : &missing_page};
	if (strlen(path) > SITE_PATH_MAX)
		return;
	for (size_t i = 0; i < WD_COUNT(routes); i++) {
		if (!pattern_fits(routes[i].pattern, path, t->segment))
			continue;
		const struct route *missing = routes[i].kind == PAGE ? &missing_page : &missing_api;
		t->route = &routes[i];
		if (find_subject(snapshot, t))
			break;
		/* "/s/Twitter": another name of the service leads to its page. */
		const struct service *s = NULL;
		if (routes[i].render == page_service)
			s = catalogue_find(snapshot->catalogue, t->segment);
		if (s != NULL)
			snprintf(t->segment, sizeof(t->segment), "%s", s->id);
		t->route = s != NULL ? &moved : missing;
		return;
	}
	if (t->route->choice != NULL && t->route->kind == API) {
		const char *value = parameter(request, t->route->choice);
		if (value[0] != '\0' && !list_has(t->route->choices, value)) {
			t->wrong = "the value is not one of those it may have";
			t->wrong_field = t->route->choice;
		}
	}
	if (t->wrong != NULL)
		t->route = t->route->kind == PAGE ? &bad_page : &bad_api;
}

/* Does the query carry one of the parameters that may have any value? */
static bool asks_freely(const struct site_request *request, const struct route *route)
{
	char name[16];

	for (const char *at = route->free; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, " ");
		snprintf(name, sizeof(name), "%.*s", (int)len, at);
		if (parameter(request, name)[0] != '\0')
			return true;
		at += len + (at[len] == ' ');
	}
	return false;
}

/* A service's page tells of its incidents too, and what time it is: a page that nobody reports
 * about is made anew each minute that somebody reads it. */
static uint64_t service_version(const struct snapshot *snapshot, const struct service_state *s)
{
	uint64_t version = hash_mix(s->version + 1) + snapshot->incident_count;

	version ^= hash_mix((uint64_t)wall_to_s(snapshot->now) / 60);
	if (s->incident < snapshot->incident_count)
		version += hash_mix((uint64_t)snapshot->incidents[s->incident].changed_at.ns);
	return version;
}

static bool is_listed(const struct route *route)
{
	return route >= routes && route < routes + WD_COUNT(routes);
}

bool site_has(const struct snapshot *snapshot, const char *path)
{
	const struct site_request request = {.path = path};
	struct target t;

	resolve(snapshot, &request, &t);
	return is_listed(t.route) || t.route == &moved;
}

void site_key(const struct site *site, const struct snapshot *snapshot,
	      const struct site_request *request, struct site_key *ret_key)
{
	struct target t;

	resolve(snapshot, request, &t);
	*ret_key = (struct site_key){.keep = t.route->depends != ON_REQUEST &&
					     !asks_freely(request, t.route)};
	if (t.route->depends == ON_SERVICE)
		ret_key->version = service_version(snapshot, t.service);
	else if (t.route->depends == ON_SNAPSHOT)
		ret_key->version = snapshot->version;
	if (t.route->comments && site->comments_version != NULL)
		ret_key->version += hash_mix(site->comments_version(site->ctx));
	/* What does not exist shares one key, whatever it is called. */
	bool exists = is_listed(t.route);
	const char *value = t.route->choice != NULL ? parameter(request, t.route->choice) : "";
	if (t.route->choice == NULL || !list_has(t.route->choices, value))
		value = "";
	snprintf(ret_key->text, sizeof(ret_key->text), "%.*s%s%s", SITE_KEY_MAX - 16,
		 exists ? request->path : t.route->pattern, value[0] != '\0' ? "?" : "", value);
}

/* ---- rendering ---- */

enum wd_err site_render(const struct site *site, const struct snapshot *snapshot,
			const struct site_request *request, struct site_page *ret_page,
			struct wd_why *why)
{
	struct target t;

	resolve(snapshot, request, &t);
	struct site_page page = {
		.status = 200,
		.content_type = t.route->type,
		.cache_control = asks_freely(request, t.route) ? NEVER : t.route->cache,
		.embeddable = t.route->kind == EMBED,
		.cross_origin = t.route->kind != PAGE,
	};
	buf_init(&page.body, SITE_BODY_MAX);
	struct render r = {
		.site = site,
		.snapshot = snapshot,
		.request = request,
		.route = t.route,
		.timeless = t.route->depends == ON_NOTHING,
		.service = t.service,
		.incident = t.incident,
		.name = t.segment,
		.wrong = t.wrong,
		.wrong_field = t.wrong_field,
		.page = &page,
		.out = &page.body,
	};
	if (t.route == &moved) {
		page.status = 302;
		snprintf(page.location, sizeof(page.location), "/s/%.*s", SERVICE_ID_MAX,
			 t.segment);
	} else {
		t.route->render(&r);
	}
	if (page.body.bad) {
		buf_done(&page.body);
		return wd_fail(why, WD_NOMEM, 0, "rendering a page");
	}
	*ret_page = page;
	return WD_OK;
}

enum wd_err site_render_refusal(const struct site *site, const struct snapshot *snapshot,
				const struct site_refusal *refusal, struct site_page *ret_page,
				struct wd_why *why)
{
	static const struct site_request no_request = {.path = ""};
	struct site_page page = {.content_type = HTML, .cache_control = NEVER};
	struct render r = {.site = site,
			   .snapshot = snapshot,
			   .request = &no_request,
			   .timeless = true, /* it may be made before it is needed */
			   .page = &page,
			   .out = &page.body};

	buf_init(&page.body, SITE_BODY_MAX);
	page_refusal(&r, refusal);
	if (page.body.bad) {
		buf_done(&page.body);
		return wd_fail(why, WD_NOMEM, 0, "rendering a refusal");
	}
	*ret_page = page;
	return WD_OK;
}
