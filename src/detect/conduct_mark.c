/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's own words give away. The lists are general: what scanners of all kinds ask
 * for and what injections are made of, not one scanner's list. */
#include "base/check.h"
#include "base/text.h"
#include "detect/conduct.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { TEXT_MAX = 512 };

struct word { const char *text; };

/* Lower case, %xx and \xNN undone (twice, for those who escape twice), '+' as a space. */
static size_t plain(char dst[TEXT_MAX + 1], size_t used, struct text_span s);

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "%41" or "\x41" at p: the byte, with its length; -1 if it is none. */
static int escaped(const char *p, const char *end, size_t *ret_len)
{
	size_t skip = *p == '%' ? 1 : *p == '\\' && end - p > 1 && p[1] == 'x' ? 2 : 0;

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
		int byte = escaped(p, end, &skip);
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

static size_t plain(char dst[TEXT_MAX + 1], size_t used, struct text_span s)
{
	size_t room = TEXT_MAX - used, len = s.len < room ? s.len : room;

	for (size_t i = 0; i < len; i++)
		dst[used + i] = lower_or_space(s.at[i]);
	used += len;
	dst[used] = '\0';
	if (memchr(dst, '%', used) == NULL && memchr(dst, '\\', used) == NULL)
		return used;
	used = unescape(dst, used);
	return unescape(dst, used);
}

/* Words by their first two bytes, in chains of places in the list + 1: made anew for each text,
 * which costs a few of the searches that it saves. */
enum { WORDS_MAX = 96, CHAINS = 256 };
struct chains { uint8_t first[CHAINS], next[WORDS_MAX]; };

static unsigned chain_of(const char *at)
{
	return ((uint8_t)at[0] * 37U + (uint8_t)at[1]) % CHAINS;
}

static void chains_make(struct chains *c, const struct word *words, size_t count)
{
	memset(c->first, 0, sizeof(c->first));
	for (size_t i = 0; i < count; i++) {
		uint8_t *first = &c->first[chain_of(words[i].text)];
		c->next[i] = *first;
		*first = (uint8_t)(i + 1);
	}
}

static bool begins_with(const char *at, const char *word)
{
	while (*word != '\0' && *at == *word) {
		at++;
		word++;
	}
	return *word == '\0';
}

static bool has_any(const char *text, const struct word *words, size_t count)
{
	struct chains c;

	WD_CHECK(count <= WORDS_MAX);
	chains_make(&c, words, count);
	for (const char *at = text; *at != '\0'; at++)
		for (unsigned i = c.first[chain_of(at)]; i != 0; i = c.next[i - 1])
			if (begins_with(at, words[i - 1].text))
				return true;
	return false;
}

/* ---- weak spots ---- */

static const struct word spots[] = {
	{"/.env"}, {"/.git"}, {"/.svn"}, {"/.hg/"}, {"/.aws"}, {"/.ssh"}, {"/.htpasswd"},
	{"/.htaccess"}, {"/.ds_store"}, {"/.vscode"}, {"/.idea"}, {"/.docker"}, {"/.bash_history"},
	{"/.npmrc"}, {"/.config/"}, {"/id_rsa"}, {"/wp-config"}, {"/wp-admin/install"},
	{"/wp-admin/setup-config"}, {"/xmlrpc.php"}, {"/wp-content/plugins/"}, {"/wlwmanifest.xml"},
	{"/wp-login.php"}, {"phpmyadmin"}, {"/pma/"}, {"/adminer"}, {"phpinfo"}, {"/phpunit"},
	{"eval-stdin"}, {"/cgi-bin/"}, {"/server-status"}, {"/server-info"}, {"/actuator"},
	{"/solr/admin"}, {"/manager/html"}, {"/jmx-console"}, {"/web-console"}, {"/hudson"},
	{"/struts"}, {"/boaform"}, {"/hnap1"}, {"/gponform"}, {"/setup.cgi"}, {"/goform/"},
	{"/remote/fgt_lang"}, {"/dana-na"},
	{"/telescope"}, {"/_ignition"}, {"web.config"},
	{"/c99"}, {"/r57"}, {"webshell"}, {"/backup"}, {"/dump."}, {"/db.sql"}, {"/database.sql"},
	{"/config.json"}, {"/config.yml"}, {"/config.php"}, {"/configuration.php"},
	{"/credentials"}, {"/secrets"}, {"/docker-compose"}, {"/sftp-config"}, {"/etc/passwd"},
	{"/proc/self"}, {"win.ini"}, {"boot.ini"}, {"/administrator/"}, {"/admin/config"},
	{"/muieblackcat"}, {"/zmeu"}, {"/w00tw00t"},
	{"/invoker/"}, {"/axis2"}, {"/api/jsonws"}, {"/luci"}, {"/nice ports"},
	{"shell.php"}, {"/wso.php"}, {"/alfa"}, {"/b374k"}, {"/indoxploit"}, {"/cmd.php"},
	{"/remote/logincheck"}, {"/tmui/"}, {"/web-inf/"}, {"/autodiscover.json"},
	{"/wp-json/wp/v2/users"},
};

static const struct word endings[] = {
	{".bak"}, {".old"}, {".orig"}, {".save"}, {".swp"}, {".sql"}, {".sql.gz"}, {".tar.gz"},
	{".tgz"}, {".rar"}, {".7z"}, {".php~"}, {".inc"}, {".mdb"}, {".pem"},
	{".cfg"}, {".conf"},
};

bool conduct_is_weak_spot(struct text_span path)
{
	char text[TEXT_MAX + 1];
	size_t len = plain(text, 0, path);

	if (has_any(text, spots, WD_COUNT(spots)))
		return true;
	if (memrchr(text, '.', len) == NULL)
		return false;
	for (size_t i = 0; i < WD_COUNT(endings); i++) {
		size_t n = strlen(endings[i].text);
		if (len > n && memcmp(text + len - n, endings[i].text, n) == 0)
			return true;
	}
	return false;
}

/* ---- injections ---- */

static const struct word injections[] = {
	{"../"}, {"..\\"}, {"/etc/passwd"}, {"/proc/self"}, {"boot.ini"}, {"win.ini"},
	{"<script"}, {"javascript:"}, {"onerror="}, {"onload="}, {"alert("}, {"document.cookie"},
	{"<svg"}, {"<img "}, {"<iframe"},
	{"union select"}, {"union all select"}, {"union/**/"}, {"select * from"},
	{"information_schema"}, {"sleep("}, {"benchmark("}, {"waitfor delay"}, {"pg_sleep"},
	{"' or '"}, {"' or 1=1"}, {"' and '"}, {"\" or \""}, {"or 1=1"}, {"and 1=1"},
	{"' --"}, {"'--"},
	{"order by 1"}, {"extractvalue("}, {"updatexml("}, {"load_file("}, {"into outfile"},
	{"xp_cmdshell"}, {"concat("}, {"char("}, {"@@version"}, {";drop table"}, {"; drop table"},
	{"${jndi:"}, {"${${"}, {"{{7*7}}"}, {"<?php"}, {"<!--#exec"}, {"php://"}, {"file:///"},
	{"expect://"}, {"data://"}, {"phar://"}, {"allow_url_include"}, {"auto_prepend_file"},
	{"/bin/sh"}, {"/bin/bash"}, {"cmd.exe"}, {";wget "}, {"|wget "}, {";curl "}, {"$("},
	{"cd /tmp"}, {";cat "}, {"|cat "}, {"|id"}, {";id;"}, {"`id`"}, {"() {"},
	{"eval("}, {"base64_decode("}, {"system("}, {"invokefunction"},
	{"@java.lang"}, {"java.lang.runtime"}, {"@org.apache"}, {"freemarker"}, {"${script:"},
	{"..;/"}, {";/web-inf"},
};

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

/* Apart, so that the many who need no room for a text do not make it. */
__attribute__((noinline)) static bool is_injected(struct text_span s)
{
	char text[TEXT_MAX + 1];

	(void)plain(text, 0, s);
	return has_any(text, injections, WD_COUNT(injections));
}

static bool has_injection(struct text_span s)
{
	return s.len > 0 && may_inject(s) && is_injected(s);
}

bool conduct_is_injection(struct text_span path, struct text_span query)
{
	/* Nearly all are harmless, and one look at both at once says so. */
	if (path.len > 0 && query.at == path.at + path.len + 1 &&
	    !may_inject((struct text_span){path.at, path.len + 1 + query.len}))
		return false;
	return has_injection(path) || has_injection(query);
}

/* ---- harmless ---- */

static bool starts(struct text_span s, const char *word)
{
	size_t len = strlen(word);

	return s.len >= len && memcmp(s.at, word, len) == 0;
}

bool conduct_is_usual_miss(struct text_span path)
{
	static const char *const usual[] = {
		"/favicon", "/robots.txt", "/apple-touch-icon", "/.well-known/", "/sitemap",
		"/browserconfig.xml", "/ads.txt", "/app-ads.txt", "/humans.txt", "/security.txt",
		"/manifest.json", "/site.webmanifest", "/apple-app-site-association", "/sw.js",
		"/service-worker.js", "/crossdomain.xml",
	};

	for (size_t i = 0; i < WD_COUNT(usual) && path.len > 1; i++)
		if (path.at[1] == usual[i][1] && starts(path, usual[i]))
			return true;
	return false;
}

/* "x.php?controller=AdminLogin" is one, too. */
static bool has_login(struct text_span query)
{
	static const struct word words[] = {{"=login"}, {"adminlogin"}, {"action=login"}};
	char text[TEXT_MAX + 1];

	if (query.len == 0)
		return false;
	(void)plain(text, 0, query);
	return has_any(text, words, WD_COUNT(words));
}

bool conduct_is_login(struct text_span path, struct text_span query)
{
	static const struct word words[] = {
		{"login"}, {"logon"}, {"signin"}, {"sign-in"}, {"sign_in"}, {"xmlrpc.php"},
		{"authenticate"}, {"/auth"}, {"j_security_check"}, {"user_session"}, {"/sessions"},
		{"anmelden"}, {"connexion"}, {"/account/verify"}, {"otp"}, {"auth.owa"},
		{"/phpmyadmin/"}, {"/pma/"}, {"/administrator/index.php"}, {"/connect/token"},
		{"security_check"},
	};
	char text[TEXT_MAX + 1];

	if (path.len == 0 || path.len > 256)
		return false;
	(void)plain(text, 0, path);
	return has_any(text, words, WD_COUNT(words)) || has_login(query);
}

/* The ending of a path's last piece: its length; 0 if there is none. */
static size_t ending_of(struct text_span path, char dst[8])
{
	const char *end = path.at + path.len, *at = end;

	while (at > path.at && end - at < 7 && at[-1] != '.' && at[-1] != '/')
		at--;
	if (at == path.at || at == end || at[-1] != '.')
		return 0;
	for (size_t i = 0; at + i < end; i++)
		dst[i] = text_lower(at[i]);
	dst[end - at] = '\0';
	return (size_t)(end - at);
}

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

bool conduct_is_script(struct text_span path)
{
	static const char *const names[] = {"php", "asp", "aspx", "jsp", "jspx", "cgi", "pl"};
	char ending[8];

	return path.len > 0 && ending_of(path, ending) > 0 &&
	       is_one_of(ending, names, WD_COUNT(names));
}

bool conduct_is_file(struct text_span path)
{
	static const char *const pages[] = {"html", "htm", "xhtml", "shtml", "do", "action"};
	char ending[8];

	return path.len > 0 && ending_of(path, ending) > 0 && !conduct_is_script(path) &&
	       !is_one_of(ending, pages, WD_COUNT(pages));
}

/* ---- agents ---- */

static const char *const scanners[] = {
	"sqlmap", "nikto", "nmap", "masscan", "zgrab", "dirbuster",
	"gobuster", "feroxbuster", "wpscan", "nuclei", "acunetix", "nessus",
	"openvas", "w3af", "arachni", "netsparker", "havij", "fimap",
	"zmeu", "jorgee", "muieblackcat", "morfeus", "dirb", "wfuzz", "ffuf",
	"hydra", "joomscan", "skipfish", "whatweb", "paros", "burp",
	"owasp zap", "qualys", "jaeles", "commix", "l9explore", "l9tcpid",
	"dirsearch", "fuzz faster", "hello, world", "gawa.sa", "cmsmap",
	"webinspect", "dotdotpwn", "xsstrike", "golismero", "detectify",
	/* No agent, but an injection where the agent is put into a log or a page. */
	"${jndi", "${${", "${lower", "() {", "<?php", "<script", "../../",
};
static const char *const loaders[] = {
	"apachebench", "wrk/", "hey/", "siege", "jmeter", "k6/", "vegeta",
	"bombardier", "slowhttptest", "goldeneye", "hulk", "locust", "fasthttp",
};
static const char *const crawlers[] = {
	"http:", "https:", "bot", "crawl", "spider", "slurp", "monitor",
	"uptime", "pingdom", "statuscake", "health", "check", "probe",
	"facebookexternalhit", "feed", "lighthouse", "prerender",
};
static const char *const fetchers[] = {
	"pip/", "npm/", "yarn/", "pnpm/", "git/", "jgit/", "apt-http",
	"libdnf", "urlgrabber", "pacman/", "apk-tools", "docker/", "containerd",
	"podman", "aws-sdk", "aws-cli", "boto", "minio", "s3cmd", "rclone",
	"restic", "mirall", "webdav", "davx", "davfs", "gvfs", "composer/",
	"maven", "gradle", "cargo", "nuget", "bundler", "conda/", "helm/",
	"terraform", "applecoremedia", "exoplayer", "vlc/", "lavf",
};

/* What stands first wins. */
static const struct { uint8_t agent, count; const char *const *words; } agents[] = {
	{CONDUCT_SCANNER, WD_COUNT(scanners), scanners},
	{CONDUCT_LOADER, WD_COUNT(loaders), loaders},
	{CONDUCT_CRAWLER, WD_COUNT(crawlers), crawlers},
	{CONDUCT_FETCHER, WD_COUNT(fetchers), fetchers},
};

void conduct_agents_prepare(struct conduct_agents *a)
{
	unsigned n = 0;

	memset(a, 0, sizeof(*a));
	for (uint8_t list = 0; list < WD_COUNT(agents); list++) {
		for (uint8_t i = 0; i < agents[list].count; i++, n++) {
			uint8_t *first = &a->first[chain_of(agents[list].words[i])];
			WD_CHECK(n < CONDUCT_AGENT_WORDS - 1);
			a->words[n] = (struct conduct_agent_word){
				.text = agents[list].words[i], .list = list, .next = *first};
			*first = (uint8_t)(n + 1);
		}
	}
}

enum conduct_agent conduct_agent_of(const struct conduct_agents *a, struct text_span agent)
{
	char text[TEXT_MAX + 1];
	unsigned best = WD_COUNT(agents);

	if (agent.len == 0)
		return CONDUCT_UNTOLD;
	(void)plain(text, 0, agent);
	for (const char *at = text; *at != '\0' && best > 0; at++)
		for (unsigned i = a->first[chain_of(at)]; i != 0; i = a->words[i - 1].next)
			if (a->words[i - 1].list < best && begins_with(at, a->words[i - 1].text))
				best = a->words[i - 1].list;
	if (best < WD_COUNT(agents))
		return (enum conduct_agent)agents[best].agent;
	return starts(agent, "Mozilla/") || starts(agent, "Opera/") ? CONDUCT_BROWSER
								     : CONDUCT_LIBRARY;
}
