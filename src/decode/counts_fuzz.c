/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of counts: no crash, it ends, every row is sound, and every error
 * stands at a place within the file. The first byte chooses the options. */
#include "decode/counts.h"

#include "base/check.h"
#include "decode/widths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct counts c;
	struct counts_row row;
	struct widths *widths;
	bool end = false;
	size_t rows = 0;

	if (size < 1 || size > 1 << 16)
		return 0;
	struct counts_options o = {.service = data[0] & 1 ? "x" : NULL,
				   .value_is_reports = data[0] & 2};
	if (widths_open(16, &widths) != WD_OK)
		return 0;
	enum wd_err err = counts_begin(&c, (const char *)data + 1, size - 1, &o, NULL);
	while (err == WD_OK && (err = counts_next(&c, &row, &end, NULL)) == WD_OK && !end) {
		struct observation seen = counts_observation(&row, span_s(60));
		WD_CHECK(observation_is_sound(&seen, NULL));
		WD_CHECK(++rows < size);
		if (widths_add(widths, row.service, row.at) == WD_OK)
			WD_CHECK(widths_of(widths, row.service).ns >= 0);
	}
	if (err != WD_OK)
		WD_CHECK(c.line >= 1 && c.line <= size && c.column >= 1 && c.column <= size);
	widths_close(widths);
	return 0;
}
