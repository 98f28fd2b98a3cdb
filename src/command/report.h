/* SPDX-License-Identifier: Apache-2.0 */
/* report: sends reports to a running whydown: one, or a feeder's recording. */
#ifndef WD_COMMAND_REPORT_H
#define WD_COMMAND_REPORT_H

/* `whydown report …`: argv[0] is "report". Returns the exit status: 0 all is taken, 1 something
 * was not, 2 wrong usage. */
int command_report(int argc, char **argv);

#endif
