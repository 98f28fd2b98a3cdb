/* SPDX-License-Identifier: Apache-2.0 */
/* What a request's own words give away. The lists are general: what scanners of all kinds ask
 * for and what injections are made of, not one scanner's list. */
#include "base/check.h"
#include "base/text.h"
#include "detect/conduct_inner.h"

#include <string.h>

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
#define A CONDUCT_PRODUCT
#define P CONDUCT_PERHAPS

/* Perhaps: an owner may have it, so it must be refused. Product: of an appliance or a program that
 * has a host to itself; who asks another host for it searches. Sure: no page leads there, whatever
 * is answered (many sites answer 200 to everything), but those of a site that shows source code.
 * Hole: what an attack on one product, or on who attacked before, begins with. */
static const struct conduct_word spots[] = {
	/* files that tell */
	{"/.env", S}, {"/.git/", S}, {"/.hg/", S}, {"/.svn/", S}, {"/.aws", S}, {"/.ssh", S},
	{"/.htpasswd", S}, {"/.htaccess", S}, {"/.vscode", S}, {"/.idea", S}, {"/.docker", S},
	{"/.kube/", S}, {"/.bash_history", S}, {"/.npmrc", S}, {"/.config/", S}, {"/.s3cfg", S},
	{"/id_rsa", S}, {"/id_ed25519", S}, {"/id_dsa", S}, {"/wp-config", P},
	{"/wp-config.php.", S}, {"/wp-config.php~", S}, {"/wp-config.bak", S},
	{"/wp-config.old", S}, {"/wp-config.txt", S}, {"/.wp-config", S}, {"/web-inf/", P},
	{"web.config", P}, {"/appsettings.", P}, {"/dockerfile", P}, {"win.ini", P},
	{"boot.ini", P}, {"/backup", P}, {"/etc/passwd", A}, {"/etc/shadow", A}, {"/proc/self", A},
	{"/dump.", P}, {"/db.sql", P}, {"/database.sql", P}, {"/database.yml", P},
	{"/config.json", P}, {"/config.yml", P}, {"/config.php", P}, {"/configuration.php", P},
	{"/config.inc.php", P}, {"/credentials", P}, {"-credentials", P}, {"/secrets", P},
	{"/docker-compose", P}, {"/sftp-config", P}, {"terraform.tfstate", A},
	{"/serviceaccount", P}, {"/service-account", P}, {"firebase-adminsdk", A},
	{"/privatekey", P}, {"/server.key", A}, {"/storage/logs/", P}, {"/_debugbar/", P},
	{"/_profiler", P}, {"/elmah.axd", A}, {"/trace.axd", A}, {"phpinfo", P},
	{"/server-status", P}, {"/server-info", P}, {"/changelog.txt", P},
	/* what runs on many hosts */
	{"/wp-admin/install", P}, {"/wp-admin/setup-config", P}, {"/xmlrpc.php", P},
	{"/wp-content/plugins/", P}, {"/wlwmanifest.xml", P}, {"/wp-login.php", P},
	{"/wp-json/wp/v2/users", P}, {"/installer-backup.php", A}, {"timthumb.php", P},
	{"phpmyadmin", P}, {"/pma/", P}, {"/adminer", P}, {"/dbadmin", P}, {"/mysql-admin", P},
	{"/mysqladmin", P}, {"/sqladmin", P}, {"/scripts/setup.php", A}, {"/phpunit", P},
	{"eval-stdin", H}, {"/htmlawedtest", H}, {"/administrator/", P}, {"/admin/config", P},
	{"/cgi-bin/", P}, {"/awstats.pl", A}, {"/cpanel", P}, {"/telescope", P},
	{"/_ignition/execute-solution", H}, {"/ajax/render/widget_php", H},
	{"/ajax/render/widget_tabbedcontainer", H}, {"/replaceadtemplate", H},
	{"/api/index.php/v1/config", H}, {"/api/index.php/v1/users", A}, {"/mw-config/", P},
	{"/graphapi/vendor", H}, {"/getphpinfo.php", H}, {"/remote_agent.php", H},
	{"/ftp/getresetstatus", H}, {"/databases/upgrademysql", H}, {"/password_change.cgi", A},
	{"/session_login.cgi", A}, {"/mboximport", H}, {"/php-cgi.exe", A}, {"/@fs/", P},
	{"/fckeditor/", P}, {"/kcfinder/", P}, {"/elfinder/", P}, {"/jquery-file-upload/", P},
	{"/connector.minimal.php", P},
	/* Java */
	{"/actuator", P}, {"/actuator/gateway", H}, {"/functionrouter", H}, {"/druid/", P},
	{"/invoker/readonly", H}, {"/invoker/ejbinvoker", H}, {"/invoker/jmxinvoker", H},
	{"/hudson", P}, {"/securityrealm/user/", H}, {"/wls-wsat/", H},
	{"/_async/asyncresponse", H}, {"console.portal", A}, {"/server-info.action", H},
	{"/setup/setupadministrator.action", H}, {"/setup/finishsetup.action", H},
	{"/json/setup-restore", H}, {"/template/aui/text-inline.vm", H},
	{"/template/custom/content-editor", H}, {"/createpage-entervariables.action", H},
	{"/doenterpagevariables.action", H}, {"/tinymce/1/macro/preview", H},
	{"/servlet/oauth/users/icon-uri", H}, {"/webtools/control/xmlrpc", H},
	{"/control/programexport", H}, {"/control/main/programexport", H},
	{"/control/forgotpassword/programexport", H}, {"bsh.servlet.bshservlet", H},
	{"/developmentserver/metadatauploader", H}, {"/restapi/logoncustomization", H},
	/* Windows */
	{"/toolpane.aspx", H}, {"/spinstall0", H}, {"/_layouts/", P}, {"/setupwizard.aspx", H},
	{"/human2.aspx", H}, {"/guestaccess.aspx", A}, {"/telerik.web.ui.webresource.axd", H},
	{"/telerik.web.ui.dialog", A}, {"/aspnet_client/", P}, {"/autodiscover.json", P},
	{"/i18n.ashx", A}, {"/scripts/root.exe", H},
	/* gateways, firewalls, hypervisors; '+' is read as a space */
	{"/remote/fgt_lang", H}, {"/api/v2/cmdb/system/admin", H}, {"/api/v2.0/cmdb/", A},
	{"/cgi-bin/fwbcgi", H}, {"/ssl-vpn/hipreport", H}, {"/php/ztp_gate.php", H},
	{"/createremoteappwebsession", H}, {"/vpns/cfg/", H}, {"/vpns/portal/", H},
	{"/vpns/services", H}, {"/vpn/index.html", A}, {"/oauth/idp/", P}, {"/oauth/rp/", P},
	{"/p/u/doauthentication.do", A}, {"/mgmt/tm/util/bash", H},
	{"/mgmt/shared/authn/login", H}, {"/mifs/aad/", H}, {"/mifs/rs/api/v2/featureusage", H},
	{"/totp/user-backup-code/../", H}, {"/jarrewrite.sh", H}, {"/sslvpnclient", H},
	{"/cgi-bin/supportinstaller", H}, {"/ztp/cgi-bin/handler", H}, {"/clients/mycrl", H},
	{"/webui/logoutconfirm", H}, {"/h5-vsan/rest/proxy", H}, {"/uploadova", H},
	{"/eam/vib", H}, {"/analytics/telemetry/ph/api", H}, {"/analytics/ph/api", H},
	/* routers, cameras, storage */
	{"/boaform", H}, {"/boafrm", H}, {"/gponform", H}, {"/setup.cgi", A}, {"/luci", P},
	{"/ctrlt/deviceupgrade", H}, {"/nas_sharing.cgi", H}, {"/picsdesc.xml", H},
	{"/wanipcn.xml", H}, {"/ud/act", H}, {"/kerbynet", H}, {"/board.cgi", A},
	{"/editblackandwhitelist", H}, {"/sdk/weblanguage", H}, {"/webapi/query.cgi", A},
	{"/webapi/auth.cgi", A}, {"/authlogin.cgi", A}, {"/main_login.asp", A}, {"/appget.cgi", A},
	{"/cgi-bin/config.exp", H}, {"/export_debug_msg", H}, {"/device.rsp", A},
	{"/currentsetting.htm", A}, {"/tmunblock.cgi", H}, {"/hndunblock.cgi", H},
	{"/mainfunction.cgi", H}, {"/viewlog.asp", A}, {"/set_ftp.cgi", H}, {"/getcfg.php", A},
	/* left behind by who attacked before */
	{"/c99", P}, {"/r57", P}, {"webshell", P}, {"shell.php", P}, {"/wso.php", P}, {"/alfa", P},
	{"/b374k", P}, {"/indoxploit", P}, {"/cmd.php", P}, {"/c99.php", H}, {"/r57.php", H},
	{"/c99shell.php", H}, {"/r57shell.php", H}, {"/wso.php", H}, {"/b374k.php", H},
	{"/alfacgiapi", H}, {"/wp-conflg", H}, {"/muieblackcat", H}, {"/zmeu", H},
	{"/w00tw00t", H}, {"/nice ports", H},
};

