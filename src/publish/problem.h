/* SPDX-License-Identifier: Apache-2.0 */
/* problem: an error as an RFC 9457 problem document. */
#ifndef WD_PUBLISH_PROBLEM_H
#define WD_PUBLISH_PROBLEM_H

#include "base/buf.h"

#define PROBLEM_TYPE "application/problem+json"

struct problem_document {
	int status;
	const char *title;  /* the same for every occurrence: "No such service" */
	const char *detail; /* of this one; "" = none */
	const char *field;  /* the member or parameter at fault; "" = none */
};

void problem_json(struct buf *b, const struct problem_document *p);

#endif
