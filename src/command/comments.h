/* SPDX-License-Identifier: Apache-2.0 */
/* comments: the operator's say over what people wrote with their reports, at a running server. */
#ifndef WD_COMMAND_COMMENTS_H
#define WD_COMMAND_COMMENTS_H

/* `whydown comments …`: argv[0] is "comments". Returns the exit status: 0 all is done, 1 something
 * was not, 2 wrong usage. */
int command_comments(int argc, char **argv);

#endif
