/* SPDX-License-Identifier: Apache-2.0 */
/* Is a path or a query an injection: SQL, scripts, commands, templates, a way out of the folder?
 * The words are what injections are made of; what stands around them tells who wrote them. */
#include "base/check.h"
#include "base/text.h"
#include "detect/conduct_inner.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define S CONDUCT_SURE
#define P CONDUCT_PERHAPS
/* Perhaps: somebody may have written it, on a page about such things; two of different kinds in
 * one request are sure. Sure: nobody has. */
static const struct conduct_word injections[] = {
	{"..\\", P}, {"/etc/passwd", P}, {"/etc/shadow", P}, {"/etc/hosts", P}, {"/proc/self/", P},
	{"boot.ini", P}, {"win.ini", P}, {"web.config", P}, {"wp-config", P}, {"/web-inf", P},
	{"%00", P}, {"\xc0\xaf", S}, {"\xc0\xae", S}, {"\xc1\x9c", S}, {"<script", P},
	{"javascript:", P}, {"onerror=", P}, {"onload=", P}, {"ontoggle=", P}, {"onfocus=", P},
	{"onstart=", P}, {"onpageshow=", P}, {"onmouseover=", P}, {"alert(", P}, {"=confirm(", P},
	{"=prompt(", P}, {"confirm(1", P}, {"prompt(1", P}, {"prompt`1", P}, {"alert`", P},
	{"document.cookie", P}, {"<svg", P}, {"<img ", P}, {"<img/", P}, {"<iframe", P},
	{"<body ", P}, {"<details", P}, {"<marquee", P}, {"<object", P}, {"<embed", P},
	{"<a href", P}, {"&lt;script", P}, {"union select", P}, {"union all select", P},
	{"select * from", P}, {"(select ", P}, {"information_schema", P}, {"sleep(", P},
	{"benchmark(", P}, {"waitfor delay", P}, {"pg_sleep", P}, {"dbms_pipe.", P},
	{"utl_inaddr.", P}, {"ctxsys.", P}, {"' or '", P}, {"' or 1=1", P}, {"' and '", P},
	{"\" or \"", P}, {"' --", P}, {"'--", P}, {"order by 1", P}, {"extractvalue(", P},
	{"updatexml(", P}, {"load_file(", P}, {"into outfile", P}, {"into dumpfile", P},
	{"xp_cmdshell", P}, {"group_concat(", P}, {"concat_ws(", P}, {"concat(0x", P},
	{"concat(char", P}, {"concat('", P}, {"concat((", P}, {"concat(user", P},
	{"concat(database", P}, {"concat(version", P}, {"@@version", P}, {";drop table", P},
	{"; drop table", P}, {";declare @", P}, {";insert into ", P}, {";update ", P},
	{";select ", P}, {"-- -", P}, {";--", P}, {"or ''='", P}, {"cast(0x", P}, {"' and (", P},
	{"(0x", P}, {"md5(", P}, {"(case when", P}, {"sysdate()", P}, {"randomblob(", P},
	{"char(1", P}, {"char(2", P}, {"char(3", P}, {"char(4", P}, {"char(5", P}, {"char(6", P},
	{"char(7", P}, {"char(8", P}, {"char(9", P}, {"chr(6", P}, {"${jndi:", S}, {"${${", S},
	{"${lower:", S}, {"${upper:", S}, {"${::-", S}, {"${env:", S}, {"${sys:", S},
	{"${java:", S}, {"${base64:", S}, {"${script:", S}, {"${dns:", S}, {"${url:", S},
	{"<?php", P}, {"<?=", P}, {"<!--#exec", S}, {"<!entity", S}, {"php://", P}, {"file://", P},
	{"file:/etc", S}, {"gopher://", P}, {"dict://", P}, {"gopher://127.", S},
	{"dict://127.", S}, {"expect://", S}, {"data://", P}, {"phar://", S},
	{"allow_url_include", S}, {"auto_prepend_file", S}, {"pearcmd", S},
	{"mosconfig_absolute_path=", S}, {"//169.254.169.254", S}, {":169.254.169.254", S},
	{"//metadata.google.internal", S}, {"/bin/sh", P}, {"/bin/bash", P}, {"/bin/cat", P},
	{"cmd.exe", P}, {"${ifs", S}, {"cd /tmp", P}, {"cd /var/tmp", P}, {"chmod 777", P},
	{"chmod +x", P}, {"/wget http", P}, {"=wget http", P}, {"=curl http", P}, {"() { :", S},
	{"eval(", P}, {"base64_decode(", P}, {"system(", P}, {"passthru(", P},
	{"invokefunction", S}, {"call_user_func_array", S}, {"\\think\\", S}, {"think\\app", S},
	{"=phpinfo&", P}, {"@java.lang", S}, {"(java.lang.", P}, {"java.lang.runtime", P},
	{"java.lang.process", P}, {".getruntime()", S}, {"class.forname(", S}, {"getclass()", P},
	{"scriptenginemanager", S}, {"@org.apache", S}, {"freemarker.template", S},
	{"_memberaccess", S}, {"@ognl.", S}, {"xwork.methodaccessor", S}, {"#context[", S},
	{"#set(", P}, {"'#context", S}, {"class.module.classloader", S}, {"__class__", S},
	{"__globals__", S}, {"__import__", S}, {"_self.env", S}, {"{groovy}", S},
	{"\".execute()", S}, {"#post_render", S}, {"/#value", S}, {"<include>", S},
	{"=/app/rest/", S}, {"=autodiscover/autodiscover.json", S}, {"..powershell", S},
	{"/mapi/nspi", S}, {"..;/", S}, {"/.;/", S}, {"/;/", S}, {";/web-inf", S},
	{";/meta-inf", S}, {"*)(", P}, {"(|(", P}, {"<xsl:", P}, {"php:function(", P},
	{"popen(", P}, {" set-cookie:", P}, {"\r\nset-cookie:", S}, {"\r\nlocation:", S},
	{"__proto__", P}, {"child_process", P}, {"process.mainmodule", P}, {"require('", P},
	{"pass[$", S}, {"password[$", S}, {"[$where]", S},
};
#undef S
#undef P

