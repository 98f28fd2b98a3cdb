/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's path and agent tell: harmless, a page to sign in, a file; who asks. What only
 * somebody who searches asks for stands in conduct_words.c. */
#include "base/check.h"
#include "base/text.h"
#include "detect/conduct_inner.h"

#include <string.h>

/* ---- harmless ---- */

bool conduct_is_usual_miss(struct text_span path)
{
	static const char *const usual[] = {
		"/favicon", "/robots.txt", "/apple-touch-icon", "/.well-known/", "/sitemap",
		"/browserconfig.xml", "/ads.txt", "/app-ads.txt", "/humans.txt", "/security.txt",
		"/manifest.json", "/site.webmanifest", "/apple-app-site-association", "/sw.js",
		"/service-worker.js", "/crossdomain.xml", "/autodiscover/", "/Autodiscover/",
		"/AutoDiscover/", /* mail programs, of every domain */
	};

	for (size_t i = 0; i < WD_COUNT(usual) && path.len > 1; i++)
		if (path.at[1] == usual[i][1] && span_starts(path, usual[i]))
			return true;
	return false;
}

/* ---- where people sign in ---- */

#define S CONDUCT_SURE
static const struct conduct_word logins[] = {
	{"login", S}, {"logon", S}, {"log-in", S}, {"log_in", S}, {"signin", S}, {"sign-in", S},
	{"sign_in", S}, {"xmlrpc.php", S}, {"authenticate", S}, {"doauthentication", S},
	{"/auth", S}, {"security_check", S}, {"user_session", S}, {"/sessions", S},
	{"/account/verify", S}, {"otp", S}, {"/administrator/index.php", S}, {"/connect/token", S},
	{"/access/ticket", S}, {"firstfactor", S}, {"/my.policy", S}, {"webvpn", S},
	{"/security/usercheck", S}, {"/administrator/enter.cfm", S}, {"anmelden", S},
	{"connexion", S}, {"iniciar-sesion", S}, {"/acceder", S}, {"/accedi", S}, {"inloggen", S},
	{"logga-in", S}, {"logowanie", S}, {"/entrar", S},
};
/* As values of a query: "x.php?controller=AdminLogin". */
static const struct conduct_word login_values[] = {
	{"=login", S}, {"adminlogin", S}, {"=user/login", S}, {"=account/login", S},
	{"=special:userlogin", S}, {"loginprovider=", S}, {"=syno.api.auth", S},
};
#undef S

void conduct_logins_prepare(struct conduct_lists *l)
{
	conduct_list_make(&l->logins, logins, WD_COUNT(logins));
	conduct_list_make(&l->login_values, login_values, WD_COUNT(login_values));
}

/* All of phpMyAdmin's work is POSTs to its one page; who signs in names no other. */
static bool is_database_login(const char *path, struct text_span query)
{
	const char *at = strstr(path, "/phpmyadmin/"), *pma = strstr(path, "/pma/");

	if (at == NULL && pma == NULL)
		return false;
	at = at != NULL ? at + strlen("/phpmyadmin/") : pma + strlen("/pma/");
	return (*at == '\0' || strcmp(at, "index.php") == 0) &&
	       (query.len == 0 || span_ends(query, "route=/") || span_ends(query, "route=%2F"));
}

enum conduct_sort conduct_login_of(const struct conduct_lists *l, struct text_span path,
				   struct text_span query)
{
	char text[CONDUCT_TEXT_MAX + 1];

