/* SPDX-License-Identifier: Apache-2.0 */
#include "command/usage.h"

#include "base/check.h"
#include "decode/counts_time.h"
#include "model/observation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int usage_wrong(const char *command, const char *what)
{
	if (what != NULL)
		fprintf(stderr, "whydown %s: %s\n", command, what);
	fprintf(stderr, "`whydown %s --help` tells how it is used\n", command);
	return 2;
}

int usage_refuse(const char *command, const char *option, const char *value, const char *right)
{
	fprintf(stderr, "whydown %s: %s %s: would be right: %s\n", command, option, value, right);
	return 2;
}

bool usage_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_n)
{
	char *end;
	errno = 0;
	uint64_t n = strtoull(text, &end, 10);
	if (errno != 0 || *text < '0' || *text > '9' || *end != '\0' || n < least || n > most)
		return false;
	*ret_n = n;
	return true;
}

bool usage_amount(const char *text, double most, double *ret_amount)
{
	char *end;
	double amount = strtod(text, &end);
	if (end == text || *end != '\0' || !(amount > 0 && amount <= most))
		return false;
	*ret_amount = amount;
	return true;
}

bool usage_word(const char *text, const char *const *words, size_t count, size_t *ret_index)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

bool usage_time(const char *text, wd_wall *ret_time)
{
	size_t len = strlen(text);
	bool day_number = counts_time_is_day_number(text, len);
	return counts_time_read(text, len, day_number, ret_time, NULL) == WD_OK;
}

bool usage_width(const char *text, wd_span *ret_width)
{
	static const struct { char unit; uint64_t s; } units[] = {
		{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400},
	};
	size_t len = strlen(text);
	char digits[16];
	uint64_t n;

	if (len < 2 || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	for (size_t i = 0; i < WD_COUNT(units); i++) {
		if (text[len - 1] != units[i].unit)
			continue;
		if (!usage_number(digits, 1, OBSERVATION_STEP_MAX_S / units[i].s, &n))
			return false;
		*ret_width = span_s((int64_t)(n * units[i].s));
		return true;
	}
	return false;
}
