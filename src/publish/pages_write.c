/* SPDX-License-Identifier: Apache-2.0 */
/* pages_write FOLDER: renders the fixture's pages into files, to look at them in a browser and to
 * check them with other people's parsers. Prints a line a file: its size and its path. */
#include "publish/embedded.h"
#include "publish/site_fixture.h"

#include <stdio.h>
#include <string.h>

static const struct {
	enum fixture fixture;
	const char *path, *query, *file;
} pages[] = {
	{FIXTURE_INCIDENT, "/", "", "now.html"},
	{FIXTURE_QUIET, "/", "", "quiet.html"},
	{FIXTURE_NEW, "/", "", "new.html"},
	{FIXTURE_EMPTY, "/", "", "empty.html"},
	{FIXTURE_HOSTILE, "/", "", "hostile.html"},
	{FIXTURE_INCIDENT, "/", "q=bank", "search.html"},
	{FIXTURE_INCIDENT, "/s/x", "", "service.html"},
	{FIXTURE_INCIDENT, "/s/x", "reported=1", "reported.html"},
	{FIXTURE_INCIDENT, "/s/barclays", "", "service-quiet.html"},
	{FIXTURE_INCIDENT, "/s/amazon", "", "service-new.html"},
	{FIXTURE_INCIDENT, "/s/att", "", "service-unusual.html"},
	{FIXTURE_INCIDENT, "/s/azure", "", "service-coordinated.html"},
	{FIXTURE_HOSTILE, "/s/x", "", "service-hostile.html"},
	{FIXTURE_INCIDENT, "/nowhere", "", "missing.html"},
	{FIXTURE_INCIDENT, "/i/x-20250310-0945", "", "incident.html"},
	{FIXTURE_HOSTILE, "/i/x-20250310-0945", "", "incident-hostile.html"},
	{FIXTURE_INCIDENT, "/i/cloudflare-20250310-1545", "", "incident-closed.html"},
	{FIXTURE_INCIDENT, "/i/cloudflare-20250310-0951", "", "incident-traffic.html"},
	{FIXTURE_HOSTILE, "/i/cloudflare-20250310-0951", "", "incident-traffic-hostile.html"},
	{FIXTURE_INCIDENT, "/s/cloudflare", "", "service-traffic.html"},
	{FIXTURE_INCIDENT, "/i/cloudflare-20250310-0951/map.svg", "", "map.svg"},
	{FIXTURE_INCIDENT, "/api/v1/incidents/cloudflare-20250310-0951/trace", "", "trace.json"},
	{FIXTURE_INCIDENT, "/i/x-20250310-0945/versions", "", "versions.html"},
	{FIXTURE_INCIDENT, "/i/x-20250310-0945/versions", "after=100", "versions-last.html"},
	{FIXTURE_HOSTILE, "/i/x-20250310-0945/versions", "after=104", "versions-none.html"},
	{FIXTURE_INCIDENT, "/history", "", "history.html"},
	{FIXTURE_INCIDENT, "/history", "order=longest", "history-longest.html"},
	{FIXTURE_EMPTY, "/history", "", "history-empty.html"},
	{FIXTURE_INCIDENT, "/i/cloudflare-20250310-0951", "show=bits", "incident-bits.html"},
	{FIXTURE_INCIDENT, "/i/cloudflare-20250310-0951/live", "show=bits", "incident-live.xml"},
	{FIXTURE_INCIDENT, "/i/" FIXTURE_PROVED, "", "incident-proved.html"},
	{FIXTURE_HOSTILE, "/i/" FIXTURE_PROVED, "show=requests", "incident-proved-hostile.html"},
	{FIXTURE_INCIDENT, "/i/" FIXTURE_PROVED "/map.svg", "", "map-proved.svg"},
	{FIXTURE_HOSTILE, "/i/cloudflare-20250310-0951/map.svg", "", "map-hostile.svg"},
	{FIXTURE_INCIDENT, "/method", "", "method.html"},
	{FIXTURE_INCIDENT, "/method/vectors", "", "vectors.html"},
	{FIXTURE_HOSTILE, "/method/vectors", "", "vectors-hostile.html"},
	{FIXTURE_INCIDENT, "/api", "", "api.html"},
	{FIXTURE_INCIDENT, "/live", "", "live.xml"},
	{FIXTURE_INCIDENT, "/s/x/live", "", "service-live.xml"},
	{FIXTURE_HOSTILE, "/feed.atom", "", "feed.atom"},
	{FIXTURE_HOSTILE, "/s/x/feed.atom", "", "service-feed.atom"},
	{FIXTURE_EMPTY, "/feed.atom", "", "feed-empty.atom"},
	{FIXTURE_INCIDENT, "/s/x/badge.svg", "", "badge.svg"},
	{FIXTURE_INCIDENT, "/s/att/badge.svg", "", "badge-unusual.svg"},
	{FIXTURE_INCIDENT, "/s/barclays/badge.svg", "", "badge-usual.svg"},
	{FIXTURE_NEW, "/s/x/badge.svg", "", "badge-learning.svg"},
	{FIXTURE_HOSTILE, "/s/x/badge.svg", "", "badge-hostile.svg"},
	{FIXTURE_INCIDENT, "/s/x/chart.svg", "", "chart.svg"},
	{FIXTURE_HOSTILE, "/s/x/chart.svg", "", "chart-hostile.svg"},
	{FIXTURE_NEW, "/s/x/chart.svg", "", "chart-new.svg"},
	{FIXTURE_INCIDENT, "/favicon.svg", "", "favicon.svg"},
	{FIXTURE_INCIDENT, "/sitemap.xml", "", "sitemap.xml"},
};