	if (path.len == 0 || path.len > 256 || span_ends(query, "for=jetpack") ||
	    span_starts(query, "for=jetpack&")) /* signed */
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

#define I CONDUCT_INJECTED
#define S CONDUCT_SCANNER
#define L CONDUCT_LOADER
#define C CONDUCT_CRAWLER
#define F CONDUCT_FETCHER
/* Of several the highest wins. */
static const struct conduct_word agents[] = {
	{"sqlmap", S}, {"nikto", S}, {"nmap", S}, {"masscan", S}, {"zgrab", S}, {"dirbuster", S},
	{"gobuster", S}, {"feroxbuster", S}, {"wpscan", S}, {"nuclei", S}, {"acunetix", S},
	{"nessus", S}, {"openvas", S}, {"w3af", S}, {"arachni", S}, {"netsparker", S},
	{"havij", S}, {"fimap", S}, {"zmeu", S}, {"jorgee", S}, {"muieblackcat", S},
	{"morfeus", S}, {"dirb", S}, {"wfuzz", S}, {"ffuf", S}, {"hydra", S}, {"joomscan", S},
	{"skipfish", S}, {"whatweb", S}, {"paros", S}, {"burp", S}, {"owasp zap", S},
	{"qualys", S}, {"jaeles", S}, {"commix", S}, {"l9explore", S}, {"l9tcpid", S},
	{"dirsearch", S}, {"fuzz faster", S}, {"hello, world", S}, {"gawa.sa", S}, {"cmsmap", S},
	{"webinspect", S}, {"dotdotpwn", S}, {"xsstrike", S}, {"golismero", S}, {"detectify", S},
	{"interactsh", S}, {"projectdiscovery", S}, {"rustbuster", S}, {"appscan", S},
	{"droopescan", S}, {"dalfox", S}, {"ghauri", S}, {"sslscan", S}, {"kiterunner", S},
	{"gospider", S}, {"mozlila", S}, {"custom-asynchttpclient", S}, {"nvdorz", S},
	{"leakix", S}, {"sqlninja", S}, {"libredtail", S}, {"toata dragostea", S},
	/* No agent, but an injection where the agent is put into a log or a page. */
	{"${jndi", I}, {"${${", I}, {"${lower", I}, {"${upper", I}, {"${::-", I}, {"${env:", I},
	{"() {", I}, {"<?php", I}, {"<script", I}, {"../../", I}, {":{s:", I}, {"system(", I},
	{"eval(", I}, {"sleep(", I}, {"(select ", I}, {"union select", I}, {"' or '", I},
	{"/bin/", I}, {"apachebench", L}, {"wrk/", L}, {"hey/", L}, {"siege", L}, {"jmeter", L},
	{"k6/", L}, {"vegeta", L}, {"bombardier", L}, {"slowhttptest", L}, {"goldeneye", L},
	{"hulk", L}, {"locust", L}, {"fasthttp", L}, {"http:", C}, {"https:", C}, {"bot", C},
	{"crawl", C}, {"spider", C}, {"slurp", C}, {"monitor", C}, {"uptime", C}, {"pingdom", C},
	{"statuscake", C}, {"health", C}, {"check", C}, {"probe", C}, {"facebookexternalhit", C},
	{"feed", C}, {"lighthouse", C}, {"prerender", C}, {"zabbix", C}, {"pip/", F}, {"npm/", F},
	{"yarn/", F}, {"pnpm/", F}, {"git/", F}, {"jgit/", F}, {"apt-http", F}, {"libdnf", F},
	{"urlgrabber", F}, {"pacman/", F}, {"apk-tools", F}, {"docker/", F}, {"containerd", F},
	{"podman", F}, {"aws-sdk", F}, {"aws-cli", F}, {"boto", F}, {"minio", F}, {"s3cmd", F},
	{"rclone", F}, {"restic", F}, {"mirall", F}, {"webdav", F}, {"davx", F}, {"davfs", F},
	{"gvfs", F}, {"composer/", F}, {"maven", F}, {"gradle", F}, {"cargo", F}, {"nuget", F},
	{"bundler", F}, {"conda/", F}, {"helm/", F}, {"terraform", F}, {"applecoremedia", F},
	{"exoplayer", F}, {"vlc/", F}, {"lavf", F}, {"lftp/", F}, {"aria2/", F}, {"zypp", F},
	{"dataaccessd", F}, {"webdavfs", F}, {"globalprotect", F}, {"anyconnect", F},
	{"openconnect", F}, {"fortisslvpn", F}, {"citrixreceiver", F}, {"qgis/", F}, {"josm/", F},
	{"kubectl", F}, {"librepo", F}, {"synapse/", F},
};
#undef I
#undef S
#undef L
#undef C
#undef F

void conduct_agents_prepare(struct conduct_lists *l)
{
	conduct_list_make(&l->agents, agents, WD_COUNT(agents));
}

enum conduct_agent conduct_agent_of(const struct conduct_lists *l, struct text_span agent)
{
	char text[CONDUCT_TEXT_MAX + 1];

	if (agent.len == 0)
		return CONDUCT_UNTOLD;
	conduct_plain(text, agent);
	unsigned found = conduct_list_find(&l->agents, text);
	if (found != 0)
		return (enum conduct_agent)found;
	return span_starts(agent, "Mozilla/") || span_starts(agent, "Opera/") ? CONDUCT_BROWSER
									      : CONDUCT_LIBRARY;
}
