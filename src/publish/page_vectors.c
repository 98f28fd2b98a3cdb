/* SPDX-License-Identifier: Apache-2.0 */
/* Every way to flood a service that is known by name here, with the document behind it. */
#include "publish/html.h"
#include "publish/words_traffic.h"

static void port_ranges(struct buf *b, const char *word, const struct vector_ports *p,
			uint8_t count)
{
	for (uint8_t n = 0; n < count && n < VECTOR_PORTS_MAX; n++) {
		buf_str(b, n == 0 ? word : ", ");
		buf_fmt(b, p[n].low == p[n].high ? "%u" : "%u–%u", p[n].low, p[n].high);
	}
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == 17 ? "UDP" : protocol == 6 ? "TCP" : protocol == 1 ? "ICMP"
	       : protocol == 58 ? "ICMPv6" : NULL;
}

/* How its packets look, as far as ports and the protocol go. */
static void looks(struct buf *b, const struct vector_row *v)
{
	const char *protocol = protocol_name(v->protocol);
	if (v->family == VECTOR_APPLICATION) {
		buf_str(b, "access log");
		return;
	}
	if (v->family == VECTOR_PATTERN) {
		buf_str(b, "any vector");
		return;
	}
	if (protocol != NULL)
		buf_str(b, protocol);
	else if (v->protocol != 0)
		buf_fmt(b, "IP protocol %u", v->protocol);
	port_ranges(b, " from ", v->from, v->from_count);
	port_ranges(b, " to ", v->to, v->to_count);
	if (v->payload_len > 0)
		buf_str(b, ", content");
}

static void factor(struct buf *b, const struct vector_row *v)
{
	if (v->factor_max <= 0)
		return;
	words_count(b, v->factor_min);
	if (v->factor_max > v->factor_min) {
		buf_str(b, "–");
		words_count(b, v->factor_max);
	}
	buf_str(b, " ×");
}

static void row(struct buf *b, const struct vector_row *v)
{
	buf_str(b, "<tr id=\"");
	buf_html(b, v->id);
	buf_str(b, "\"><th scope=\"row\">");
	buf_html(b, v->name);
	buf_str(b, "<br/><code>");
	buf_html(b, v->id);
	buf_str(b, "</code></th><td>");
	looks(b, v);
	buf_fmt(b, "</td><td>%s</td><td>", source_word(v->status));
	factor(b, v);
	buf_str(b, "</td><td>");
	if (v->unverified) {
		buf_str(b, "<span class=\"tag\">not verified</span>");
	} else {
		buf_html(b, v->source);
		if (v->date[0] != '\0') {
			buf_str(b, " (");
			buf_html(b, v->date);
			buf_str(b, ")");
		}
	}
	buf_str(b, "</td></tr>\n");
}

static void family(struct buf *b, const struct vector_book *book, enum vector_family f,
		   const char *title)
{
	size_t told = 0;
	for (uint32_t n = 0; n < book->count; n++) {
		if (book->rows[n].family != f)
			continue;
		if (told++ == 0)
			buf_fmt(b,
				"<h2>%s</h2><div class=\"scroll wrap\" tabindex=\"0\" "
				"role=\"group\" aria-label=\"%s\"><table><caption "
				"class=\"vh\">%s</caption><thead><tr><th "
				"scope=\"col\">Vector</th><th scope=\"col\">Looks like</th><th "
				"scope=\"col\">Addresses</th><th scope=\"col\">Factor</th><th "
				"scope=\"col\">Document</th></tr></thead><tbody>\n",
				title, title, title);
		row(b, &book->rows[n]);
	}
	if (told > 0)
		buf_str(b, "</tbody></table></div>\n");
}

void page_vectors(const struct render *r)
{
	static const struct { enum vector_family family; const char *title; } all[] = {
		{VECTOR_AMPLIFICATION, "Answers of third parties, larger than what was asked"},
		{VECTOR_REFLECTION, "Answers of third parties over TCP"},
		{VECTOR_FLOOD, "Sent straight at the service"},
		{VECTOR_APPLICATION, "Requests"},
		{VECTOR_PATTERN, "How another vector is spread over time and addresses"},
	};
	const struct vector_book *book = r->snapshot->book;
	struct buf *b = r->out;

	html_begin(r, &(struct html_page){
			      .title = "Vectors",
			      .description = "The ways to flood a service that this site knows by "
					     "name, with the documents behind their signatures.",
			      .path = "/method/vectors",
		      });
	buf_str(b, "<h1>Vectors</h1><p class=\"lead\">The ways to flood a service that are known "
		   "by name here");
	if (book != NULL && book->count > 0)
		buf_fmt(b, ": %u of them", book->count);
	buf_str(b, ".</p><p class=\"note\">“Addresses” says what the source addresses prove if "
		   "nothing else speaks: an incident's own traffic may show otherwise. “Factor”: "
		   "bytes of answers for a byte of requests, as the document has it. What matches "
		   "none of these is called unknown, with the rule that covers it. <a "
		   "href=\"/method#traffic\">How traffic is judged</a>.</p>\n");
	for (size_t n = 0; book != NULL && n < sizeof(all) / sizeof(all[0]); n++)
		family(b, book, all[n].family, all[n].title);
	if (book == NULL || book->count == 0)
		buf_str(b, "<p class=\"empty\">No traffic is watched here.</p>\n");
	html_end(r);
}
