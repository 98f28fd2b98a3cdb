/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's path and agent tell: harmless, a page to sign in, a file; who asks. What only
 * somebody who searches asks for stands in conduct_words.c. */
#include "base/check.h"
#include "base/text.h"
#include "detect/conduct_inner.h"

#include <string.h>

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

/* ---- where people sign in ---- */

#define S CONDUCT_SURE
static const struct conduct_word logins[] = {
	{"login", S}, {"logon", S}, {"log-in", S}, {"log_in", S}, {"signin", S}, {"sign-in", S},
	{"sign_in", S}, {"xmlrpc.php", S}, {"authenticate", S}, {"doauthentication", S},
	{"/auth", S},
	{"security_check", S}, {"user_session", S}, {"/sessions", S}, {"/account/verify", S},
	{"otp", S}, {"/administrator/index.php", S}, {"/connect/token", S}, {"/access/ticket", S},
	{"firstfactor", S}, {"/my.policy", S}, {"webvpn", S}, {"/security/usercheck", S},
	{"/administrator/enter.cfm", S},
	{"anmelden", S}, {"connexion", S}, {"iniciar-sesion", S}, {"/acceder", S}, {"/accedi", S},
	{"inloggen", S}, {"logga-in", S}, {"logowanie", S}, {"/entrar", S},
};
/* As values of a query: "x.php?controller=AdminLogin". */
static const struct conduct_word login_values[] = {
	{"=login", S}, {"adminlogin", S}, {"=user/login", S}, {"=account/login", S},
	{"=special:userlogin", S}, {"loginprovider=", S},
};
#undef S

void conduct_logins_prepare(struct conduct_lists *l)
{
	conduct_list_make(&l->logins, logins, WD_COUNT(logins));
	conduct_list_make(&l->login_values, login_values, WD_COUNT(login_values));
}

static bool ends(struct text_span s, const char *word)
{
	size_t len = strlen(word);

	return s.len >= len && memcmp(s.at + s.len - len, word, len) == 0;
}

/* All of phpMyAdmin's work is POSTs to its one page; who signs in names no other. */
static bool is_database_login(const char *path, struct text_span query)
{
	const char *at = strstr(path, "/phpmyadmin/"), *pma = strstr(path, "/pma/");

	if (at == NULL && pma == NULL)
		return false;
	at = at != NULL ? at + strlen("/phpmyadmin/") : pma + strlen("/pma/");
	return (*at == '\0' || strcmp(at, "index.php") == 0) &&
	       (query.len == 0 || ends(query, "route=/") || ends(query, "route=%2F"));
}

enum conduct_sort conduct_login_of(const struct conduct_lists *l, struct text_span path,
				   struct text_span query)
{
	char text[CONDUCT_TEXT_MAX + 1];

	if (path.len == 0 || path.len > 256 || ends(query, "for=jetpack") ||
	    starts(query, "for=jetpack&")) /* signed */
		return CONDUCT_NONE;
	size_t len = conduct_plain(text, path);
	if (conduct_list_find(&l->logins, text) != 0 || is_database_login(text, query))
		return CONDUCT_SURE;
	while (len > 0 && text[len - 1] == '/')
		len--;
	bool session = len >= 8 && (memcmp(text + len - 8, "/session", 8) == 0 ||
				    memcmp(text + len - 8, "_session", 8) == 0);
	if (query.len > 0) {
		conduct_plain(text, query);
		if (conduct_list_find(&l->login_values, text) != 0)
			return CONDUCT_SURE;
	}
	return session ? CONDUCT_PERHAPS : CONDUCT_NONE;
}

/* ---- files ---- */

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
	"webinspect", "dotdotpwn", "xsstrike", "golismero", "detectify", "interactsh",
	"projectdiscovery", "rustbuster", "appscan", "droopescan", "dalfox", "ghauri", "sslscan",
	"kiterunner", "gospider", "mozlila", "custom-asynchttpclient", "nvdorz", "leakix",
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
	"terraform", "applecoremedia", "exoplayer", "vlc/", "lavf", "lftp/", "aria2/", "zypp",
	"dataaccessd", "webdavfs", "qgis/", "josm/", "kubectl", "librepo", "synapse/",
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
			uint8_t *first = &a->first[conduct_chain_of(agents[list].words[i])];
			WD_CHECK(n < CONDUCT_AGENT_WORDS - 1);
			a->words[n] = (struct conduct_agent_word){
				.text = agents[list].words[i], .list = list, .next = *first};
			*first = (uint8_t)(n + 1);
		}
	}
}

enum conduct_agent conduct_agent_of(const struct conduct_agents *a, struct text_span agent)
{
	char text[CONDUCT_TEXT_MAX + 1];
	unsigned best = WD_COUNT(agents);

	if (agent.len == 0)
		return CONDUCT_UNTOLD;
	conduct_plain(text, agent);
	for (const char *at = text; *at != '\0' && best > 0; at++)
		for (unsigned i = a->first[conduct_chain_of(at)]; i != 0; i = a->words[i - 1].next)
			if (a->words[i - 1].list < best &&
			    conduct_begins_with(at, a->words[i - 1].text))
				best = a->words[i - 1].list;
	if (best < WD_COUNT(agents))
		return (enum conduct_agent)agents[best].agent;
	return starts(agent, "Mozilla/") || starts(agent, "Opera/") ? CONDUCT_BROWSER
								     : CONDUCT_LIBRARY;
}
