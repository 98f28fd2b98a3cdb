/* SPDX-License-Identifier: Apache-2.0 */
/* export: what a data folder holds, to standard output. */
#ifndef WD_COMMAND_EXPORT_H
#define WD_COMMAND_EXPORT_H

/* `whydown export …`: argv[0] is "export". Returns the exit status. */
int command_export(int argc, char **argv);

#endif
