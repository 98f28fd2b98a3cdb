/* SPDX-License-Identifier: Apache-2.0 */
/* config_read: from the bytes of a configuration to the checked structs. Pure: what is not
 * in those bytes (catalogue files, token files, time zones) comes through `struct
 * config_source`, so that tests and fuzzing need no disk. config.c has the real one. */
#ifndef WD_CONFIG_CONFIG_READ_H
#define WD_CONFIG_CONFIG_READ_H

#include "base/err.h"
#include "config/config.h"
#include "config/doc.h"
#include "model/zone.h"

struct config_source {
	void *ctx;
	/* The whole file; the caller frees. WD_FULL if it is larger than len_max. */
	enum wd_err (*read)(void *ctx, const char *path, size_t len_max, char **ret_bytes,
			    size_t *ret_len, struct wd_why *why);
	/* NULL if that is a MaxMind DB file; else what would be. */
	const char *(*places)(void *ctx, const char *path);
	/* The caller frees. WD_UNKNOWN: no zone of that name; WD_OS: no zone data at all. */
	enum wd_err (*zone)(void *ctx, const char *name, struct zone **ret_zone,
			    struct wd_why *why);
	const char *catalogue_file; /* what `builtin` means; "" if there is none */
	const char *country_file;
};

/* `file` is for problems and for finding files beside it. Errors as config_load's. */
enum wd_err config_read(const char *file, const char *bytes, size_t len,
			const struct config_source *source, struct config **ret_config,
			struct problems *problems) WD_MUST_CHECK;

/* What reads one setting has in hand. */
struct config_reader {
	struct config *config;
	struct problems *problems;
	const struct config_source *source;
	struct text_list services_from; /* as written */
	const struct doc_node *services_from_node;
	bool nomem; /* sticks */
};

/* `name` seen from the folder of `file`; the caller frees, NULL if memory ran out. */
char *path_beside(const char *file, const char *name);

#endif