/* ---- is there anything? ---- */

/* One look decides nearly always: without one of these nothing is injected. Points and colons
 * matter where another one, or "/" behind a colon, follows; a space before "select". */
enum { PLAIN, ODD, POINT, SPACE };
static const uint8_t sorts[256] = {
	['%'] = ODD,   ['<'] = ODD,   ['\''] = ODD,  ['('] = ODD, ['$'] = ODD,
	[';'] = ODD,   ['|'] = ODD,   ['\\'] = ODD,  ['`'] = ODD, ['{'] = ODD,
	['.'] = POINT, [':'] = POINT, ['+'] = SPACE,
};

static bool is_odd(const uint8_t *at, const uint8_t *end)
{
	if (sorts[*at] == SPACE)
		return end - at > 3 && (at[1] | 0x20) == 's' && (at[2] | 0x20) == 'e' &&
		       (at[3] | 0x20) == 'l';
	if (sorts[*at] != POINT)
		return sorts[*at] == ODD;
	return end - at > 1 && (sorts[at[1]] == POINT || (*at == ':' && at[1] == '/'));
}

#ifdef __SSE2__
/* A bit for each of sixteen bytes that `sorts` knows; of '@' and '[', which it does not, too. */
static inline unsigned known_of(__m128i x)
{
#define IS(bytes, c) _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))
	__m128i odd = _mm_or_si128(x, _mm_set1_epi8(1)), low = _mm_or_si128(x, _mm_set1_epi8(0x20));
	__m128i percent = IS(odd, '%'), bar = IS(low, '|');         /* and '$', and '\\' */
	__m128i brace = IS(low, '{'), tick = IS(low, '`');          /* and '[', and '@' */
	__m128i colon = _mm_or_si128(IS(x, ':'), IS(odd, ';' | 1)); /* and ';' */
	__m128i rest = _mm_or_si128(_mm_or_si128(IS(x, '\''), IS(x, '(')),
				    _mm_or_si128(_mm_or_si128(IS(x, '.'), IS(x, '<')), IS(x, '+')));
#undef IS
	__m128i all = _mm_or_si128(_mm_or_si128(percent, bar), _mm_or_si128(brace, tick));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(all, colon), rest));
}

static __m128i half_at(const uint8_t *at)
{
	return _mm_loadl_epi64((const __m128i *)(const void *)at);
}

/* As many whole sixteens as there are, and those before the end; false if all are plain. */
static bool may_inject_long(const uint8_t *at, const uint8_t *end)
{
	for (;; at = end - at < 32 ? end - 16 : at + 16) {
		__m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)at);
		for (unsigned known = known_of(sixteen); known != 0; known &= known - 1)
			if (is_odd(at + __builtin_ctz(known), end))
				return true;
		if (end - at == 16)
			return false;
	}
}
#endif

