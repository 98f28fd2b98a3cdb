/* SPDX-License-Identifier: Apache-2.0 */
/* config: the configuration, checked: one YAML file (and the catalogue files it names) in,
 * plain structs out. Every setting, its default, range and meaning stand in one table
 * (setting.c); docs/configuration.md is made from it.
 *
 * A loaded configuration never changes; a reload makes a new one beside it. */
#ifndef WD_CONFIG_CONFIG_H
#define WD_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "config/problems.h"
#include "model/service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONFIG_FILE_BYTES_MAX = 16 << 20, /* of each file */
	CONFIG_LISTEN_MAX = 16,
	CONFIG_PROXIES_MAX = 64,
	CONFIG_FEEDERS_MAX = 256,
	CONFIG_FILES_MAX = 64, /* catalogue files */
	CONFIG_EXPORTERS_MAX = 1024,
	CONFIG_INTERFACES_MAX = 16,
	CONFIG_LOGS_MAX = 64,
	CONFIG_LOG_FORMAT_MAX = 400, /* bytes */
	CONFIG_TOKEN_LEN_MIN = 24,
	CONFIG_TOKEN_LEN_MAX = 256,
};

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* A bearer token is kept as its BLAKE2b hash only. */
struct token { bool set; uint8_t hash[32]; };

struct feeder {
	char *name; /* text_is_id, at most OBSERVATION_FEEDER_MAX */
	struct token token;
	uint32_t line; /* where it stands */
};

struct config_site {
	char *name;    /* on every page */
	char *url;     /* public address, no slash at its end; "" = taken from the request */
	char *contact; /* mail address or URL; "" = none */
};

/* Units stand in the names; *_max is a maximum at one moment. */
struct config_limits {
	uint32_t workers; /* threads that serve HTTP */
	uint32_t connections_max;
	uint32_t connections_per_address_max; /* an IPv4 address or an IPv6 /64, here and below */
	uint32_t accepts_per_s_max;
	uint32_t accepts_per_address_per_s_max;
	uint32_t streams_max;
	uint32_t streams_per_address_max;
	uint32_t head_ms, idle_ms, body_ms, answer_ms, write_ms, heartbeat_ms;
	uint32_t report_bytes_max;       /* body of one report */
	uint32_t observations_bytes_max; /* body of one batch of a feeder */
	uint32_t bodies_bytes_max;       /* all bodies being read, a worker */
	uint32_t reports_per_address_per_min_max;
	uint32_t reports_burst_per_address; /* so many at once before that rate holds */
	uint32_t reports_per_s_max;         /* all clients together */
	uint32_t observations_per_feeder_per_s_max;
};

/* MaxMind DB files; "" = not looked up. */
struct config_places {
	char *country_file;
	char *city_file;
	char *network_file;
};

/* Incidents are kept for ever. */
struct config_storage {
	uint32_t snapshot_s; /* between two snapshots of the engine's state */
	uint32_t reports_days;
	uint32_t comments_days;
};

struct config_detection {
	double false_incidents_per_month; /* all services together; 0 = one per observed service */
	uint32_t persons_floor;
	uint32_t networks_floor;
	uint32_t signals_per_service_max;
	uint32_t services_max;
	uint32_t flood_packets_per_s_floor;
	uint32_t flood_bits_per_s_floor;
	uint32_t services_watched_max;
	uint32_t persons_max;
	uint32_t incidents_max;
};

/* Who may send flow exports and syslog lines. */
struct config_exporter {
	struct address_block block;
	uint32_t sampling; /* one in so many, where the export itself does not say; 0 = not said */
};
struct config_exporters { struct config_exporter *items; size_t count; };

/* An access log that is followed. */
struct config_log {
	char *path;
	char *service; /* whose requests they are; "" = the service whose `hosts` has the host */
	char *format;  /* "" = found out from its lines */
	uint32_t line; /* where it stands */
};
struct config_logs { struct config_log *items; size_t count; };

struct config_telemetry {
	struct text_list listen; /* UDP: flow exports */
	uint32_t threads;        /* each with a socket for each of `listen`; 0 = one a core */
	uint32_t receive_buffer_bytes; /* a socket's */
	struct config_exporters exporters;
	uint32_t exporters_max;  /* remembered at one time, a thread */
	struct text_list capture; /* interfaces */
	struct text_list capture_xdp; /* interfaces, which are ours alone */
	uint32_t capture_threads; /* an interface's */
	uint32_t capture_ring_bytes; /* a thread's */
	bool capture_promiscuous;
	struct config_logs logs;
	struct text_list syslog; /* UDP and TCP: access log lines */
	uint32_t ticks_bytes;    /* a thread's queue to the engine */
};

struct config_pages {
	uint32_t refresh_ms; /* between two renderings */
};

struct config {
	char *file; /* as it was given; NULL = defaults only */
	struct text_list listen;  /* "127.0.0.1:8080", "[::1]:0" */
	char *data_folder;
	enum log_level log_level;
	struct config_site site;
	struct text_list trusted_proxies; /* addresses or prefixes: "10.0.0.0/8" */
	struct token admin_token;
	struct feeder *feeders;
	size_t feeder_count;
	struct config_limits limits;
	struct config_places places;
	struct config_storage storage;
	struct config_detection detection;
	struct config_telemetry telemetry;
	struct config_pages pages;
	struct catalogue *catalogue; /* held */
};

/* Reads the file, or takes the defaults when it is NULL, with the catalogue that comes with
 * the program unless the file names others. On failure (WD_MALFORMED, WD_OS, WD_NOMEM)
 * `problems` says why; it may hold warnings on success. Any thread, one at a time. */
enum wd_err config_load(const char *file, struct config **ret_config, struct problems *problems)
	WD_MUST_CHECK;
void config_free(struct config *c); /* NULL is fine */

/* True if `text` is the token; takes the same time wherever the two differ. */
bool token_is(const struct token *token, const char *text, size_t len);
/* The feeder whose token `text` is, or NULL. */
const struct feeder *config_feeder(const struct config *c, const char *text, size_t len);

/* What a reload changed. `live` holds at once; `restart` keeps its old value until the
 * program is started again. Each a line of "key: old -> new", for the log; tokens are
 * named, never shown. Lists shorter than all changes say so in their last line. `started` is what
 * the program was started with, which what needs a restart is compared with. */
struct config_changes { struct text_list live, restart; };
enum wd_err config_compare(const struct config *started, const struct config *before,
			   const struct config *after, struct config_changes *ret_changes)
	WD_MUST_CHECK;
void config_changes_done(struct config_changes *changes);

/* The folder of the files that come with the program (catalogue.yaml …): installed, or
 * data/ of the source tree it was built in. "" if there is none. */
const char *config_share_folder(void);
/* The country file that came with the set-up; "" if there is none. */
const char *config_country_file(void);

/* Every setting as the Markdown table of docs/configuration.md. */
void config_settings_markdown(struct buf *b);

#endif
