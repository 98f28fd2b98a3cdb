/* SPDX-License-Identifier: Apache-2.0 */
#include "tally/web_mark.h"

#include "base/check.h"
#include "tally/web.h"

#include <string.h>

/* Extensions as numbers: their letters, first one lowest. */
#define EXT(a, b, c, d, e)                                                                         \
	((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 |          \
	 (uint64_t)(e) << 32)

enum { EXTENSION_MAX = 5 };

static bool is_asset_extension(uint64_t extension)
{
	switch (extension) {
	case EXT('j', 's', 0, 0, 0): case EXT('c', 's', 's', 0, 0):
	case EXT('p', 'n', 'g', 0, 0): case EXT('j', 'p', 'g', 0, 0):
	case EXT('g', 'i', 'f', 0, 0): case EXT('s', 'v', 'g', 0, 0):
	case EXT('i', 'c', 'o', 0, 0): case EXT('b', 'm', 'p', 0, 0):
	case EXT('e', 'o', 't', 0, 0): case EXT('t', 't', 'f', 0, 0):
	case EXT('o', 't', 'f', 0, 0): case EXT('m', 'a', 'p', 0, 0):
	case EXT('m', 'j', 's', 0, 0): case EXT('m', 'p', '3', 0, 0):
	case EXT('m', 'p', '4', 0, 0): case EXT('o', 'g', 'g', 0, 0):
	case EXT('w', 'e', 'b', 'p', 0): case EXT('w', 'o', 'f', 'f', 0):
	case EXT('j', 'p', 'e', 'g', 0): case EXT('a', 'v', 'i', 'f', 0):
	case EXT('w', 'a', 's', 'm', 0): case EXT('w', 'e', 'b', 'm', 0):
	case EXT('w', 'o', 'f', 'f', '2'):
		return true;
	default:
		return false;
	}
}

static bool has(struct text_span s, const char *word)
{
	return s.len > 0 && memmem(s.at, s.len, word, strlen(word)) != NULL;
}

/* The bytes A to Z of eight made a to z, without a branch. */
static uint64_t lower_of(uint64_t x)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t low = x & each * 0x7f;
	uint64_t from_a = low + each * (0x80 - 'A'), beyond_z = low + each * (0x7f - 'Z');

	return x | (((from_a ^ beyond_z) & ~x & each * 0x80) >> 2);
}

static uint64_t bytes_as_number(const char *at)
{
	uint64_t n;

	memcpy(&n, at, sizeof(n));
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(n) : n;
}

static bool is_asset(struct text_span path)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t last = 0; /* its last eight bytes, the very last one highest */

	if (path.len >= 8)
		last = bytes_as_number(path.at + path.len - 8);
	else
		for (uint32_t i = 0; i < path.len; i++)
			last = last >> 8 | (uint64_t)(uint8_t)path.at[i] << 56;
	/* A bit for each '.' and '/', which differ in their lowest bit. */
	uint64_t other = (last | each) ^ each * '/';
	uint64_t marks = ~(((other & each * 0x7f) + each * 0x7f) | other) & each * 0x80;
	unsigned len = marks != 0 ? (unsigned)__builtin_clzll(marks) / 8 : 0;

	if (len == 0 || len > EXTENSION_MAX || (uint8_t)(last >> (56 - 8 * len)) != '.')
		return false;
	return is_asset_extension(lower_of(last) >> (64 - 8 * len));
}

bool web_is_api(struct text_span path)
{
	return path.len > 4 && (span_starts(path, "/api") || span_starts(path, "/v1/") ||
				span_starts(path, "/v2/"));
}

static bool has_one_of(struct text_span path, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has(path, words[i]))
			return true;
	return false;
}

/* A page answers 200 to a wrong password; an API, and what hands out tokens or keeps sessions
 * alive, to what was right. */
static bool is_login(const struct request *r)
{
	static const char *const words[] = {"login", "Login", "signin", "sign-in", "sign_in",
					    "xmlrpc"};
	static const char *const perhaps[] = {"/auth", "session", "token"};
	bool done = r->status >= 200 && r->status < 300;

	return (!done || !web_is_api(r->path)) && (has_one_of(r->path, words, WD_COUNT(words)) ||
				   (!done && has_one_of(r->path, perhaps, WD_COUNT(perhaps))));
}

