/* SPDX-License-Identifier: Apache-2.0 */
#include "command/config_verified.h"

#include "decode/accesslog.h"

static void check_log_formats(const struct config *c, struct problems *problems)
{
	struct accesslog reader;

	for (size_t i = 0; i < c->telemetry.logs.count; i++) {
		const struct config_log *log = &c->telemetry.logs.items[i];
		struct wd_why why = {0};
		accesslog_init(&reader);
		if (log->format[0] != '\0' &&
		    accesslog_set_format(&reader, log->format, &why) != WD_OK)
			problems_add(problems, (struct problem_at){c->file, log->line},
				     "as nginx's log_format or Apache's LogFormat has it, or no "
				     "format for the usual ones",
				     "`format` of a log: %s, at byte %u", why.what, why.at);
	}
}

enum wd_err config_load_verified(const char *file, struct config **ret_config,
				 struct problems *problems)
{
	struct config *config;
	enum wd_err err = config_load(file, &config, problems);
	if (err != WD_OK)
		return err;
	size_t errors = problems->errors;
	check_log_formats(config, problems);
	problems_sort(problems);
	if (problems->errors > errors) {
		config_free(config);
		return WD_MALFORMED;
	}
	*ret_config = config;
	return WD_OK;
}