static bool may_inject(struct text_span s)
{
	const uint8_t *at = (const uint8_t *)s.at, *end = at + s.len;

#ifdef __SSE2__
	if (s.len >= 16)
		return may_inject_long(at, end);
	if (s.len >= 8 && known_of(_mm_unpacklo_epi64(half_at(at), half_at(end - 8))) == 0)
		return false;
#endif
	for (; end - at >= 4; at += 4) {
		if ((sorts[at[0]] | sorts[at[1]] | sorts[at[2]] | sorts[at[3]]) == PLAIN)
			continue;
		for (unsigned i = 0; i < 4; i++)
			if (is_odd(at + i, end))
				return true;
	}
	for (; at < end; at++)
		if (is_odd(at, end))
			return true;
	return false;
}

/* ---- ways out of the folder ---- */

static unsigned ups_in(const char *text, size_t len)
{
	const char *end = text + len;
	unsigned count = 0;

	while ((text = memmem(text, (size_t)(end - text), "../", 3)) != NULL) {
		text += 3;
		count++;
	}
	return count;
}

/* Does it lead up, out of the folder? Browsers undo "../" and "%2e%2e/" in a path before they
 * send it; old programs send "../" as it stands in a page, once or twice. Escaped it is none of
 * theirs. In a query a page may write so where something lies, once or twice. */
static unsigned leads_up(struct text_span raw, const char *text, size_t len, bool path)
{
	unsigned ups = ups_in(text, len);
	int depth = 0, times = 0, lowest = 0;

	if (path && (ups > ups_in(raw.at, raw.len) || strstr(text, "..\\") != NULL))
		return CONDUCT_SURE;
	if (!path || ups == 0)
		return ups > 2 ? CONDUCT_PERHAPS : ups > 0 ? CONDUCT_TYPED : CONDUCT_NONE;
	for (const char *at = text; (at = strchr(at, '/')) != NULL; at++) {
		bool up = conduct_begins_with(at, "/../");
		depth += up ? -1 : 1;
		times += up;
		lowest = depth < lowest ? depth : lowest;
	}
	if (lowest < -2)
		return CONDUCT_SURE;
	return times > 2 || lowest < -1 ? CONDUCT_PERHAPS : CONDUCT_NONE;
}

/* ---- SQL ---- */

/* How much to pass over at p of what databases take for a space, or leave out. */
static size_t blank_len(const char *p)
{
	if (conduct_begins_with(p, "/*!"))
		return 3 + strspn(p + 3, "0123456789");
	if (conduct_begins_with(p, "/**/"))
		return 4;
	if (conduct_begins_with(p, "*/"))
		return 2;
	return *p > 0 && *p <= ' ' ? 1 : 0;
}

/* Each such run made one space; false if that changed nothing. */
static bool flatten(char *text)
{
	bool changed = false;
	char *to = text;

	for (const char *p = text; *p != '\0';) {
		size_t skip = blank_len(p);
		bool again = to > text && to[-1] == ' ';
		changed |= skip > 1 || (skip == 1 && (*p != ' ' || again));
		if (skip == 0 || !again)
			*to++ = skip == 0 ? *p : ' ';
		p += skip > 0 ? skip : 1;
	}
	*to = '\0';
	return changed;
}