static bool is_name_byte(char c)
{
	char low = (char)(c | 0x20);

	return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* "spider@crawler.example" */
static bool has_mail_address(struct text_span agent)
{
	enum { NAME_MIN = 3 };
	const char *end = agent.at + agent.len;
	const char *at = memchr(agent.at, '@', agent.len);

	if (at == NULL || at - agent.at < NAME_MIN)
		return false;
	for (int i = 1; i <= NAME_MIN; i++)
		if (!is_name_byte(at[-i]))
			return false;
	const char *last = at + 1;
	while (last < end && (is_name_byte(*last) || *last == '.'))
		last++;
	return memchr(at, '.', (size_t)(last - at)) != NULL && is_name_byte(at[1]);
}

/* Crawlers that say so give the address of a page about them, or one for letters. */
static bool is_crawler(struct text_span agent)
{
	if (agent.len == 0)
		return false;
	const char *at = agent.at, *end = agent.at + agent.len;

	for (; (at = memchr(at, ':', (size_t)(end - at))) != NULL; at++) {
		size_t before = (size_t)(at - agent.at);

		if (before >= 4 && memcmp(at - 4, "http", 4) == 0)
			return true;
		if (before >= 5 && memcmp(at - 5, "https", 5) == 0)
			return true;
	}
	return has_mail_address(agent);
}

/* The in-browser form of LOIC asks for ?id=<milliseconds>&msg=<text>. */
static bool is_loic(struct text_span query)
{
	uint32_t digits = 3;

	if (!span_starts(query, "id="))
		return false;
	while (digits < query.len && query.at[digits] >= '0' && query.at[digits] <= '9')
		digits++;
	return digits >= 13 && digits + 5 <= query.len &&
	       memcmp(query.at + digits, "&msg=", 5) == 0;
}

/* Programs that search for weak spots and say so, by how their agents begin. */
static bool is_scanner(struct text_span agent)
{
	static const char *const names[] = {
		"Mozilla/5.00 (Nikto", "Mozilla/5.0 (compatible; Nmap", "Mozilla/5.0 zgrab",
		"gobuster/", "feroxbuster/", "DirBuster", "Fuzz Faster U Fool", "Wfuzz/",
		"sqlmap/", "WPScan ", "Nuclei ", "masscan/", "dirsearch", "Nikto",
	};

	for (size_t i = 0; i < WD_COUNT(names); i++)
		if (span_starts(agent, names[i]))
			return true;
	return false;
}

uint16_t web_marks_of_agent(struct text_span agent)
{
	if (is_scanner(agent))
		return 1 << WEB_SCANNER;
	if (!is_crawler(agent))
		return 0;
	bool pingback = span_starts(agent, "WordPress/") && has(agent, "pingback");
	return pingback ? 1 << WEB_PINGBACK : 1 << WEB_CRAWLER;
}

uint16_t web_marks_of(const struct request *r, uint16_t of_agent)
{
	unsigned marks = of_agent;

	if (r->malformed)
		return 1 << WEB_MALFORMED;
	if (is_asset(r->path))
		marks |= 1 << WEB_ASSET;
	if (r->query.len > 0) {
		marks |= 1 << WEB_QUERIED;
		if (is_loic(r->query))
			marks |= 1 << WEB_LOIC;
	}
	if (r->protocol == REQUEST_ODD)
		marks |= 1 << WEB_ODD;
	if (r->method == REQUEST_POST && is_login(r))
		marks |= 1 << WEB_LOGIN;
	/* 101: a connection that became something else (WebSocket) lives as long as it likes; 408:
	 * it was the request that took so long; 499: nobody waited; 5xx: the server took so long.
	 */
	if (r->duration_us >= WEB_STALLED_MS * INT64_C(1000) && r->status != 101 &&
	    r->status != 408 && r->status != 499 && r->status < 500 &&
	    r->bytes >= 0 && r->bytes < WEB_STALLED_BYTES)
		marks |= 1 << WEB_STALLED;
	return (uint16_t)marks;
}

static bool is_time(struct text_span text, int64_t now_s)
{
	int64_t s = 0;

	if (text.len != 10 && text.len != 13)
		return false;
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		if (i < 10)
			s = s * 10 + (text.at[i] - '0');
	}
	return s > now_s - 86400 && s < now_s + 86400;
}

struct text_span web_key_of(const struct request *r)
{
	struct text_span key = r->query;
	const char *end = key.len > 0 ? memchr(key.at, '=', key.len) : NULL;

	if (end != NULL)
		key.len = (uint32_t)(end - key.at);
	else if (is_time(key, wall_to_s(r->at)))
		key.len = 0;
	if (key.len == 0)
		key.at = NULL;
	return key;
}

bool web_is_poll(const struct request *r)
{
	struct text_span q = r->query;
	int64_t now = wall_to_s(r->at);

	if (q.len == 0)
		return false;
	const char *end = q.at + q.len, *first = memchr(q.at, '=', q.len);
	const char *last = memrchr(q.at, '=', q.len);
	if (first == NULL)
		return is_time(q, now);
	const char *stop = memchr(first, '&', (size_t)(end - first));
	const char *name = memrchr(q.at, '&', (size_t)(last - q.at));
	name = name != NULL ? name + 1 : q.at;
	stop = stop != NULL ? stop : end;
	return (*name == '_' && last - name == 1) || (*q.at == '_' && first - q.at == 1) ||
	       is_time((struct text_span){first + 1, (uint32_t)(stop - first - 1)}, now) ||
	       is_time((struct text_span){last + 1, (uint32_t)(end - last - 1)}, now);
}
