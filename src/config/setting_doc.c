/* SPDX-License-Identifier: Apache-2.0 */
/* setting_doc: the table of settings as Markdown, for docs/configuration.md. */
#include "config/config.h"
#include "config/setting.h"

#include <string.h>

static void write_values(struct buf *b, const struct setting *s)
{
	bool number = s->type == &setting_count_type || s->type == &setting_number;

	if (s->type != NULL)
		buf_str(b, s->type->name);
	if (number)
		buf_fmt(b, ", %.10g to %.10g%s%s", s->min, s->max, s->unit[0] == '\0' ? "" : " ",
			s->unit);
	else if (s->unit != NULL)
		buf_fmt(b, ", at most %.10g %s", s->max, s->unit);
	else if (s->max > 0 && s->type != &setting_token)
		buf_fmt(b, ", at most %.10g", s->max);
}

void config_settings_markdown(struct buf *b)
{
	buf_str(b, "| key | value | default | reload | meaning |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *s = &settings[i];
		bool part = s->type == NULL || s->type == &setting_section;
		buf_fmt(b, "| `%s` | ", s->key);
		write_values(b, s);
		buf_fmt(b, " | %s%s%s | %s | %s |\n", s->fallback == NULL ? "" : "`",
			s->fallback == NULL ? "" : s->fallback, s->fallback == NULL ? "" : "`",
			part ? "" : s->restart ? "restart" : "at once", s->help);
	}
}