static size_t word_len(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

/* "1=1", "8473=1192", "('x'='x": what is always so, or never. */
static bool is_constant(const char *p)
{
	const char *left = p + strspn(p, " ('\"");
	size_t n = word_len(left);
	const char *right = left + n + strspn(left + n, " )'\"");

	if (n == 0 || *right != '=')
		return false;
	right++;
	right += strspn(right, " ('\"");
	size_t m = word_len(right);
	bool numbers = strspn(left, "0123456789") >= n && strspn(right, "0123456789") >= m;
	return m > 0 && (numbers || (n == m && memcmp(left, right, n) == 0));
}

/* Is what stands before p, in the value of its name, a comparison? Then it is a filter that
 * somebody wrote whole, and nothing that breaks out of a value. */
static bool follows_comparison(const char *text, const char *p)
{
	const char *begin = p;

	while (begin > text && begin[-1] != '&')
		begin--;
	const char *value = memchr(begin, '=', (size_t)(p - begin));
	if (value == NULL)
		return false;
	value++;
	size_t len = (size_t)(p - value);
	return memchr(value, '=', len) != NULL || memchr(value, '<', len) != NULL ||
	       memchr(value, '>', len) != NULL || memmem(value, len, " like ", 6) != NULL;
}

/* … behind an "and" or "or". */
static bool has_condition(const char *text)
{
	for (const char *p = text; (p = strpbrk(p, "ao")) != NULL; p++) {
		size_t n = conduct_begins_with(p, "and") ? 3 : conduct_begins_with(p, "or") ? 2 : 0;
		if (n > 0 && p > text && word_len(p - 1) == 0 && word_len(p) == n &&
		    is_constant(p + n) && !follows_comparison(text, p))
			return true;
	}
	return false;
}

/* ---- templates ---- */

static bool begins_template(const char *text, const char *p)
{
	return p[1] == '{' || (p > text && strchr("{$#*%@", p[-1]) != NULL);
}

/* "${7*7}", "<%=7*7%>": templates count it out. "{7*7}" stands in formulas, too. */
static unsigned product_in(const char *text)
{
	unsigned most = CONDUCT_NONE;

	for (const char *p = text; (p = strpbrk(p, "{=")) != NULL && most < CONDUCT_SURE; p++) {
		size_t n = strspn(p + 1, "0123456789"), m = 0;
		if (n > 0 && p[1 + n] == '*')
			m = strspn(p + 2 + n, "0123456789");
		const char *end = p + 2 + n + m;
		if (m > 0 && *p == '{' && *end == '}')
			most = begins_template(text, p) ? CONDUCT_SURE : CONDUCT_TYPED;
		else if (m > 0 && *p == '=' && p > text && p[-1] == '%' &&
			 conduct_begins_with(end, "%>"))
			most = CONDUCT_SURE;
	}
	return most;
}

/* "${a.b(c)}", "{{a('b')}}": a template that calls something, soon behind its begin. Those that a
 * page forgot to fill name a thing alone. */
static bool has_call(const char *text)
{
	const size_t soon = 64;

	for (const char *p = text; (p = strchr(p, '{')) != NULL; p++) {
		size_t inner = begins_template(text, p) ? strnlen(p, soon) : 0;
		const char *end = memchr(p, '}', inner);
		const char *call = memchr(p, '(', end != NULL ? (size_t)(end - p) : inner);
		if (call != NULL && call > p + 1 && word_len(call - 1) > 0)
			return true;
	}
	return false;
}

/* ---- commands ---- */

/* WORD: of English, too. NAME: of a program, but also a tag. ALONE: nobody names it without cause.
 */
enum fame { FAME_WORD, FAME_NAME, FAME_ALONE };
struct command { char name[12]; uint8_t fame; };

#define W FAME_WORD
#define N FAME_NAME
#define A FAME_ALONE
static const struct command commands[] = {
	{"wget", N}, {"curl", N}, {"busybox", N}, {"tftp", N}, {"ftpget", N}, {"chmod", N},
	{"nslookup", A}, {"whoami", A}, {"uname", A}, {"ifconfig", A}, {"ipconfig", A},
	{"telnetd", A}, {"/bin/", A}, {"id", W}, {"cat", W}, {"ls", W}, {"ping", W}, {"sleep", W},
	{"echo", W}, {"rm", W}, {"sh", W}, {"bash", W}, {"nc", W}, {"expr", W}, {"printf", W},
	{"touch", W}, {"python", W}, {"perl", W}, {"dir", W},
};
#undef W
#undef N
#undef A

/* What begins a command in a shell. Between two of '`' and behind "$(" nothing else stands; '&'
 * alone also stands between the names of a query, as ';' and '|' do in lists. */
enum separator {
	SEPARATOR_NONE,
	SEPARATOR_AND,
	SEPARATOR_LIST,
	SEPARATOR_LINE, /* a new one, or what follows the end of a quotation */
	SEPARATOR_DOLLAR,
	SEPARATOR_TICK,
};

static enum separator separator_at(const char *text, const char *p, size_t *ret_len)
{
	bool quoted = p > text && (p[-1] == '\'' || p[-1] == '"');

	*ret_len = *p == '$' || (*p == '&' && p[1] == '&') ? 2 : 1;
	if (*p == '$')
		return p[1] == '(' ? SEPARATOR_DOLLAR : SEPARATOR_NONE;
	if (*p == '&' && *ret_len == 1)
		return SEPARATOR_AND;
	if (*p == '`')
		return SEPARATOR_TICK;
	return quoted || *p == '\n' ? SEPARATOR_LINE : SEPARATOR_LIST;
}

/* A command, and how it goes on: what stands between two separators may be one of a list
 * ("cat;dog", "bash|curl"), a word of English if no option or file follows; "$(id)" is what a page
 * forgot to fill, and "`id`" how programmers write. */
static unsigned sort_of_command(const struct command *c, const char *end, enum separator s)
{
	bool arguments = *end == ' ' || conduct_begins_with(end, "${ifs");
	bool options = arguments && end[1] != '\0' && strchr("/-.~$#{0123456789", end[1]) != NULL;
	bool ends = *end == '\0' || strchr(";|`)&\n", *end) != NULL;
	bool named = c->fame != FAME_WORD;

	if (c->name[0] == '/')
		return s != SEPARATOR_AND ? CONDUCT_SURE : CONDUCT_NONE;
	if (s == SEPARATOR_AND)
		return arguments && named ? CONDUCT_SURE : options ? CONDUCT_PERHAPS : CONDUCT_NONE;
	if (s == SEPARATOR_LIST && (named ? !arguments && c->fame == FAME_NAME : !options))
		return CONDUCT_NONE;
	if (!arguments && !ends)
		return CONDUCT_NONE;
	return named || (s >= SEPARATOR_DOLLAR && arguments) ? CONDUCT_SURE : CONDUCT_PERHAPS;
}

static unsigned command_at(const char *p, enum separator s)
{
	unsigned found = CONDUCT_NONE;

	for (size_t i = 0; i < WD_COUNT(commands) && found == CONDUCT_NONE; i++)
		if (conduct_begins_with(p, commands[i].name))
			found = sort_of_command(&commands[i], p + strlen(commands[i].name), s);
	return found;
}

static unsigned command_in(const char *text)
{
	unsigned most = CONDUCT_NONE;

	for (const char *p = text; (p = strpbrk(p, ";|`$&\n")) != NULL; p++) {
		size_t len;
		enum separator s = separator_at(text, p, &len);
		const char *word = p + len;
		unsigned found = s != SEPARATOR_NONE ? command_at(word + strspn(word, " "), s) : 0;
		most = found > most ? found : most;
	}
	return most;
}

/* ---- all together ---- */

/* The highest sort of a word in the text; two that may be written by somebody, but of different
 * kinds, are sure: not two tags, nor twice the same. `other`: something was found besides. */
static unsigned words_in(const struct conduct_list *l, const char *text, bool other)
{
	const struct conduct_word *first = NULL;
	const char *free_from = text;
	unsigned most = CONDUCT_NONE;

	for (const char *at = text; *at != '\0' && most < CONDUCT_SURE; at++) {
		for (unsigned i = l->first[conduct_chain_of(at)]; i != 0; i = l->next[i - 1]) {
			const struct conduct_word *w = &l->words[i - 1];
			if (!conduct_begins_with(at, w->text))
				continue;
			bool apart =
				first != NULL && w->text[0] != first->text[0] && at >= free_from;
			most = w->sort == CONDUCT_SURE || other || apart ? CONDUCT_SURE : w->sort;
			if (first == NULL) {
				first = w;
				free_from = at + strlen(w->text);
			}
			if (most == CONDUCT_SURE)
				break;
		}
	}
	return most;
}

/* What conduct_plain reads of it. */
static struct text_span begin_of(struct text_span s)
{
	return (struct text_span){s.at, s.len < CONDUCT_TEXT_MAX ? s.len : CONDUCT_TEXT_MAX};
}

/* Apart, so that the many who need no room for a text do not make it. */
__attribute__((noinline)) static unsigned look_for(const struct conduct_lists *l,
						   struct text_span s, bool path)
{
	char text[CONDUCT_TEXT_MAX + 1];
	size_t len = conduct_plain(text, s);

	s = begin_of(s);
	unsigned up = leads_up(s, text, len, path), command = command_in(text);
	unsigned other = up > command ? up : command, product = product_in(text);

	other = product > other ? product : other;
	if (other == CONDUCT_NONE && has_call(text))
		other = CONDUCT_PERHAPS;
	if (other == CONDUCT_SURE)
		return other;
	unsigned found = words_in(&l->injections, text, other != CONDUCT_NONE);
	found = found > other ? found : other;
	if (found > CONDUCT_TYPED)
		return found;
	/* Comments for spaces are to hide something. */
	bool hides = strstr(text, "/*") != NULL;
	unsigned flat = flatten(text) ? words_in(&l->injections, text, hides) : CONDUCT_NONE;
	if (flat == CONDUCT_NONE && has_condition(text))
		flat = hides ? CONDUCT_SURE : CONDUCT_PERHAPS;
	return flat > found ? flat : found;
}

/* ---- who wrote it ---- */

enum { BY_FORM = 1, BY_CONSOLE = 2, BY_OTHERS = 4 };

static bool is_word(struct text_span s, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < len && s.len >= len; i++)
		if (text_lower(s.at[i]) != word[i])
			return false;
	return s.len >= len;
}

