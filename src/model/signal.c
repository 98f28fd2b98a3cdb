/* SPDX-License-Identifier: Apache-2.0 */
#include "model/signal.h"

#include "base/check.h"

const char *dimension_name(enum dimension d)
{
	static const char *const names[DIMENSION_COUNT] = {
		[DIMENSION_TOTAL] = "total",     [DIMENSION_SURFACE] = "surface",
		[DIMENSION_PROBLEM] = "problem", [DIMENSION_COUNTRY] = "country",
		[DIMENSION_CITY] = "city",       [DIMENSION_NETWORK] = "network",
	};
	WD_CHECK((unsigned)d < DIMENSION_COUNT);
	return names[d];
}
