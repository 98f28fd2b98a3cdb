/* SPDX-License-Identifier: Apache-2.0 */
/* setting: the one table of all settings: key, type, range, default, whether a reload
 * applies it, meaning. Reading, defaults, comparing, the log's words and the document
 * are all made from it. */
#ifndef WD_CONFIG_SETTING_H
#define WD_CONFIG_SETTING_H

#include "config/config_read.h"
#include "config/doc.h"

#include <stdbool.h>
#include <stddef.h>

struct setting;

struct setting_type {
	const char *name; /* "whole number", as the document says */
	/* Reads n into the reader's config, or tells a problem and leaves it as it was. */
	void (*read)(struct config_reader *r, const struct setting *s, const struct doc_node *n);
	/* On the value inside a config. The rest is NULL for what a config holds no value of. */
	bool (*same)(const void *a, const void *b);
	void (*write)(struct buf *b, const void *value); /* for the log */
	void (*done)(void *value);
};

struct setting {
	const char *key; /* "limits.head_ms"; "feeders[].name" for a member of a list */
	const struct setting_type *type; /* NULL: a part of what another setting reads */
	size_t offset;                   /* in struct config */
	double min, max;
	const char *unit;     /* "" if none */
	const char *fallback; /* the default, as YAML; "" if there is none */
	bool restart;         /* a change holds only after a restart */
	const char *help;
};

extern const struct setting settings[];
extern const size_t setting_count;

extern const struct setting_type setting_section; /* a mapping of further settings */

/* The types (setting_type.c); lists of what the table names. */
extern const struct setting_type setting_count_type, setting_number, setting_text, setting_url,
	setting_contact, setting_level, setting_folder, setting_file, setting_listen,
	setting_proxies, setting_token, setting_token_file, setting_feeders, setting_files,
	setting_catalogue;
/* The types of `telemetry` alone (setting_telemetry.c). */
extern const struct setting_type setting_switch, setting_interfaces, setting_exporters,
	setting_logs;

/* For the types: tells that n is not what s wants. */
void setting_tell(struct config_reader *r, const struct setting *s, const struct doc_node *n,
		  const char *right);
/* s->min to s->max items, each of which `fits`, into *list. */
void setting_list_read(struct config_reader *r, const struct setting *s, const struct doc_node *n,
		       bool (*fits)(const char *), const char *right, struct text_list *list);

/* Reads every member of `map` whose keys stand in the table under `prefix` ("" or
 * "limits."); a key that does not is told, with the one that was likely meant. */
void settings_read(struct config_reader *r, const char *prefix, const struct doc_node *map);
/* Only tells the unknown keys. */
void settings_check_keys(struct problems *p, const char *prefix, const struct doc_node *map);

/* Sets every default. */
void settings_default(struct config_reader *r);

static inline void *setting_value(struct config *c, const struct setting *s)
{
	return (char *)c + s->offset;
}

#endif