/* What people type into, and what browsers escape then. */
static bool is_typed(struct text_span key, struct text_span value)
{
	static const char *const fields[] = {
		"q", "s", "query", "search", "term", "keyword", "keywords", "find", "srsearch",
		"search_query", "searchterm", "sel", "hilit", "quicksearch",
	};

	if (memchr(value.at, '<', value.len) != NULL || memchr(value.at, '>', value.len) != NULL)
		return false;
	for (size_t i = 0; i < WD_COUNT(fields); i++)
		if (key.len == strlen(fields[i]) && is_word(key, fields[i]))
			return true;
	return false;
}

/* A whole statement is what consoles of databases send; an injection breaks out of a value. */
static bool is_statement(struct text_span value)
{
	static const char *const verbs[] = {
		"select", "show", "insert", "update", "delete", "drop", "create", "explain", "with",
		"describe", "alter",
	};

	for (size_t i = 0; i < WD_COUNT(verbs); i++) {
		size_t len = strlen(verbs[i]);
		if (value.len > len && is_word(value, verbs[i]) &&
		    (value.at[len] == '+' || value.at[len] == '%' || value.at[len] == ' '))
			return true;
	}
	return false;
}

static unsigned writer_of(struct text_span part)
{
	const char *equals = memchr(part.at, '=', part.len);
	uint32_t n = equals != NULL ? (uint32_t)(equals - part.at) : part.len;
	struct text_span key = {part.at, n};
	struct text_span value = {part.at + n, part.len - n};

	if (equals == NULL)
		return BY_OTHERS;
	value.at++;
	value.len--;
	return is_typed(key, value) ? BY_FORM : is_statement(value) ? BY_CONSOLE : BY_OTHERS;
}

