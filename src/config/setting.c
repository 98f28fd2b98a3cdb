/* SPDX-License-Identifier: Apache-2.0 */
#include "config/setting.h"

#include "base/check.h"
#include "model/service.h"

#include <stdio.h>
#include <string.h>

const struct setting_type setting_section = {"mapping", NULL, NULL, NULL, NULL};

#define AT(member) .key = #member, .offset = offsetof(struct config, member)
#define SECTION(name, words) {.key = name, .type = &setting_section, .help = words}
#define COUNT(member, low, high, unit_, default_, words)                                           \
	{AT(member), .type = &setting_count_type, .min = (low), .max = (high), .unit = unit_,      \
	 .fallback = default_, .help = words}
/* What the HTTP server or the engine takes only when it starts. */
#define COUNT_FIXED(member, low, high, unit_, default_, words)                                     \
	{AT(member), .type = &setting_count_type, .min = (low), .max = (high), .unit = unit_,      \
	 .fallback = default_, .restart = true, .help = words}
#define PART(name, words) {.key = name, .help = words}

const struct setting settings[] = {
	{AT(listen), .type = &setting_listen, .min = 1, .max = CONFIG_LISTEN_MAX,
	 .fallback = "[\"127.0.0.1:8080\"]", .restart = true,
	 .help = "Where the server listens: IP address and port; `[::]:8080` is every address."},
	{AT(data_folder), .type = &setting_folder, .fallback = "whydown-data", .restart = true,
	 .help = "Journal and database. A relative path starts where the program was started."},
	{AT(log_level), .type = &setting_level, .fallback = "info",
	 .help = "The least that is logged: error, warning, info or debug."},
	{AT(trusted_proxies), .type = &setting_proxies, .min = 0, .max = CONFIG_PROXIES_MAX,
	 .fallback = "[]", .restart = true,
	 .help = "Proxies whose X-Forwarded-For is believed, and who may open many connections."},
	{AT(admin_token), .type = &setting_token, .min = 24, .max = 256,
	 .help = "Bearer token of the operator. Kept in memory as a hash only."},
	{.key = "admin_token_file",
	 .type = &setting_token_file,
	 .offset = offsetof(struct config, admin_token),
	 .help = "The same, from a file with nothing else in it."},

	SECTION("site", "What the pages say about themselves."),
	{AT(site.name), .type = &setting_text, .restart = true, .min = 1, .max = 80,
	 .unit = "bytes", .fallback = "whydown", .help = "Name of the site, on every page."},
	{AT(site.url), .type = &setting_url, .restart = true, .max = 200, .unit = "bytes",
	 .fallback = "\"\"",
	 .help = "Public address, for links in feeds and the API; empty: they are paths only."},
	{AT(site.contact), .type = &setting_contact, .restart = true, .max = 200, .unit = "bytes",
	 .fallback = "\"\"", .help = "Whom readers can write to."},

	{.key = "feeders",
	 .type = &setting_feeders,
	 .min = 0,
	 .max = CONFIG_FEEDERS_MAX,
	 .help = "Who may send observations in batches, each with a token."},
	PART("feeders[].name", "Stands with each of its observations: 1 to 48 of a-z 0-9 . _ -"),
	PART("feeders[].token", "Its bearer token, 24 to 256 letters, digits or -._~+/"),
	PART("feeders[].token_file", "The same, from a file with nothing else in it."),

	SECTION("limits", "What one client, and all together, may take."),
	COUNT_FIXED(limits.workers, 1, 64, "threads", "1", "Threads that serve HTTP."),
	COUNT_FIXED(limits.connections_max, 16, 1000000, "", "20000",
		    "Connections at one time, event streams included."),
	COUNT_FIXED(limits.connections_per_address_max, 1, 1000000, "", "40",
		    "The same from one IPv4 address or IPv6 /64."),
	COUNT_FIXED(limits.accepts_per_s_max, 1, 1000000, "per second", "5000",
		    "New connections, all addresses."),
	COUNT_FIXED(limits.accepts_per_address_per_s_max, 1, 1000000, "per second", "50",
		    "New connections of one address."),
	COUNT_FIXED(limits.streams_max, 0, 1000000, "", "12000", "Event streams at one time."),
	COUNT_FIXED(limits.streams_per_address_max, 0, 1000000, "", "16",
		    "The same to one address."),
	COUNT_FIXED(limits.head_ms, 100, 600000, "ms", "10000",
		    "From connecting to the end of the first request's head."),
	COUNT_FIXED(limits.idle_ms, 100, 600000, "ms", "30000",
		    "From an answer to the end of the next head."),
	COUNT_FIXED(limits.body_ms, 100, 600000, "ms", "15000", "For a request's body."),
	COUNT_FIXED(limits.answer_ms, 100, 600000, "ms", "10000",
		    "For an answer that waits for the disk; then 503."),
	COUNT_FIXED(limits.write_ms, 100, 600000, "ms", "30000",
		    "For sending one answer, or for how long a stream may be stuck."),
	COUNT_FIXED(limits.heartbeat_ms, 1000, 600000, "ms", "15000",
		    "A sign of life on quiet event streams."),
	COUNT(limits.report_bytes_max, 256, 8192, "bytes", "8192", "Body of one report."),
	COUNT(limits.observations_bytes_max, 1024, 67108864, "bytes", "4194304",
	      "Body of one batch of a feeder."),
	COUNT_FIXED(limits.bodies_bytes_max, 65536, 1073741824, "bytes", "67108864",
		    "All bodies being read by one worker."),
	COUNT(limits.reports_per_address_per_min_max, 1, 60000000, "per minute", "30",
	      "Reports of one IPv4 address or IPv6 /64."),
	COUNT(limits.reports_burst_per_address, 1, 1000000, "", "10",
	      "So many of them at once before that rate holds."),
	COUNT(limits.reports_per_s_max, 1, 1000000, "per second", "50000",
	      "Reports of all clients together."),
	COUNT(limits.observations_per_feeder_per_s_max, 1, 10000000, "per second", "100000",
	      "Observations of one feeder."),

	SECTION("places", "Which country, city and network an address is in: MaxMind DB files."),
	{AT(places.country_file), .type = &setting_file, .fallback = "builtin",
	 .help = "Countries; `builtin` is the file that came with the set-up."},
	{AT(places.city_file), .type = &setting_file, .fallback = "\"\"",
	 .help = "Cities and regions; empty: not looked up."},
	{AT(places.network_file), .type = &setting_file, .fallback = "\"\"",
	 .help = "Networks (AS numbers); empty: not looked up."},

	SECTION("storage", "How long what is kept. Incidents are kept for ever."),
	COUNT(storage.snapshot_s, 1, 86400, "s", "60",
	      "Between two snapshots of the engine's state: what a restart replays at most."),
	COUNT(storage.reports_days, 1, 36500, "days", "400",
	      "Reports and counts, without their comments."),
	COUNT(storage.comments_days, 0, 36500, "days", "30",
	      "Comments, whoever decided on them or nobody; 0: not kept."),

	SECTION("detection", "When unusual becomes an incident (docs/methods.md)."),
	{AT(detection.false_incidents_per_month), .type = &setting_number, .min = 0, .max = 100000,
	 .unit = "per month", .fallback = "5", .restart = true,
	 .help = "Accepted false incidents, all services together; 0: one for each observed "
		 "service."},
	COUNT_FIXED(detection.persons_floor, 1, 1000000, "persons", "5",
		    "An incident needs reports of so many persons."),
	COUNT_FIXED(detection.networks_floor, 1, 100000, "networks", "3",
		    "… in so many networks, where networks are known."),
	COUNT_FIXED(detection.signals_per_service_max, 8, 120, "", "64",
		    "Signals of one service: total, surfaces, problems, places, networks."),
	COUNT_FIXED(detection.services_max, 1, SERVICES_MAX, "", "10000",
		    "Services that are tracked."),
	COUNT_FIXED(detection.flood_packets_per_s_floor, 1, 1000000000, "per second", "1000",
		    "So many packets above usual are the least that is called a flood."),
	COUNT_FIXED(detection.flood_bits_per_s_floor, 1000, 4000000000, "per second", "10000000",
		    "… or so many bits."),
	COUNT_FIXED(detection.services_watched_max, 1, SERVICES_MAX, "", "1000",
		    "Services whose traffic or requests are judged."),
	COUNT_FIXED(detection.persons_max, 1024, 268435456, "", "1048576",
		    "Persons told apart in a quarter of an hour."),
	COUNT_FIXED(detection.incidents_max, 16, 10000000, "", "10000",
		    "Incidents in memory, for ranks and pages; the least severe go first."),

	SECTION("telemetry", "Traffic to the services' addresses and hosts (docs/telemetry.md)."),
	{AT(telemetry.listen), .type = &setting_listen, .min = 0, .max = CONFIG_LISTEN_MAX,
	 .fallback = "[]", .restart = true,
	 .help = "Where NetFlow, IPFIX and sFlow come in over UDP, such as `[::]:2055`; all on one "
		 "port if wanted."},
	COUNT_FIXED(telemetry.threads, 0, 64, "threads", "0",
		    "Each with its own sockets; 0: one for each core."),
	COUNT_FIXED(telemetry.receive_buffer_bytes, 65536, 1073741824, "bytes", "33554432",
		    "Kernel's buffer of each socket; more than net.core.rmem_max needs "
		    "CAP_NET_ADMIN."),
	{AT(telemetry.exporters), .type = &setting_exporters, .max = CONFIG_EXPORTERS_MAX,
	 .fallback = "[127.0.0.0/8, \"::1\", 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, "
		     "\"fc00::/7\", \"fe80::/10\"]",
	 .help = "Who may send exports and syslog: prefixes. The default is this machine and "
		 "private addresses; `[]` is nobody."},
	PART("telemetry.exporters[].address", "Address or prefix; the longest that fits counts."),
	PART("telemetry.exporters[].sampling",
	     "One packet in so many was looked at, where the export does not say it: 1 to "
	     "16777216."),
	COUNT_FIXED(telemetry.exporters_max, 1, 65536, "", "256",
		    "Exporters whose templates and sequence numbers a thread remembers."),
	{AT(telemetry.capture), .type = &setting_interfaces, .max = CONFIG_INTERFACES_MAX,
	 .fallback = "[]", .restart = true,
	 .help = "Interfaces whose packets are looked at (needs CAP_NET_RAW)."},
	{AT(telemetry.capture_xdp), .type = &setting_interfaces, .max = CONFIG_INTERFACES_MAX,
	 .fallback = "[]", .restart = true,
	 .help = "Mirror ports whose frames are taken by AF_XDP, a thread for each receive queue: "
		 "the system does not see them any more (needs CAP_NET_ADMIN, CAP_BPF)."},
	COUNT_FIXED(telemetry.capture_threads, 1, 64, "threads", "1",
		    "For each interface of `capture`; packets of one flow stay in one."),
	COUNT_FIXED(telemetry.capture_ring_bytes, 1048576, 1073741824, "bytes", "33554432",
		    "Ring of each of these threads."),
	{AT(telemetry.capture_promiscuous), .type = &setting_switch, .fallback = "false",
	 .restart = true,
	 .help = "Take in what is not addressed to this machine: for a mirror port."},
	{AT(telemetry.logs), .type = &setting_logs, .max = CONFIG_LOGS_MAX, .fallback = "[]",
	 .restart = true, .help = "Access logs that are followed, across rotation, too."},
	PART("telemetry.logs[].path", "File, seen from the folder of this one."),
	PART("telemetry.logs[].service",
	     "Id of the service; else the one whose `hosts` has a line's host."),
	PART("telemetry.logs[].format", "Else found out from its lines (docs/telemetry.md)."),
	{AT(telemetry.syslog), .type = &setting_listen, .min = 0, .max = CONFIG_LISTEN_MAX,
	 .fallback = "[]", .restart = true,
	 .help = "Where access log lines come in as syslog, over UDP and TCP."},
	COUNT_FIXED(telemetry.ticks_bytes, 1048576, 1073741824, "bytes", "6291456",
		    "Queue of each thread to the engine; what does not fit comes later, in "
		    "wider ticks."),

	SECTION("pages", "How pages are made."),
	COUNT(pages.refresh_ms, 50, 60000, "ms", "250",
	      "Between two renderings of the pages, at least, while something changes."),

	{.key = "services_from",
	 .type = &setting_files,
	 .min = 0,
	 .max = CONFIG_FILES_MAX,
	 .fallback = "[builtin]",
	 .help = "Catalogue files, read in this order; `builtin` is the one that comes with the "
		 "program."},
	{.key = "surfaces",
	 .type = &setting_catalogue,
	 .help = "Ways into a service: `id: name`, added to those of the files."},
	{.key = "problems",
	 .type = &setting_catalogue,
	 .help = "Kinds of problem: `id: name`, added to those of the files."},
	{.key = "categories",
	 .type = &setting_catalogue,
	 .help = "What services of a kind have where they say nothing else: `id: {…}`."},
	PART("categories{}.surfaces", "List of ids of surfaces."),
	PART("categories{}.problems", "List of ids of problems."),
	PART("categories{}.time_zone",
	     "Where most of the audience lives, such as Europe/London; else UTC."),
	{.key = "services",
	 .type = &setting_catalogue,
	 .help = "Services; an id that is there already changes the keys that are given."},
	PART("services[].id", "1 to 64 of a-z, 0-9 and, not first or last, . _ -"),
	PART("services[].name", "As people write it."),
	PART("services[].aliases",
	     "Other names people use, at most 16; no two services share one."),
	PART("services[].category", "Id of a category; else `other`."),
	PART("services[].surfaces",
	     "List of ids of surfaces, at most 16; else those of its category."),
	PART("services[].problems",
	     "List of ids of problems, at most 24; else those of its category."),
	PART("services[].links", "`name: address`, at most 8, such as its own status page."),
	PART("services[].relies_on",
	     "Ids of services it is publicly known to rely on, at most 16."),
	PART("services[].time_zone", "Where most of its audience lives; else as its category."),
	PART("services[].addresses",
	     "Addresses and prefixes traffic to which is its own, at most 4096; the longest of all "
	     "wins."),
	PART("services[].hosts", "Host names in access logs that are its own, at most 256."),
};
const size_t setting_count = WD_COUNT(settings);

