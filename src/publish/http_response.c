/* SPDX-License-Identifier: Apache-2.0 */
/* A response is one of the library's per encoding, all made at once; the library counts
 * its own references, so a body lives until the last connection has sent it. */
#include "publish/http_internal.h"

#include "base/buf.h"
#include "base/check.h"
#include "publish/http_compress.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ETAG_BYTES = 16, ETAG_LEN_MAX = 2 + 2 * ETAG_BYTES + 3 };

struct http_response {
	atomic_uint references;
	int status;
	struct {
		struct MHD_Response *mhd; /* NULL if there is no such form */
		size_t len;
		char etag[ETAG_LEN_MAX + 1];
	} forms[HTTP_ENCODINGS];
	const char *body; /* identity; borrowed from its form */
};

#define POLICY                                                                                    \
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "         \
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "

const char HTTP_SECURITY_POLICY[] = POLICY "'none'";
static const char POLICY_EMBEDDABLE[] = POLICY "*";

static const char *const ENCODING_NAMES[] = {NULL, "gzip", "br"};
static const char *const ETAG_SUFFIX[] = {"", "-g", "-b"};

/* Strong: equal tags mean equal bytes, so each encoding has its own. */
static void etag_write(char *dst, const void *body, size_t len, enum http_encoding encoding)
{
	uint8_t hash[ETAG_BYTES];
	char hex[2 * ETAG_BYTES + 1];

	crypto_generichash(hash, sizeof(hash), body, len, NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	snprintf(dst, ETAG_LEN_MAX + 1, "\"%s%s\"", hex, ETAG_SUFFIX[encoding]);
}

static bool add(struct MHD_Response *m, const char *name, const char *value)
{
	return value == NULL || MHD_add_response_header(m, name, value) == MHD_YES;
}

static bool add_fields(struct MHD_Response *m, const struct http_response_options *o,
		       enum http_encoding encoding, bool vary, const char *etag)
{
	bool ok = add(m, "Content-Type", o->content_type) &&
		  add(m, "Content-Encoding", ENCODING_NAMES[encoding]) &&
		  add(m, "Vary", vary ? "Accept-Encoding" : NULL) &&
		  add(m, "ETag", etag[0] != '\0' ? etag : NULL) &&
		  add(m, "Cache-Control", o->cache_control != NULL ? o->cache_control
								    : "no-cache") &&
		  add(m, "Content-Security-Policy",
		      o->embeddable ? POLICY_EMBEDDABLE : HTTP_SECURITY_POLICY) &&
		  add(m, "Cross-Origin-Resource-Policy",
		      o->embeddable ? "cross-origin" : "same-origin") &&
		  add(m, "X-Content-Type-Options", "nosniff") &&
		  /* To ourselves: else browsers hide the Origin of our own form, too. */
		  add(m, "Referrer-Policy", "same-origin");

	for (size_t i = 0; ok && i < o->field_count; i++)
		ok = add(m, o->fields[i].name, o->fields[i].value);
	return ok;
}

/* Takes the body. */
static enum wd_err form_make(struct http_response *r, const struct http_response_options *o,
			     enum http_encoding encoding, bool vary, char *body, size_t len)
{
	struct MHD_Response *m =
		MHD_create_response_from_buffer_with_free_callback(len, body, free);

	if (m == NULL) {
		free(body);
		return WD_NOMEM;
	}
	r->forms[encoding].mhd = m;
	r->forms[encoding].len = len;
	return add_fields(m, o, encoding, vary, r->forms[encoding].etag) ? WD_OK : WD_MALFORMED;
}

static enum wd_err forms_make(struct http_response *r, const struct http_response_options *o)
{
	char *bodies[HTTP_ENCODINGS] = {NULL};
	size_t len[HTTP_ENCODINGS] = {o->body_len};
	bool vary = o->compress != HTTP_COMPRESS_NONE;
	enum wd_err err = WD_OK;

	bodies[HTTP_IDENTITY] = malloc(o->body_len + 1);
	if (bodies[HTTP_IDENTITY] == NULL)
		return WD_NOMEM;
	if (o->body_len > 0)
		memcpy(bodies[HTTP_IDENTITY], o->body, o->body_len);
	bodies[HTTP_IDENTITY][o->body_len] = '\0';
	r->body = bodies[HTTP_IDENTITY];
	for (enum http_encoding e = HTTP_GZIP; e < HTTP_ENCODINGS; e++)
		bodies[e] = http_compress(e, o->compress, o->body, o->body_len, &len[e]);
	for (enum http_encoding e = 0; e < HTTP_ENCODINGS; e++) {
		if (bodies[e] == NULL)
			continue;
		if (r->status == 200 && !o->no_etag)
			etag_write(r->forms[e].etag, o->body, o->body_len, e);
		if (err == WD_OK)
			err = form_make(r, o, e, vary, bodies[e], len[e]);
		else
			free(bodies[e]);
	}
	return err;
}

enum wd_err http_response_make(const struct http_response_options *o,
			       struct http_response **ret_response, struct wd_why *why)
{
	struct http_response *r = calloc(1, sizeof(*r));
	enum wd_err err;

	if (r == NULL)
		return wd_fail(why, WD_NOMEM, 0, "response");
	r->status = o->status != 0 ? o->status : 200;
	WD_CHECK(r->status >= 200 && r->status <= 599);
	atomic_init(&r->references, 1);
	err = forms_make(r, o);
	if (err != WD_OK) {
		http_response_unref(r);
		return wd_fail(why, err, 0, "a header field cannot be sent, or no memory");
	}
	*ret_response = r;
	return WD_OK;
}

struct http_response *http_response_ref(struct http_response *r)
{
	atomic_fetch_add_explicit(&r->references, 1, memory_order_relaxed);
	return r;
}

void http_response_unref(struct http_response *r)
{
	if (r == NULL || atomic_fetch_sub_explicit(&r->references, 1, memory_order_acq_rel) > 1)
		return;
	for (size_t i = 0; i < HTTP_ENCODINGS; i++)
		if (r->forms[i].mhd != NULL)
			MHD_destroy_response(r->forms[i].mhd);
	free(r);
}

static const char *status_title(int status)
{
	switch (status) {
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 422: return "Unprocessable Content";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	default: return "Error";
	}
}

static struct http_response *problem(int status, const char *detail,
				     const struct http_field *field)
{
	struct http_response *r = NULL;
	struct buf b;

	buf_init(&b, 4096);
	buf_fmt(&b, "{\"title\":\"%s\",\"status\":%d", status_title(status), status);
	if (detail != NULL) {
		buf_str(&b, ",\"detail\":\"");
		buf_json(&b, detail);
		buf_char(&b, '"');
	}
	buf_str(&b, "}\n");
	struct http_response_options o = {
		.status = status,
		.content_type = "application/problem+json",
		.cache_control = "no-store",
		.body = b.data,
		.body_len = b.len,
		.fields = field,
		.field_count = field != NULL,
	};
	if (b.bad || http_response_make(&o, &r, NULL) != WD_OK)
		r = NULL;
	buf_done(&b);
	return r;
}

struct http_response *http_response_problem(int status, const char *detail)
{
	static const struct http_field retry = {"Retry-After", "10"};
	bool later = status == 429 || status == 503;

	if (later && detail == NULL)
		detail = "Please wait 10 seconds and try again.";
	return problem(status, detail, later ? &retry : NULL);
}

struct http_response *http_response_not_allowed(const char *allow)
{
	const struct http_field field = {"Allow", allow};
	return problem(405, strncmp(allow, "GET", 3) == 0 ? "Only GET is answered here." :
							    "Only POST is answered here.", &field);
}

struct http_response *http_response_allowed(const char *allow)
{
	const struct http_field field = {"Allow", allow};
	struct http_response *r = NULL;

	return http_response_make(&(struct http_response_options){
			.status = 204, .cache_control = "no-store", .fields = &field,
			.field_count = 1}, &r, NULL) == WD_OK ? r : NULL;
}

int http_response_status(const struct http_response *r)
{
	return r->status;
}

const char *http_response_body(const struct http_response *r, size_t *ret_len)
{
	if (ret_len != NULL)
		*ret_len = r->forms[HTTP_IDENTITY].len;
	return r->body;
}

const char *http_response_etag(const struct http_response *r)
{
	return r->forms[HTTP_IDENTITY].etag;
}

static enum http_encoding form_pick(const struct http_response *r, const char *accept_encoding)
{
	bool have[HTTP_ENCODINGS];

	for (size_t i = 0; i < HTTP_ENCODINGS; i++)
		have[i] = r->forms[i].mhd != NULL;
	return http_encoding_pick(accept_encoding, have);
}

bool response_is(const struct http_response *r, const char *accept_encoding, const char *if_match)
{
	return http_etag_is(if_match, r->forms[form_pick(r, accept_encoding)].etag);
}

struct MHD_Response *response_pick(const struct http_response *r, const char *accept_encoding,
				   const char *if_none_match, int *ret_status, size_t *ret_len)
{
	enum http_encoding e = form_pick(r, accept_encoding);
	*ret_status = r->status;
	*ret_len = r->forms[e].len;
	if (if_none_match != NULL && http_etag_matches(if_none_match, r->forms[e].etag)) {
		*ret_status = 304;
		*ret_len = 0;
	}
	return r->forms[e].mhd;
}