/* What the addresses of a product begin with. */
static const struct conduct_word products[] = {
	/* what runs on many hosts */
	{"/nagiosxi/", A}, {"/nagiosql/", A}, {"/_ignition", A}, {"/magento_version", A},
	{"/admin/cms_wysiwyg", A}, {"/index.php/admin/cms_wysiwyg", A},
	{"/customer/address_file", A}, {"/cpanelwebcall/", A}, {"/zimbraadmin", A},
	{"/php-cgi/", A}, {"/cgi-bin/php", A}, {"/ajax-api/", A},
	/* Java */
	{"/jolokia", A}, {"/heapdump", A}, {"/solr/admin", A}, {"/druid/indexer", A},
	{"/manager/html", A}, {"/manager/text", A}, {"/manager/status", A}, {"/host-manager/", A},
	{"/examples/servlets", A}, {"/jmx-console", A}, {"/web-console", A}, {"/invoker/", A},
	{"/scripttext", A}, {"/struts", A}, {"/axis2", A}, {"/api/jsonws", A},
	{"/uddiexplorer/", A}, {"/console/login/loginform", A}, {"/ibm/console", A},
	{"/docpicker/", A}, {"/secure/contactadministrators", A}, {"/secure/popups/", A},
	{"/secure/viewuserhover", A}, {"/webtools/control/", A}, {"/app/rest/", A},
	{"/service/extdirect", A}, {"/nexus/service/", A}, {"/rest/beta/repositories", A},
	{"/admin/test/systemproperties", A}, {"/crx/de", A}, {"/bin/querybuilder", A},
	{"/libs/granite", A}, {"/nacos/", A}, {"/xxl-job-admin", A},
	{"/webreport/reportserver", A}, {"/webroot/decision", A}, {"/seeyon/", A},
	{"/jobmanager/logs", A}, {"/jars/upload", A}, {"/ws/v1/cluster", A}, {"/oa_html/", A},
	{"/psigw/", A}, {"/irj/", A}, {"/ctcwebservice", A}, {"/sap/public", A}, {"/sap/bc/", A},
	{"/webdynpro/", A}, {"/cfide/", A}, {"/restapi/connection", A},
	{"/samlresponseservlet", A}, {"/goanywhere/", A}, {"/catalog-portal/", A},
	{"/containers/json", A}, {"/containers/create", A}, {"/api/v1/validate/code", A},
	{"/v1/agent/", A}, {"/v1/catalog/services", A}, {"/api/timelion/run", A},
	/* Windows */
	{"/_api/web/", A}, {"/_vti_pvt/", A}, {"/owa/auth/", A}, {"/ecp/", A}, {"/moveitisapi", A},
	{"/webinterface/function", A}, {"/desktopmodules/", A}, {"/msadc/", A},
	/* gateways, firewalls, hypervisors; '+' is read as a space */
	{"/remote/logincheck", A}, {"/remote/login", A}, {"/remote/info", A}, {"/remote/error", A},
	{"/api/v2/cmdb/", A}, {"/api/fabric/", A}, {"/ssl-vpn/", A}, {"/global-protect/", A},
	{"/dana-na", A}, {"/dana-ws", A}, {"/dana/html5acc", A}, {"/logon/logonpoint", A},
	{"/nf/auth/", A}, {"/ cscoe ", A}, {"/ cscot ", A}, {"/ cscou ", A}, {"/ webvpn ", A},
	{"/tmui/", A}, {"/mgmt/tm/", A}, {"/mifs/", A}, {"/__api__/", A}, {"/api/sonicos", A},
	{"/userportal/", A}, {"/webconsole/", A}, {"/cgi-mod/", A}, {"/level/15/", A},
	{"/suite-api/", A}, {"/casa/nodes", A}, {"/vco/api", A}, {"/websso/saml2", A},
	/* routers, cameras, storage */
	{"/hnap1", A}, {"/goform/", A}, {"/cgi-bin/luci", A}, {"/cgi-bin/supervisor/", A},
	{"/cgi-bin/nobody/", A}, {"/system/configurationfile", A}, {"/onvif-http/", A},
	{"/security/users", A}, {"/isapi/", A}, {"/rpc2_login", A}, {"/current_config/", A},
	{"/axis-cgi/", A}, {"/incl/image_test", A}, {"/webman/", A}, {"/photo/p/api", A},
	{"/cgi-bin/filemanager", A}, {"/webfig", A}, {"/cgi-bin/webproc", A}, {"/backupmgt/", A},
};

