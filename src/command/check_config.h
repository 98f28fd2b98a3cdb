/* SPDX-License-Identifier: Apache-2.0 */
/* check_config: `whydown check-config [FILE]`. */
#ifndef WD_COMMAND_CHECK_CONFIG_H
#define WD_COMMAND_CHECK_CONFIG_H

/* argv[0] is "check-config". 0: in order; 1: mistakes, each told on standard error; 2: wrong
 * arguments. */
int command_check_config(int argc, char **argv);

#endif