/* Who wrote the parts of the query that matter; 0: none does alone. */
static unsigned writers_of(const struct conduct_lists *l, struct text_span query)
{
	unsigned writers = 0;

	query = begin_of(query);
	while (query.len > 0) {
		const char *stop = memchr(query.at, '&', query.len);
		uint32_t len = stop != NULL ? (uint32_t)(stop - query.at) : query.len;
		struct text_span part = {query.at, len};
		if (len > 0 && look_for(l, part, false) != CONDUCT_NONE)
			writers |= writer_of(part);
		len += stop != NULL;
		query.at += len;
		query.len -= len;
	}
	return writers;
}

static unsigned sort_of_query(const struct conduct_lists *l, struct text_span query)
{
	unsigned found = query.len > 0 && may_inject(query) ? look_for(l, query, false)
							    : CONDUCT_NONE;

	if (found == CONDUCT_NONE)
		return CONDUCT_NONE;
	unsigned writers = writers_of(l, query);
	if (writers == BY_CONSOLE)
		return CONDUCT_NONE;
	return writers == 0 || writers & BY_OTHERS ? found : CONDUCT_TYPED;
}

enum conduct_sort conduct_injection_of(const struct conduct_lists *l, struct text_span path,
				       struct text_span query)
{
	/* Nearly all are harmless, and one look at both at once says so. */
	if (path.len > 0 && query.at == path.at + path.len + 1 &&
	    !may_inject((struct text_span){path.at, path.len + 1 + query.len}))
		return CONDUCT_NONE;
	unsigned a = path.len > 0 && may_inject(path) ? look_for(l, path, true) : CONDUCT_NONE;
	unsigned b = a < CONDUCT_SURE ? sort_of_query(l, query) : CONDUCT_NONE;
	return (enum conduct_sort)(a > b ? a : b);
}

void conduct_injections_prepare(struct conduct_lists *l)
{
	conduct_list_make(&l->injections, injections, WD_COUNT(injections));
}
