/* SPDX-License-Identifier: Apache-2.0 */
/* The API's description, for programs (assets/openapi.json as it is) and for people (a table made
 * from it). */
#include "publish/embedded.h"
#include "publish/html.h"

#include "base/check.h"

#include <jansson.h>
#include <string.h>

static const struct embedded *description(void)
{
	const struct embedded *file = embedded_find("openapi.json");
	WD_CHECK(file != NULL); /* the build always has it */
	return file;
}

void api_openapi(const struct render *r)
{
	const struct embedded *file = description();
	buf_add(r->out, (const char *)file->bytes, file->len);
}

/* `x` is code. */
static void prose(struct buf *b, const char *text)
{
	bool code = false;

	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '`') {
			code = !code;
			buf_str(b, code ? "<code>" : "</code>");
			continue;
		}
		buf_html(b, (const char[]){*text, '\0'});
	}
	buf_str(b, code ? "</code>" : "");
}

static void operation(struct buf *b, const char *path, const char *method, json_t *o)
{
	json_t *parameter;
	size_t i;

	buf_fmt(b, "<tr><th scope=\"row\"><code>%s ", strcmp(method, "post") == 0 ? "POST" : "GET");
	buf_html(b, path);
	buf_str(b, "</code></th><td>");
	prose(b, json_string_value(json_object_get(o, "summary")));
	json_array_foreach(json_object_get(o, "parameters"), i, parameter)
	{
		const char *name = json_string_value(json_object_get(parameter, "name"));
		if (name == NULL)
			continue; /* of the path: a reference */
		buf_str(b, "<br/><code>");
		buf_html(b, name);
		buf_str(b, "</code> ");
		prose(b, json_string_value(json_object_get(parameter, "description")));
	}
	buf_str(b, "</td></tr>\n");
}

static void operations(struct buf *b)
{
	const struct embedded *file = description();
	json_t *root = json_loadb((const char *)file->bytes, file->len, 0, NULL), *methods, *o;
	const char *path, *method;

	buf_str(b, "<div class=\"scroll wrap\" tabindex=\"0\" "
		   "role=\"group\" aria-label=\"Requests\"><table><thead><tr><th "
		   "scope=\"col\">Request</th>"
		   "<th scope=\"col\">Answer</th></tr></thead><tbody>\n");
	json_object_foreach(json_object_get(root, "paths"), path, methods)
	{
		json_object_foreach(methods, method, o)
		{
			operation(b, path, method, o);
		}
	}
	buf_str(b, "</tbody></table></div>\n");
	json_decref(root);
}

void page_api(const struct render *r)
{
	struct buf *b = r->out;
	bool known = r->site->base_url[0] != '\0'; /* else script puts its own address there */
	const char *base = known ? r->site->base_url : "http://localhost:8080";

	html_begin(r, &(struct html_page){
			      .title = "API",
			      .description =
				      "Everything on this site as JSON, feeds, pictures to embed, "
				      "and event streams.",
			      .path = "/api",
		      });
	buf_str(b, "<h1>API</h1><p class=\"lead\">Everything on these pages is also there for "
		   "programs, without "
		   "a key and from any site. <a href=\"/api/v1/openapi.json\">OpenAPI 3.1</a> "
		   "describes it.</p>\n"
		   "<pre tabindex=\"0\" aria-label=\"Examples\"><code");
	buf_str(b, known ? ">curl " : " class=\"here\">curl ");
	buf_html(b, base);
	buf_str(b, "/api/v1/now\ncurl \"");
	buf_html(b, base);
	buf_str(b, "/api/v1/incidents?limit=5\"\ncurl -N ");
	buf_html(b, base);
	buf_str(b, "/api/v1/events</code></pre>\n"
		   "<p>Times are RFC 3339 in UTC. Errors are problem documents (RFC 9457) that "
		   "name the "
		   "parameter. Answers carry an ETag: send it back as If-None-Match and an "
		   "unchanged answer "
		   "costs nothing (304).</p>\n");
	operations(b);
	html_end(r);
}