static const struct setting *setting_find(const char *prefix, const char *key)
{
	size_t prefix_len = strlen(prefix);
	if (strpbrk(key, ".[{") != NULL)
		return NULL; /* `limits.head_ms` is our way to say it, not a key */
	for (size_t i = 0; i < setting_count; i++) {
		if (strncmp(settings[i].key, prefix, prefix_len) == 0 &&
		    strcmp(settings[i].key + prefix_len, key) == 0)
			return &settings[i];
	}
	return NULL;
}

/* Keys of the same mapping as `prefix` says, for guessing and listing. */
static size_t keys_of(const char *prefix, const char *keys[WD_COUNT(settings)])
{
	size_t count = 0, prefix_len = strlen(prefix);
	for (size_t i = 0; i < setting_count; i++) {
		const char *rest = settings[i].key + prefix_len;
		if (strncmp(settings[i].key, prefix, prefix_len) == 0 &&
		    strpbrk(rest, ".[{") == NULL)
			keys[count++] = rest;
	}
	return count;
}

static void tell_unknown(struct problems *p, const char *prefix, const struct doc_node *n)
{
	const char *keys[WD_COUNT(settings)];
	size_t count = problems_full(p) ? 0 : keys_of(prefix, keys);
	char right[PROBLEM_TEXT_MAX];
	const char *nearest = nearest_word(n->key, keys, count);

	if (nearest != NULL) {
		snprintf(right, sizeof(right), "did you mean `%s`?", nearest);
	} else {
		size_t at = (size_t)snprintf(right, sizeof(right), "one of");
		for (size_t i = 0; i < count && at < sizeof(right); i++)
			at += (size_t)snprintf(right + at, sizeof(right) - at, "%s %s",
					       i == 0 ? "" : ",", keys[i]);
	}
	problems_add(p, n->at, right, "unknown key `%s%s`", prefix, n->key);
}

