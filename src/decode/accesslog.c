/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/accesslog.h"

#include "decode/accesslog_field.h"
#include "decode/syslog.h"

void accesslog_init(struct accesslog *a)
{
	memset(a, 0, sizeof(*a));
}

/* Member by member: a compiler makes a slow instruction of a memset of this length. */
static void request_clear(struct request *r)
{
	const struct text_span none = {NULL, 0};

	r->at.ns = 0;
	memset(r->client, 0, sizeof(r->client));
	r->family = r->method = r->protocol = 0;
	r->malformed = r->absolute = r->unreferred = false;
	r->status = 0;
	r->host = r->path = r->query = r->referer = r->agent = none;
	r->bytes = r->duration_us = -1;
}

/* A server that does not write as the directive says may log to the same place. */
static enum wd_err read_w3c(struct accesslog *a, const char *at, const char *end,
			    struct request *ret, struct wd_why *why)
{
	enum wd_err err = accesslog_w3c(a, at, end, ret, why);

	if (err == WD_OK)
		return err;
	request_clear(ret);
	return accesslog_clf(a, at, end, ret, NULL) == WD_OK ? WD_OK : err;
}

/* Behind what programs for containers put before a line: "web-1  | " (Compose),
 * "[pod/web-1/nginx] " (kubectl), "2024-05-01T10:00:00.1Z stdout F " (CRI). `at` if it is none of
 * them: a client chooses no word that stands so early. */
static const char *after_container(const char *at, const char *end)
{
	static const char pod[] = "[pod/", out[] = "stdout F ", err[] = "stderr F ";
	const size_t head = sizeof(out) - 1, name_max = 64;
	const char *last = (size_t)(end - at) > name_max ? at + name_max : end;
	const char *p = find(at, last, ' ');

	if (p == last)
		return at;
	if (*at == '[')
		return (size_t)(p - at) > sizeof(pod) && p[-1] == ']' &&
		       memcmp(at, pod, sizeof(pod) - 1) == 0 ? p + 1 : at;
	if (at[4] == '-')
		return (size_t)(end - p) > head + 1 && (memcmp(p + 1, out, head) == 0 ||
							memcmp(p + 1, err, head) == 0)
			       ? p + 1 + head : at;
	while (p < last && *p == ' ')
		p++;
	return end - p > 2 && p[0] == '|' && p[1] == ' ' ? p + 2 : at;
}

static enum wd_err read_line(struct accesslog *a, const char *at, const char *end,
			     struct request *ret, struct wd_why *why)
{
	if (end > at && end[-1] == '\r')
		end--;
	if (a->step_count == 0 && end - at > 30 && at[4] == '-' && is_digit(*at) &&
	    accesslog_is_elb(at, end))
		return accesslog_alb(a, at, end, ret, why);
	/* A client's address is the rule; only what begins like a header is looked at. */
	if (a->step_count == 0 && end - at > 10 &&
	    ((*at >= 'a' && *at <= 'z') || *at == '[' || at[4] == '-'))
		at = after_container(at, end);
	if (end - at > 10 && (*at == '<' || (*at >= 'A' && *at <= 'Z') || at[4] == '-'))
		at += syslog_header(at, (size_t)(end - at));
	if (a->step_count > 0)
		return accesslog_by_format(a, at, end, ret, why);
	if (at < end && *at == '{')
		return accesslog_json(a, at, end, ret, why);
	if (at < end && *at == '[' && accesslog_is_npm(at, end))
		return accesslog_npm(a, at, end, ret, why);
	if (at < end && *at == '#')
		return accesslog_w3c_directive(a, at, end, why);
	if (a->w3c_count > 0 && at < end && is_digit(*at))
		return read_w3c(a, at, end, ret, why);
	if (at < end && *at >= 'g' && *at <= 'w' && accesslog_is_alb(at, end))
		return accesslog_alb(a, at, end, ret, why);
	return accesslog_clf(a, at, end, ret, why);
}

enum wd_err accesslog_read(struct accesslog *a, const char *line, size_t len, struct request *ret,
			   struct wd_why *why)
{
	enum wd_err err;

	request_clear(ret);
	if (len > ACCESSLOG_LINE_MAX)
		err = wd_fail(why, WD_FULL, ACCESSLOG_LINE_MAX, "too long a line");
	else
		err = read_line(a, line, line + len, ret, why);
	a->requests += err == WD_OK;
	a->others += err == WD_UNKNOWN;
	a->malformed += err != WD_OK && err != WD_UNKNOWN;
	return err;
}

const char *accesslog_kind_name(enum accesslog_kind kind)
{
	static const char *const names[] = {"common or combined", "JSON", "HAProxy", "a format",
					    "AWS load balancer", "W3C", "nginx-proxy-manager"};

	return names[(unsigned)kind < sizeof(names) / sizeof(*names) ? kind : ACCESSLOG_FORMAT];
}
