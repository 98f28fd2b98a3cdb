/* SPDX-License-Identifier: Apache-2.0 */
/* whydown: one program, one file a subcommand. */
#include "command/check_config.h"
#include "command/comments.h"
#include "command/export.h"
#include "command/replay.h"
#include "command/report.h"
#include "command/serve.h"
#include "command/simulate.h"
#include "command/top.h"
#include "config/problems.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#ifndef WHYDOWN_VERSION
#define WHYDOWN_VERSION "0.1.0"
#endif

struct command {
	const char *name;
	const char *help; /* one line */
	int (*run)(int argc, char **argv); /* argv[0] is for messages */
};

/* In the order of `whydown help`. */
static const struct command commands[] = {
	{"serve", "take reports, decide, publish the pages", command_serve},
	{"check-config", "check a configuration and tell every mistake in it",
	 command_check_config},
	{"replay", "run recordings through the engine and print the incidents", command_replay},
	{"simulate", "make a recording from a scenario", command_simulate},
	{"report", "send a report, or a feeder's recording, to a running server", command_report},
	{"comments", "read the comments of reports, and decide which are shown", command_comments},
	{"top", "a running server's services and what floods them, in a terminal", command_top},
	{"export", "what a data folder holds, as NDJSON or CSV", command_export},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static void print_help(FILE *out)
{
	fputs("whydown tells people, from evidence, whether an online service is down.\n\n"
	      "usage: whydown COMMAND [ARGUMENTS]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "  %-14s %s\n\n", "help [COMMAND]", "this list, or how a command is used");
	fputs("whydown --version prints the version.\n", out);
}

static int unknown(const char *name)
{
	const char *names[COMMANDS + 1] = {"help"};
	for (size_t i = 0; i < COMMANDS; i++)
		names[i + 1] = commands[i].name;
	const char *nearest = nearest_word(name, names, COMMANDS + 1);
	fprintf(stderr, "whydown: no command of that name%s%s%s `whydown help` lists them\n",
		nearest == NULL ? ";" : ": did you mean `", nearest == NULL ? "" : nearest,
		nearest == NULL ? "" : "`?");
	return 2;
}

static int run(const struct command *command, int argc, char **argv)
{
	char name[32], ask[] = "--help";
	snprintf(name, sizeof(name), "whydown %s", command->name);
	argv[0] = name; /* what getopt's messages begin with */
	if (argc == 2 && strcmp(argv[1], "-h") == 0)
		argv[1] = ask;
	return command->run(argc, argv);
}

/* A command prints its usage when it is asked with --help. */
static int help(int argc, char **argv)
{
	char ask[] = "--help";
	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		print_help(stdout);
		return 0;
	}
	const struct command *command = command_find(argv[1]);
	if (command == NULL)
		return unknown(argv[1]);
	char *args[] = {argv[1], ask, NULL};
	(void)run(command, 2, args);
	return 0;
}

/* What was printed and could not be written is a failure, too. */
static int end_output(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	if (status == 0)
		fprintf(stderr, "whydown: standard output: %s\n", strerror(errno));
	return status == 0 ? 1 : status;
}

static int choose(int argc, char **argv)
{
	const char *name = argv[1];
	if (strcmp(name, "--version") == 0) {
		puts("whydown " WHYDOWN_VERSION);
		return 0;
	}
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(argc - 1, argv + 1);
	const struct command *command = command_find(name);
	return command == NULL ? unknown(name) : run(command, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0) {
		fputs("whydown: the system gives no random numbers\n", stderr);
		return 1;
	}
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	return end_output(choose(argc, argv));
}