static const struct { char text[8]; } endings[] = {
	{".bak"}, {".old"}, {".orig"}, {".save"}, {".swp"}, {".sql"}, {".sql.gz"}, {".php~"},
	{".inc"}, {".mdb"}, {".pem"}, {".key"}, {".cfg"}, {".conf"}, {".env"},
};
/* Such are fetched from folders for them; beside the first page lies the whole site. */
static const struct { char text[8]; } archives[] = {
	{".tar.gz"}, {".tgz"}, {".zip"}, {".rar"}, {".7z"},
};

static bool ends_with(const char *text, size_t len, const char *ending)
{
	size_t n = strlen(ending);

	return len > n && memcmp(text + len - n, ending, n) == 0;
}

/* A file or folder that is hidden, at any depth. */
static bool is_hidden(const char *text)
{
	const char *at = strstr(text, "/.");

	return at != NULL && at[2] >= 'a' && at[2] <= 'z' &&
	       !conduct_begins_with(at, "/.well-known");
}

static bool is_product(const struct conduct_list *l, const char *text)
{
	for (unsigned i = l->first[conduct_chain_of(text)]; i != 0; i = l->next[i - 1])
		if (conduct_begins_with(text, l->words[i - 1].text))
			return true;
	return false;
}

enum conduct_sort conduct_spot_of(const struct conduct_lists *l, struct text_span path)
{
	char text[CONDUCT_TEXT_MAX + 1];
	size_t len = conduct_plain(text, path);
	unsigned sort = conduct_list_find(&l->spots, text);

	if (sort < A && is_product(&l->products, text))
		return A;
	/* Which plugins there are, and how old, is what their texts tell. */
	if (sort == P && ends_with(text, len, "/readme.txt") &&
	    strstr(text, "/wp-content/") != NULL)
		return S;
	if (sort != 0 || memrchr(text, '.', len) == NULL)
		return (enum conduct_sort)sort;
	if (is_hidden(text))
		return P;
	for (size_t i = 0; i < WD_COUNT(endings); i++)
		if (ends_with(text, len, endings[i].text))
			return P;
	for (size_t i = 0; i < WD_COUNT(archives) && strchr(text + 1, '/') == NULL; i++)
		if (ends_with(text, len, archives[i].text))
			return P;
	return CONDUCT_NONE;
}
#undef H
#undef S
#undef A
#undef P

void conduct_lists_prepare(struct conduct_lists *l)
{
	conduct_list_make(&l->spots, spots, WD_COUNT(spots));
	conduct_list_make(&l->products, products, WD_COUNT(products));
	conduct_injections_prepare(l);
	conduct_logins_prepare(l);
	conduct_agents_prepare(l);
}
