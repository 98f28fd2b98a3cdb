/* SPDX-License-Identifier: Apache-2.0 */
/* catalogue_read: the documents that name services in, one catalogue out. A later document
 * may give some keys of a service anew; the others stay as they were. Pure. */
#ifndef WD_CONFIG_CATALOGUE_READ_H
#define WD_CONFIG_CATALOGUE_READ_H

#include "config/config_read.h"
#include "config/doc.h"

/* `roots` in the order they count, each with the keys surfaces, problems, categories and
 * services (others are left alone). A small built-in one with surfaces, problems and the
 * category `other` stands before them all. */
enum wd_err catalogue_read(const struct doc_node *const *roots, size_t root_count,
			   const struct config_source *source, struct problems *problems,
			   struct catalogue **ret_catalogue) WD_MUST_CHECK;

#endif
