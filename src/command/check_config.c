/* SPDX-License-Identifier: Apache-2.0 */
#include "command/check_config.h"

#include "command/config_verified.h"
#include "command/usage.h"
#include "config/config.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: whydown check-config [FILE]      tell every mistake in FILE, or check the "
	"defaults\n"
	"       whydown check-config --settings  every setting, as a Markdown table\n"
	"       whydown check-config --help      this text\n";

static void print_problems(const struct problems *problems)
{
	struct buf b;
	buf_init(&b, 1 << 16);
	for (size_t i = 0; i < problems->count; i++) {
		problem_write(&b, &problems->items[i]);
		buf_char(&b, '\n');
	}
	if (problems->dropped > 0)
		buf_fmt(&b, "and %zu more\n", problems->dropped);
	if (b.len > 0 && !b.bad)
		fputs(b.data, stderr);
	buf_done(&b);
}

static void print_summary(const char *file, const struct config *c)
{
	size_t services = catalogue_count(c->catalogue);
	printf("%s: in order: %zu service%s, %zu feeder%s, listens on",
	       file == NULL ? "(defaults)" : file, services, services == 1 ? "" : "s",
	       c->feeder_count, c->feeder_count == 1 ? "" : "s");
	for (size_t i = 0; i < c->listen.count; i++)
		printf("%s %s", i == 0 ? "" : ",", c->listen.items[i]);
	printf("; data in %s%s\n", c->data_folder,
	       c->admin_token.set ? "" : "; no admin_token, so comments stay held");
}

static int print_settings(void)
{
	struct buf b;
	buf_init(&b, 1 << 20);
	config_settings_markdown(&b);
	if (b.len > 0 && !b.bad)
		fputs(b.data, stdout);
	buf_done(&b);
	return 0;
}

int command_check_config(int argc, char **argv)
{
	struct problems problems;
	struct config *config;
	const char *file = argc > 1 ? argv[1] : NULL;

	if (argc == 2 && strcmp(argv[1], "--settings") == 0)
		return print_settings();
	bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
	if (help) {
		fputs(usage, stdout);
		return 0;
	}
	if (file != NULL && file[0] == '-')
		return usage_wrong("check-config", "the options are --settings and --help");
	if (argc > 2)
		return usage_wrong("check-config", "one file at a time");
	problems_init(&problems);
	enum wd_err err = config_load_verified(file, &config, &problems);
	print_problems(&problems);
	problems_done(&problems);
	if (err != WD_OK)
		return 1;
	print_summary(file, config);
	config_free(config);
	return 0;
}
