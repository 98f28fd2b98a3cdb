/* SPDX-License-Identifier: Apache-2.0 */
/* accesslog_field: the pieces of a line, for accesslog*.c alone. */
#ifndef WD_DECODE_ACCESSLOG_FIELD_H
#define WD_DECODE_ACCESSLOG_FIELD_H

#include "decode/accesslog.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static inline struct text_span span_of(const char *at, const char *end)
{
	return at < end ? (struct text_span){at, (uint32_t)(end - at)}
			: (struct text_span){NULL, 0};
}

/* "-" stands for nothing. */
static inline struct text_span span_told(const char *at, const char *end)
{
	return end - at == 1 && *at == '-' ? (struct text_span){NULL, 0} : span_of(at, end);
}

static inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The first `c` in at … end, or end. */
static inline const char *find(const char *at, const char *end, char c)
{
	const char *p = at < end ? memchr(at, c, (size_t)(end - at)) : NULL;
	return p != NULL ? p : end;
}

/* The same where it is mostly within sixteen bytes: no call, and no branch by how far it is. */
static inline const char *find_near(const char *at, const char *end, char c)
{
#ifdef __SSE2__
	if (end - at >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)));
		if (found != 0)
			return at + __builtin_ctz((unsigned)found);
		at += 16;
	}
#endif
	return find(at, end, c);
}

#ifdef __SSE2__
/* A bit for each of the 64 bytes that is `c`. */
static inline uint64_t find_in_64(const char *at, __m128i c)
{
	const __m128i *p = (const __m128i *)(const void *)at;
	__m128i a = _mm_cmpeq_epi8(_mm_loadu_si128(p), c);
	__m128i b = _mm_cmpeq_epi8(_mm_loadu_si128(p + 1), c);
	__m128i d = _mm_cmpeq_epi8(_mm_loadu_si128(p + 2), c);
	__m128i e = _mm_cmpeq_epi8(_mm_loadu_si128(p + 3), c);

	if (_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(d, e))) == 0)
		return 0;
	return (uint64_t)(unsigned)_mm_movemask_epi8(a) |
	       (uint64_t)(unsigned)_mm_movemask_epi8(b) << 16 |
	       (uint64_t)(unsigned)_mm_movemask_epi8(d) << 32 |
	       (uint64_t)(unsigned)_mm_movemask_epi8(e) << 48;
}
#endif

/* The same where it is some sixteens of bytes away: no call, few branches. The last piece overlaps
 * the one before it. */
static inline const char *find_far(const char *at, const char *end, char c)
{
#ifdef __SSE2__
	const __m128i wanted = _mm_set1_epi8(c);

	if (end - at >= 64) {
		for (;; at = end - at < 128 ? end - 64 : at + 64) {
			uint64_t found = find_in_64(at, wanted);
			if (found != 0)
				return at + __builtin_ctzll(found);
			if (end - at == 64)
				return end;
		}
	}
	if (end - at >= 16) {
		for (;; at = end - at < 32 ? end - 16 : at + 16) {
			__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
			int found = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, wanted));
			if (found != 0)
				return at + __builtin_ctz((unsigned)found);
			if (end - at == 16)
				return end;
		}
	}
#endif
	return find(at, end, c);
}

/* `at` is behind an opening quote: its closing one, which no backslash escapes and behind which
 * stands a space or the end; NULL if there is none. */
const char *accesslog_quoted(const char *at, const char *end);
static inline const char *accesslog_near_quoted(const char *at, const char *end)
{
	const char *p = find_far(at, end, '"');

	/* Nearly all. at[-1] is a quote. */
	if (p < end && (p + 1 == end || p[1] == ' ') && p[-1] != '\\')
		return p;
	return accesslog_quoted(at, end);
}

/* Each reads all of at … end; false if it is not that. */
bool accesslog_time(struct accesslog *a, const char *at, const char *end, wd_wall *ret);
/* Is `at` the time that was read last, of the length that the Common form has? */
enum { ACCESSLOG_CLF_TIME = 26 }; /* "17/May/2015:10:05:03 +0000" */
static inline bool accesslog_is_same_time(const struct accesslog *a, const char *at)
{
	uint64_t old[4], new[4];

	if (a->time_len != ACCESSLOG_CLF_TIME || a->time_zone.ns != a->zone.ns)
		return false;
	memcpy(old, a->time_text, 24);
	memcpy(new, at, 24);
	memcpy(&old[3], a->time_text + ACCESSLOG_CLF_TIME - 8, 8);
	memcpy(&new[3], at + ACCESSLOG_CLF_TIME - 8, 8);
	return ((old[0] ^ new[0]) | (old[1] ^ new[1]) | (old[2] ^ new[2]) | (old[3] ^ new[3])) == 0;
}
/* False: a name; the client is then a digest of it. */
bool accesslog_client(struct request *r, const char *at, const char *end);
/* Where a port always follows, with a ':' even behind IPv6 without brackets. */
bool accesslog_client_port(struct request *r, const char *at, const char *end);
void accesslog_request_line(struct request *r, const char *at, const char *end);
void accesslog_target(struct request *r, const char *at, const char *end);
/* 0: none */
static inline uint16_t accesslog_status(const char *at, const char *end)
{
	if (end - at != 3 || !is_digit(at[0]) || !is_digit(at[1]) || !is_digit(at[2]))
		return 0;
	int status = (at[0] - '0') * 100 + (at[1] - '0') * 10 + (at[2] - '0');
	return status >= 100 && status < 600 ? (uint16_t)status : 0;
}
int64_t accesslog_bytes(const char *at, const char *end);   /* -1: not told */
/* "1.5", "12ms" …; `unit_ns` is that of a number without one. */
bool accesslog_duration(const char *at, const char *end, int64_t unit_ns, int64_t *ret_us);
/* Any field by its kind; what cannot be read leaves the request as it was. False only for a
 * time that is none. */
bool accesslog_put(struct accesslog *a, struct request *r, enum accesslog_field field,
		   const char *at, const char *end);

/* The forms: all of at … end is the line, without a syslog prefix. */
enum wd_err accesslog_clf(struct accesslog *a, const char *at, const char *end,
			  struct request *r, struct wd_why *why) WD_MUST_CHECK;
enum wd_err accesslog_json(struct accesslog *a, const char *at, const char *end,
			   struct request *r, struct wd_why *why) WD_MUST_CHECK;
bool accesslog_is_alb(const char *at, const char *end);
bool accesslog_is_elb(const char *at, const char *end);
enum wd_err accesslog_alb(struct accesslog *a, const char *at, const char *end,
			  struct request *r, struct wd_why *why) WD_MUST_CHECK;
bool accesslog_is_npm(const char *at, const char *end);
enum wd_err accesslog_npm(struct accesslog *a, const char *at, const char *end,
			  struct request *r, struct wd_why *why) WD_MUST_CHECK;
/* A line that begins with '#': always WD_UNKNOWN, "#Fields:" is kept. */
enum wd_err accesslog_w3c_directive(struct accesslog *a, const char *at, const char *end,
				    struct wd_why *why) WD_MUST_CHECK;
enum wd_err accesslog_w3c(struct accesslog *a, const char *at, const char *end,
			  struct request *r, struct wd_why *why) WD_MUST_CHECK;
enum wd_err accesslog_by_format(struct accesslog *a, const char *at, const char *end,
				struct request *r, struct wd_why *why) WD_MUST_CHECK;

#endif
