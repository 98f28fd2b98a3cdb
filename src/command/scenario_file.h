/* SPDX-License-Identifier: Apache-2.0 */
/* scenario_file: the scenarios that come with the program, and those of a path. */
#ifndef WD_COMMAND_SCENARIO_FILE_H
#define WD_COMMAND_SCENARIO_FILE_H

#include "intake/scenario.h"
#include "model/reconstruction.h"

#include <stdio.h>

/* Reads the scenario of this path or of this name in the program's own folder; its reconstruction
 * is named after its file, where that is a name. NULL on failure, told on stderr with file, line,
 * column and what would be right. */
struct scenario *scenario_load(const char *path_or_name);

/* Their names, in order. False, told on stderr, if the folder cannot be read. */
bool scenario_each_installed(void (*each)(void *ctx, const char *name), void *ctx);

/* Those of them that are reconstructions, and `also`, which may be NULL. What cannot be read is
 * told and left out. */
struct reconstructions reconstructions_load(const struct scenario *also);
void reconstructions_free(struct reconstructions *all);

/* What is not plain becomes blanks, so that a file cannot move the terminal. */
void scenario_print_plain(FILE *to, const char *text, size_t len);

#endif
