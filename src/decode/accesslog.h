/* SPDX-License-Identifier: Apache-2.0 */
/* accesslog: one line of a web server's access log → struct request. Nothing is copied,
 * nothing allocated; spans point into the line.
 *
 * Every line tells by itself which of these it is, so a file (or syslog) may mix them:
 * - Common and Combined (Apache, nginx, Caddy, Traefik's "common"), with the name of the virtual
 *   host before it or without, and with what servers put behind it: of that the duration
 *   is read where its form is certain ("rt=0.012", "0.012" of nginx, "12ms" of Traefik);
 * - JSON, one object a line: the usual names of nginx configurations, Caddy, Traefik, and
 *   names that the user adds;
 * - HAProxy's HTTP log (`option httplog`), whose times have no zone: see `zone`;
 * - the access log of AWS load balancers, and that of nginx-proxy-manager;
 * - W3C extended logs (IIS, CloudFront), once their "#Fields:" line was read.
 * A user's own format string, as nginx's log_format or Apache's LogFormat has it, is compiled
 * once, and then every line must have that form.
 *
 * The prefix that syslog (decode/syslog.h) or a program for containers puts before a line is
 * passed over. A request line
 * that is none ("-", "", bytes of a TLS handshake) leaves a request with its client and
 * status that is marked malformed. */
#ifndef WD_DECODE_ACCESSLOG_H
#define WD_DECODE_ACCESSLOG_H

#include "base/err.h"
#include "base/units.h"
#include "model/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ACCESSLOG_LINE_MAX = 65536, /* bytes; a longer line is WD_FULL */
	ACCESSLOG_STEPS_MAX = 48,   /* of a user's format */
	ACCESSLOG_LITERALS_MAX = 256,
	ACCESSLOG_KNOWN = 64,       /* a power of 2 */
	ACCESSLOG_W3C_MAX = 48,     /* words of a W3C line; further ones are not read */
};

enum accesslog_kind {
	ACCESSLOG_CLF, ACCESSLOG_JSON, ACCESSLOG_HAPROXY, ACCESSLOG_FORMAT, ACCESSLOG_ALB,
	ACCESSLOG_W3C, ACCESSLOG_NPM,
};

/* What a piece of a line is. */
enum accesslog_field {
	ACCESSLOG_SKIP,
	ACCESSLOG_CLIENT,   /* an address, or a list of them, of which the last counts: the one
			     * that the nearest proxy saw */
	ACCESSLOG_TIME,     /* any form that is read: see accesslog_time.c */
	ACCESSLOG_HOST,
	ACCESSLOG_REQUEST,  /* "GET /path?query HTTP/1.1" */
	ACCESSLOG_METHOD,
	ACCESSLOG_URI,      /* path and query */
	ACCESSLOG_PATH,
	ACCESSLOG_QUERY,    /* with its '?' or without */
	ACCESSLOG_PROTOCOL, /* "HTTP/2.0", or "2.0" */
	ACCESSLOG_STATUS,
	ACCESSLOG_BYTES,
	ACCESSLOG_REFERER,
	ACCESSLOG_AGENT,
	ACCESSLOG_SECONDS,  /* a duration; also with its unit: "1.5s", "12ms", "80µs" */
	ACCESSLOG_MS,
	ACCESSLOG_US,
	ACCESSLOG_NS,
	ACCESSLOG_W3C_DATE, /* of W3C logs alone */
	ACCESSLOG_FIELDS,
};

struct accesslog_step { uint8_t field; uint8_t literal_len; uint16_t literal; };

/* A reader; plain values. */
struct accesslog {
	wd_span zone;      /* of times that have none, east of UTC positive; 0 */
	uint64_t requests; /* lines that were one */
	uint64_t others;   /* lines of servers that are none: error logs, TCP sessions … */
	uint64_t malformed;
	enum accesslog_kind kind; /* of the last request */
	/* The reader's own business: */
	char time_text[40]; /* the time last read, and up to its seconds */
	uint8_t time_len, time_head;
	int64_t time_s;
	wd_wall time;
	wd_span time_zone;
	uint8_t step_count; /* > 0: a user's format */
	uint16_t literals_len;
	struct accesslog_step steps[ACCESSLOG_STEPS_MAX]; /* [0]: what stands before all fields */
	char literals[ACCESSLOG_LITERALS_MAX];
	uint8_t w3c_count, w3c[ACCESSLOG_W3C_MAX]; /* what the words are; 0: no "#Fields:" yet */
	/* Names of members that were looked up: lines repeat them. */
	struct { uint64_t hash; uint8_t field, rank; } known[ACCESSLOG_KNOWN];
};

void accesslog_init(struct accesslog *a);
/* nginx: variables by '$'; Apache: by '%', and \" or " are the same. at = byte of the format:
 * WD_UNKNOWN for a time that is not read, WD_MALFORMED for fields that nothing separates or
 * a format without client and status, WD_FULL for too long a one. */
enum wd_err accesslog_set_format(struct accesslog *a, const char *format,
				 struct wd_why *why) WD_MUST_CHECK;

/* `line` without its line end (a CR is fine). On failure *ret is left undefined, and it was
 * counted: WD_UNKNOWN is a line that is no request, WD_MALFORMED one that is broken.
 * at = byte offset. */
enum wd_err accesslog_read(struct accesslog *a, const char *line, size_t len, struct request *ret,
			   struct wd_why *why) WD_MUST_CHECK;

/* "common or combined", "JSON" … */
const char *accesslog_kind_name(enum accesslog_kind kind);
/* All that are told by a line alone, for people. */
#define ACCESSLOG_FORMS                                                                            \
	"Common, Combined, JSON, HAProxy HTTP, AWS load balancer, nginx-proxy-manager, "           \
	"W3C with #Fields"

#endif