/* Links from the site's root do not work in a folder of files. */
static void write_text(FILE *f, const char *text, size_t len)
{
	static const char assets[] = "=\"/assets/";
	for (const char *end = text + len; text < end;) {
		const char *at = memmem(text, (size_t)(end - text), assets, sizeof(assets) - 1);
		fwrite(text, 1, (size_t)((at != NULL ? at : end) - text), f);
		if (at == NULL)
			return;
		fputs("=\"", f);
		text = at + sizeof(assets) - 1;
	}
}

static FILE *file_in(const char *folder, const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "wb");
	if (f == NULL)
		perror(path);
	return f;
}

/* "name=value" is all the query there is. */
static const char *query_of(const void *ctx, const char *name)
{
	const char *query = ctx;
	size_t len = strlen(name);
	return strncmp(query, name, len) == 0 && query[len] == '=' ? query + len + 1 : NULL;
}

static bool write_metrics(const char *folder)
{
	FILE *f = file_in(folder, "metrics.md");
	struct buf b;

	buf_init(&b, 1 << 20);
	metrics_document(&b);
	bool written = f != NULL && !b.bad && fwrite(b.data, 1, b.len, f) == b.len;
	if (f != NULL)
		fclose(f);
	buf_done(&b);
	return written;
}

int main(int argc, char **argv)
{
	struct site site = fixture_site;

	if (argc != 2) {
		fprintf(stderr, "usage: pages_write FOLDER\n");
		return 2;
	}
	site_init(&site);
	if (!write_metrics(argv[1]))
		return 1;
	for (size_t i = 0; i < embedded_count; i++) {
		FILE *f = file_in(argv[1], embedded_files[i].name);
		if (f == NULL)
			return 1;
		fwrite(embedded_files[i].bytes, 1, embedded_files[i].len, f);
		fclose(f);
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct snapshot *snapshot = fixture_snapshot(pages[i].fixture);
		struct site_request request = {
			.path = pages[i].path, .query = query_of, .ctx = pages[i].query};
		struct site_page page;
		FILE *f = file_in(argv[1], pages[i].file);
		if (f == NULL || site_render(&site, snapshot, &request, &page, NULL) != WD_OK)
			return 1;
		write_text(f, page.body.data != NULL ? page.body.data : "", page.body.len);
		fclose(f);
		printf("%8zu %s%s%s\n", page.body.len, pages[i].path,
		       pages[i].query[0] != '\0' ? "?" : "", pages[i].query);
		buf_done(&page.body);
		snapshot_release(snapshot);
	}
	return 0;
}
