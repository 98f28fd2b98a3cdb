/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as the body of a report, as JSON or as a form (the first byte says which): no
 * crash; what is accepted is sound, and what jansson reads; what is refused has a reason in good
 * UTF-8. */
#include "decode/report.h"

#include "base/check.h"
#include "base/text.h"
#include "decode/report_fixture.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct catalogue *catalogue;
	static struct report report;
	static struct report_errors errors;

	if (size < 1)
		return 0;
	if (catalogue == NULL)
		catalogue = fixture_catalogue();
	struct report_source source = {
		.form = data[0] & 1 ? REPORT_HTML_FORM : REPORT_JSON,
		.body = (const char *)data + 1,
		.len = size - 1,
		.catalogue = catalogue,
		.from_feeder = data[0] & 2,
	};
	if (source.form == REPORT_JSON)
		(void)fixture_agrees_with_jansson(catalogue, source.body, source.len);
	if (report_read(&source, &report, &errors) == WD_OK) {
		uint8_t frame[OBSERVATION_FRAME_MAX];
		WD_CHECK(errors.count == 0);
		WD_CHECK(observation_encode(&report.observation, frame) > 0);
		return 0;
	}
	WD_CHECK(errors.count > 0 && errors.count <= REPORT_ERRORS_MAX);
	for (size_t i = 0; i < errors.count; i++) {
		const char *detail = errors.items[i].detail;
		WD_CHECK(detail[0] != '\0' && text_is_utf8(detail, strlen(detail)));
	}
	return 0;
}
