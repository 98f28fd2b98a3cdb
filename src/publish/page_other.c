/* SPDX-License-Identifier: Apache-2.0 */
/* What is not there, and what is not a page: assets, icon, robots, sitemap. */
#include "publish/embedded.h"
#include "publish/html.h"

#include <string.h>

void page_missing(const struct render *r)
{
	r->page->status = 404;
	html_begin(r, &(struct html_page){.title = "Not found"});
	buf_str(r->out,
		"<h1>There is no such page</h1><p class=\"lead\">Perhaps the service has another "
		"name here: search for it above, or see <a href=\"/\">all services</a>.</p>\n");
	html_end(r);
}

void page_bad_request(const struct render *r)
{
	r->page->status = 400;
	html_begin(r, &(struct html_page){.title = "Bad request"});
	buf_str(r->out, "<h1>This address cannot be read</h1><p class=\"lead\">");
	buf_html(r->out, r->wrong != NULL ? r->wrong : "");
	buf_str(r->out, ".</p><p><a href=\"/\">What is down now</a></p>\n");
	html_end(r);
}

void page_refusal(const struct render *r, const struct site_refusal *refusal)
{
	bool known = refusal->back != NULL && refusal->back[0] == '/';

	r->page->status = refusal->status;
	html_begin(r, &(struct html_page){.title = refusal->title});
	buf_str(r->out, "<h1>");
	buf_html(r->out, refusal->title);
	buf_str(r->out, "</h1><p class=\"lead\">");
	buf_html(r->out, refusal->detail != NULL ? refusal->detail : "");
	buf_str(r->out, "</p><p><a href=\"");
	buf_html(r->out, known ? refusal->back : "/");
	buf_str(r->out, "\">Go back</a></p>\n");
	html_end(r);
}

void page_asset(const struct render *r)
{
	const struct embedded *file = embedded_find(r->name);

	r->page->content_type = file->type;
	buf_add(r->out, (const char *)file->bytes, file->len);
}

void page_favicon(const struct render *r)
{
	buf_str(r->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\"><rect "
			"width=\"24\" height=\"24\" "
			"rx=\"5\" fill=\"#b3201a\"/><path d=\"M3 16h4l3-9 4 12 2.5-7 1 4H21\" "
			"fill=\"none\" stroke=\"#fff\" "
			"stroke-width=\"2.2\" stroke-linejoin=\"round\" "
			"stroke-linecap=\"round\"/></svg>\n");
}

void page_robots(const struct render *r)
{
	buf_str(r->out, "User-agent: *\nDisallow: /api/\nDisallow: /history?\n");
	if (r->site->base_url[0] != '\0')
		buf_fmt(r->out, "Sitemap: %s/sitemap.xml\n", r->site->base_url);
}

static void sitemap_entry(const struct render *r, const char *path, const char *id)
{
	buf_str(r->out, "<url><loc>");
	buf_xml(r->out, r->site->base_url);
	buf_str(r->out, path);
	buf_xml(r->out, id);
	buf_str(r->out, "</loc></url>\n");
}

void page_sitemap(const struct render *r)
{
	static const char *const fixed[] = {"/", "/history", "/method", "/api"};
	enum { SITEMAP_URLS_MAX = 50000 }; /* sitemaps.org's limit for one file */
	size_t left = SITEMAP_URLS_MAX - sizeof(fixed) / sizeof(fixed[0]);

	buf_str(r->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			"<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		sitemap_entry(r, fixed[i], "");
	for (size_t i = 0; i < r->snapshot->service_count && left > 0; i++, left--)
		sitemap_entry(r, "/s/", r->snapshot->services[i]->service->id);
	for (size_t i = 0; i < r->snapshot->incident_count && left > 0; i++, left--)
		sitemap_entry(r, "/i/", r->snapshot->incidents[i].id);
	buf_str(r->out, "</urlset>\n");
}
