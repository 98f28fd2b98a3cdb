/* SPDX-License-Identifier: Apache-2.0 */
/* signal: a time series made of observations: service x kind x dimension. */
#ifndef WD_MODEL_SIGNAL_H
#define WD_MODEL_SIGNAL_H

enum { SIGNAL_VALUE_MAX = 64 }; /* bytes */

enum dimension {
	DIMENSION_TOTAL,
	DIMENSION_SURFACE, /* value: the surface's id */
	DIMENSION_PROBLEM, /* value: the problem's id */
	DIMENSION_COUNTRY, /* value: ISO 3166-1 alpha-2 */
	DIMENSION_CITY,    /* value: "GB/London" */
	DIMENSION_NETWORK, /* value: "AS2856" */
	DIMENSION_COUNT,
};

/* "total", "surface", … as in data and URLs. Never NULL. */
const char *dimension_name(enum dimension d);

#endif
