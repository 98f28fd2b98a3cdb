/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's own words give away. The lists are general: what scanners of all kinds ask
 * for and what injections are made of, not one scanner's list. */
#include "base/check.h"
#include "base/text.h"
#include "detect/conduct_inner.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- texts ---- */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%41", "\x41", "%u0041" or "\u0041" at p: the byte, with its length; -1 if it is none. */
static int escaped(const char *p, const char *end, size_t *ret_len)
{
	size_t skip = *p == '%' ? 1 : *p == '\\' && end - p > 1 && p[1] == 'x' ? 2 : 0;

	if (end - p >= 6 && p[1] == 'u' && p[2] == '0' && p[3] == '0')
		skip = 4;
	if (skip == 0 || (size_t)(end - p) < skip + 2)
		return -1;
	int high = hex(p[skip]), low = hex(p[skip + 1]);
	*ret_len = skip + 2;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static size_t unescape(char *text, size_t len)
{
	const char *p = text, *end = text + len;
	size_t n = 0, skip = 0;

	while (p < end) {
		int byte = *p == '%' || *p == '\\' ? escaped(p, end, &skip) : -1;
		if (byte > 0) {
			text[n++] = text_lower((char)byte);
			p += skip;
		} else {
			text[n++] = *p++;
		}
	}
	text[n] = '\0';
	return n;
}

/* Without a call or a branch, so that many are done at once. */
static inline char lower_or_space(char c)
{
	uint8_t b = (uint8_t)c, upper = (uint8_t)(b - 'A') < 26 ? 0x20 : 0;

	return (char)(b == '+' ? ' ' : b | upper);
}

size_t conduct_plain(char dst[CONDUCT_TEXT_MAX + 1], struct text_span s)
{
	size_t len = s.len < CONDUCT_TEXT_MAX ? s.len : CONDUCT_TEXT_MAX;

	for (size_t i = 0; i < len; i++)
		dst[i] = lower_or_space(s.at[i]);
	dst[len] = '\0';
	if (memchr(dst, '%', len) == NULL && memchr(dst, '\\', len) == NULL)
		return len;
	len = unescape(dst, len);
	return unescape(dst, len);
}

/* ---- lists of words ---- */

void conduct_list_make(struct conduct_list *l, const struct conduct_word *words, size_t count)
{
	WD_CHECK(count <= CONDUCT_LIST_MAX);
	*l = (struct conduct_list){.words = words};
	for (size_t i = 0; i < count; i++) {
		uint8_t *first = &l->first[conduct_chain_of(words[i].text)];
		l->next[i] = *first;
		*first = (uint8_t)(i + 1);
		l->highest = words[i].sort > l->highest ? words[i].sort : l->highest;
	}
}

unsigned conduct_list_find(const struct conduct_list *l, const char *text)
{
	unsigned most = 0;

	for (const char *at = text; *at != '\0' && most < l->highest; at++)
		for (unsigned i = l->first[conduct_chain_of(at)]; i != 0; i = l->next[i - 1])
			if (l->words[i - 1].sort > most &&
			    conduct_begins_with(at, l->words[i - 1].text))
				most = l->words[i - 1].sort;
	return most;
}

/* ---- weak spots ---- */

#define H CONDUCT_HOLE
#define S CONDUCT_SURE
#define P CONDUCT_PERHAPS

/* Perhaps: an owner may have it, so it must be refused. Sure: no page leads there, whatever is
 * answered (many sites answer 200 to everything), but those of a site that shows source code.
 * Hole: what an attack on one product, or on who attacked before, begins with. */
static const struct conduct_word spots[] = {
	{"/.env", S}, {"/.git/", S}, {"/.git", P}, {"/.svn", S}, {"/.hg/", S}, {"/.aws", S},
	{"/.ssh", S}, {"/.htpasswd", S}, {"/.htaccess", S}, {"/.ds_store", P}, {"/.vscode", S},
	{"/.idea", S}, {"/.docker/", S}, {"/.kube/", S}, {"/.bash_history", S}, {"/.npmrc", S},
	{"/.config/", S}, {"/.s3cfg", S}, {"/id_rsa", S},
	{"/wp-config", P}, {"/wp-config.php.", S}, {"/wp-config.php~", S}, {"/wp-config.bak", S},
	{"/wp-config.old", S}, {"/wp-config.txt", S},
	{"/wp-admin/install", P}, {"/wp-admin/setup-config", P}, {"/xmlrpc.php", P},
	{"/wp-content/plugins/", P}, {"/wlwmanifest.xml", P}, {"/wp-login.php", P},
	{"/wp-json/wp/v2/users", P},
	{"phpmyadmin", P}, {"/pma/", P}, {"/adminer", P}, {"phpinfo", P}, {"/phpunit", P},
	{"eval-stdin", H}, {"/htmlawedtest", H},
	{"/cgi-bin/", P}, {"/server-status", P}, {"/server-info", P}, {"/actuator", P},
	{"/actuator/gateway", H}, {"/functionrouter", H},
	{"/solr/admin", P}, {"/manager/html", P}, {"/jmx-console", P}, {"/web-console", P},
	{"/hudson", P}, {"/struts", P}, {"/invoker/", P}, {"/axis2", P}, {"/api/jsonws", P},
	{"/wls-wsat/", H}, {"/_async/asyncresponse", H}, {"/securityrealm/user/", H},
	{"/boaform", P}, {"/hnap1", P}, {"/gponform", P}, {"/setup.cgi", P}, {"/goform/", P},
	{"/luci", P}, {"/ctrlt/deviceupgrade", H}, {"/nas_sharing.cgi", H}, {"/ud/act", P},
	{"/remote/fgt_lang", H}, {"/remote/logincheck", P}, {"/ssl-vpn/hipreport", H},
	{"/dana-na", P}, {"/vpns/", H}, {"/tmui/", P}, {"/mgmt/tm/util/bash", H},
	{"/mifs/aad/", H}, {"/mboximport", H}, {"/remote_agent.php", H},
	{"/server-info.action", H}, {"/setup/setupadministrator.action", H},
	{"/json/setup-restore", H}, {"/template/aui/text-inline.vm", H},
	{"/toolpane.aspx", H}, {"/spinstall0", H}, {"/setupwizard.aspx/", H}, {"/human2.aspx", H},
	{"/telerik.web.ui.webresource.axd", P}, {"/aspnet_client/", P}, {"/autodiscover.json", P},
	{"/uploadova", H}, {"/analytics/telemetry/ph/api", H}, {"/getphpinfo.php", H},
	{"/webtools/control/xmlrpc", H}, {"/webtools/control/programexport", H},
	{"/setup/finishsetup.action", H}, {"/template/custom/content-editor", H},
	{"/mgmt/shared/authn/login", H}, {"/api/v2/cmdb/system/admin", H}, {"/cgi-bin/fwbcgi", H},
	{"/mifs/rs/api/v2/featureusage", H}, {"/totp/user-backup-code/../", H},
	{"/h5-vsan/rest/proxy", H}, {"/analytics/ph/api", H}, {"/jarrewrite.sh", H},
	{"/sslvpnclient", H},
	{"/telescope", P}, {"/_ignition", P}, {"/_ignition/execute-solution", H},
	{"web.config", P}, {"/web-inf/", P}, {"/etc/passwd", H}, {"/proc/self", H},
	{"win.ini", P}, {"boot.ini", P},
	{"/c99", P}, {"/r57", P}, {"webshell", P}, {"shell.php", P}, {"/wso.php", P}, {"/alfa", P},
	{"/b374k", P}, {"/indoxploit", P}, {"/cmd.php", P}, {"/c99.php", H}, {"/r57.php", H},
	{"/c99shell.php", H}, {"/r57shell.php", H}, {"/wso.php", H}, {"/b374k.php", H},
	{"/backup", P}, {"/dump.", P}, {"/db.sql", P}, {"/database.sql", P},
	{"/config.json", P}, {"/config.yml", P}, {"/config.php", P}, {"/configuration.php", P},
	{"/credentials", P}, {"/secrets", P}, {"/docker-compose", P}, {"/sftp-config", P},
	{"/administrator/", P}, {"/admin/config", P},
	{"/muieblackcat", H}, {"/zmeu", H}, {"/w00tw00t", H}, {"/nice ports", H},
};

static const struct { char text[8]; } endings[] = {
	{".bak"}, {".old"}, {".orig"}, {".save"}, {".swp"}, {".sql"}, {".sql.gz"}, {".tar.gz"},
	{".tgz"}, {".rar"}, {".7z"}, {".php~"}, {".inc"}, {".mdb"}, {".pem"},
	{".cfg"}, {".conf"},
};

static bool ends_with(const char *text, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len > n && memcmp(text + len - n, ending, n) == 0;
}

enum conduct_sort conduct_spot_of(const struct conduct_lists *l, struct text_span path)
{
	char text[CONDUCT_TEXT_MAX + 1];
	size_t len = conduct_plain(text, path);
	unsigned sort = conduct_list_find(&l->spots, text);

	/* Which plugins there are, and how old, is what their texts tell. */
	if (sort == P && ends_with(text, len, "/readme.txt") &&
	    strstr(text, "/wp-content/") != NULL)
		return S;
	if (sort != 0 || memrchr(text, '.', len) == NULL)
		return (enum conduct_sort)sort;
	for (size_t i = 0; i < WD_COUNT(endings); i++)
		if (ends_with(text, len, endings[i].text))
			return P;
	return CONDUCT_NONE;
}

/* ---- injections ---- */

/* Perhaps: somebody may have typed it, on a page about such things. Sure: nobody has. */
static const struct conduct_word injections[] = {
	{"..\\", P}, {"/etc/passwd", P}, {"/etc/shadow", P}, {"/proc/self/", P}, {"boot.ini", P},
	{"win.ini", P}, {"\xc0\xaf", S}, {"\xc0\xae", S}, {"\xc1\x9c", S},
	{"<script", P}, {"javascript:", P}, {"onerror=", P}, {"onload=", P}, {"ontoggle=", P},
	{"onfocus=", P}, {"onstart=", P}, {"onpageshow=", P}, {"onmouseover=", P}, {"alert(", P},
	{"=confirm(", P}, {"=prompt(", P}, {"confirm(1", P}, {"prompt(1", P},
	{"document.cookie", P},
	{"<svg", P}, {"<img ", P}, {"<img/", P}, {"<iframe", P}, {"<body ", P}, {"<details", P},
	{"<marquee", P}, {"<object", P}, {"<embed", P}, {"<a href", P}, {"&lt;script", P},
	{"union select", P}, {"union all select", P}, {"select * from", P}, {"(select ", P},
	{"information_schema", P}, {"sleep(", P}, {"benchmark(", P}, {"waitfor delay", P},
	{"pg_sleep", P}, {"dbms_pipe.", P}, {"utl_inaddr.", P}, {"ctxsys.", P},
	{"' or '", P}, {"' or 1=1", P}, {"' and '", P}, {"\" or \"", P}, {"or 1=1", P},
	{"and 1=1", P}, {"' --", P}, {"'--", P}, {"order by 1", P}, {"extractvalue(", P},
	{"updatexml(", P}, {"load_file(", P}, {"into outfile", P}, {"into dumpfile", P},
	{"xp_cmdshell", P}, {"group_concat(", P}, {"concat_ws(", P}, {"concat(0x", P},
	{"concat(char", P}, {"concat('", P}, {"concat((", P}, {"concat(user", P},
	{"concat(database", P}, {"concat(version", P}, {"@@version", P}, {";drop table", P},
	{"; drop table", P},
	{"char(1", P}, {"char(2", P}, {"char(3", P}, {"char(4", P}, {"char(5", P}, {"char(6", P},
	{"char(7", P}, {"char(8", P}, {"char(9", P}, {"chr(6", P},
	{"${jndi:", S}, {"${${", S}, {"${lower:", S}, {"${upper:", S}, {"${::-", S}, {"${env:", S},
	{"${script:", S}, {"${dns:", S}, {"${url:", S}, {"{{7*", S}, {"<?php", P}, {"<!--#exec", S},
	{"<!entity", S}, {"php://", P}, {"file:///", P}, {"gopher://", S}, {"dict://", S},
	{"expect://", S}, {"data://", P}, {"phar://", S}, {"allow_url_include", S},
	{"auto_prepend_file", S}, {"pearcmd", S}, {"mosconfig_absolute_path=", S},
	{"//169.254.169.254", S}, {"//metadata.google.internal", S},
	{"/bin/sh", P}, {"/bin/bash", P}, {"cmd.exe", P}, {";wget ", S}, {"|wget ", S},
	{";curl ", S}, {"|curl ", S}, {"`wget ", S}, {"`curl ", S}, {"$(wget", S}, {"$(curl", S},
	{"$(id)", S}, {"$(cat", S}, {"$(echo", S}, {"$(sleep", S}, {"$(whoami", S},
	{"$(nslookup", S},
	{"$(ping", S}, {"$(uname", S}, {"$(/bin", S}, {"$(rm ", S}, {"$(printf", S}, {"$(expr", S},
	{"${ifs", S}, {"cd /tmp", P}, {"cd /var/tmp", P}, {";cat ", P}, {"|cat ", P}, {"|id", P},
	{";id;", P}, {"`id`", S}, {"`sleep ", S}, {";whoami", S}, {"|whoami", S}, {"&&whoami", S},
	{"() { :", S}, {"eval(", P}, {"base64_decode(", P}, {"system(", P}, {"invokefunction", S},
	{"call_user_func_array", S}, {"\\think\\", S}, {"think\\app", S}, {"=phpinfo&", P},
	{"@java.lang", S}, {"java.lang.runtime", P}, {".getruntime()", S}, {"class.forname(", S},
	{"@org.apache", S}, {"freemarker.template", S}, {"_memberaccess", S}, {"@ognl.", S},
	{"xwork.methodaccessor", S}, {"#context[", S}, {"#set(", P},
	{"class.module.classloader", S},
	{"#post_render", S}, {"element_parents=", S}, {"<include>", S}, {"=/app/rest/", S},
	{"autodiscover/autodiscover.json", S}, {"..powershell", S}, {"/mapi/nspi", S},
	{"/powershell?serialization", S}, {"'#context", S},
	{"..;/", S}, {";/web-inf", S}, {";/meta-inf", S}, {"*)(", P}, {" set-cookie:", P},
	{"\r\nset-cookie:", S}, {"\r\nlocation:", S}, {"__proto__", P},
};
#undef H
#undef S
#undef P

/* One look decides nearly always: without one of these nothing is injected. Points and colons
 * matter where another one, or "/" behind a colon, follows. */
enum { PLAIN, ODD, POINT };
static const uint8_t sorts[256] = {
	['%'] = ODD, ['<'] = ODD, ['\''] = ODD, ['('] = ODD, ['$'] = ODD, [';'] = ODD,
	['|'] = ODD, ['\\'] = ODD, ['`'] = ODD, ['{'] = ODD, ['.'] = POINT, [':'] = POINT,
};

static bool is_odd(const uint8_t *at, const uint8_t *end)
{
	if (sorts[*at] != POINT)
		return sorts[*at] == ODD;
	return end - at > 1 && (sorts[at[1]] == POINT || (*at == ':' && at[1] == '/'));
}

#ifdef __SSE2__
/* A bit for each of sixteen bytes that `sorts` knows; of '@' and '[', which it does not, too. */
static unsigned known_of(__m128i x)
{
#define IS(bytes, c) _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))
	__m128i odd = _mm_or_si128(x, _mm_set1_epi8(1)), low = _mm_or_si128(x, _mm_set1_epi8(0x20));
	__m128i percent = IS(odd, '%'), bar = IS(low, '|');         /* and '$', and '\\' */
	__m128i brace = IS(low, '{'), tick = IS(low, '`');          /* and '[', and '@' */
	__m128i colon = _mm_or_si128(IS(x, ':'), IS(odd, ';' | 1)); /* and ';' */
	__m128i rest = _mm_or_si128(_mm_or_si128(IS(x, '\''), IS(x, '(')),
				    _mm_or_si128(IS(x, '.'), IS(x, '<')));
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

/* Does it lead up, out of the folder? Old programs send "../" as it stands in a page, once or
 * twice; escaped, beyond the root, or in a query, it is none of theirs. */
static bool leads_up(struct text_span raw, const char *text, bool path)
{
	int depth = 0, times = 0, lowest = 0;

	if (!path || memchr(raw.at, '%', raw.len) != NULL)
		return strstr(text, "../") != NULL;
	for (const char *at = text; (at = strchr(at, '/')) != NULL; at++) {
		bool up = conduct_begins_with(at, "/../");
		depth += up ? -1 : 1;
		times += up;
		lowest = depth < lowest ? depth : lowest;
	}
	return times > 2 || lowest < -1;
}

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

/* … behind an "and" or "or". */
static bool has_condition(const char *text)
{
	for (const char *p = text; (p = strpbrk(p, "ao")) != NULL; p++) {
		size_t n = conduct_begins_with(p, "and") ? 3 : conduct_begins_with(p, "or") ? 2 : 0;
		if (n > 0 && p > text && word_len(p - 1) == 0 && word_len(p) == n &&
		    is_constant(p + n))
			return true;
	}
	return false;
}

/* "{7*7}": templates count it out. */
static bool has_product(const char *text)
{
	for (const char *p = text; (p = strchr(p, '{')) != NULL; p++) {
		size_t n = strspn(p + 1, "0123456789"), m = 0;
		if (n > 0 && p[1 + n] == '*')
			m = strspn(p + 2 + n, "0123456789");
		if (m > 0 && p[2 + n + m] == '}')
			return true;
	}
	return false;
}

/* Apart, so that the many who need no room for a text do not make it. */
__attribute__((noinline)) static unsigned look_for(const struct conduct_lists *l,
						   struct text_span s, bool path)
{
	char text[CONDUCT_TEXT_MAX + 1];

	conduct_plain(text, s);
	unsigned found = conduct_list_find(&l->injections, text);
	if (found == CONDUCT_NONE && leads_up(s, text, path))
		found = CONDUCT_PERHAPS;
	if (has_product(text))
		return CONDUCT_SURE;
	if (found == CONDUCT_NONE && flatten(text))
		found = conduct_list_find(&l->injections, text);
	if (found == CONDUCT_NONE && has_condition(text))
		found = CONDUCT_PERHAPS;
	return found;
}

static unsigned sort_of_span(const struct conduct_lists *l, struct text_span s, bool path)
{
	return s.len > 0 && may_inject(s) ? look_for(l, s, path) : CONDUCT_NONE;
}

enum conduct_sort conduct_injection_of(const struct conduct_lists *l, struct text_span path,
				       struct text_span query)
{
	/* Nearly all are harmless, and one look at both at once says so. */
	if (path.len > 0 && query.at == path.at + path.len + 1 &&
	    !may_inject((struct text_span){path.at, path.len + 1 + query.len}))
		return CONDUCT_NONE;
	unsigned a = sort_of_span(l, path, true);
	unsigned b = a < CONDUCT_SURE ? sort_of_span(l, query, false) : CONDUCT_NONE;
	return (enum conduct_sort)(a > b ? a : b);
}

void conduct_lists_prepare(struct conduct_lists *l)
{
	conduct_list_make(&l->spots, spots, WD_COUNT(spots));
	conduct_list_make(&l->injections, injections, WD_COUNT(injections));
	conduct_logins_prepare(l);
	conduct_agents_prepare(l);
}