void settings_check_keys(struct problems *p, const char *prefix, const struct doc_node *map)
{
	for (const struct doc_node *n = map->first; n != NULL; n = n->next) {
		if (setting_find(prefix, n->key) == NULL)
			tell_unknown(p, prefix, n);
	}
}

/* A key with nothing behind it, such as a section all of whose lines are comments,
 * leaves the defaults. */
static bool says_nothing(const struct doc_node *n)
{
	return n->kind == DOC_SCALAR && n->plain && n->text[0] == '\0';
}

static void read_section(struct config_reader *r, const struct setting *s, const struct doc_node *n)
{
	char prefix[64];
	if (n->kind != DOC_MAP) {
		problems_add(r->problems, n->at, "lines of `key: value`, indented below it",
			     "`%s` is not a mapping", s->key);
		return;
	}
	snprintf(prefix, sizeof(prefix), "%s.", s->key);
	settings_read(r, prefix, n);
}

void settings_read(struct config_reader *r, const char *prefix, const struct doc_node *map)
{
	for (const struct doc_node *n = map->first; n != NULL; n = n->next) {
		const struct setting *s = setting_find(prefix, n->key);
		if (s == NULL || s->type == NULL)
			tell_unknown(r->problems, prefix, n);
		else if (says_nothing(n))
			continue;
		else if (s->type == &setting_section)
			read_section(r, s, n);
		else
			s->type->read(r, s, n);
	}
}

void settings_default(struct config_reader *r)
{
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];
		struct doc *doc;
		if (s->fallback == NULL)
			continue;
		if (doc_read("", s->fallback, strlen(s->fallback), &doc, r->problems) != WD_OK) {
			r->nomem = true; /* the table is tested: nothing else can fail */
			return;
		}
		s->type->read(r, s, doc_root(doc));
		doc_free(doc);
	}
	r->services_from_node = NULL; /* it went with its document */
}
