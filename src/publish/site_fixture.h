/* SPDX-License-Identifier: Apache-2.0 */
/* site_fixture: a snapshot as the engine might hand it out, made from a seed: about 100 services on
 * the afternoon of 10 March 2025, one with an incident of three waves, one just unusual, one with
 * coordinated reports, one without any. For tests and for looking at pages; not part of the
 * program. */
#ifndef WD_PUBLISH_SITE_FIXTURE_H
#define WD_PUBLISH_SITE_FIXTURE_H

#include "model/snapshot.h"
#include "publish/site.h"

enum fixture {
	FIXTURE_INCIDENT, /* the afternoon as above */
	FIXTURE_QUIET,    /* nothing is down */
	FIXTURE_NEW,      /* services, but no report ever */
	FIXTURE_EMPTY,    /* no service at all */
	FIXTURE_HOSTILE,  /* as the first, with names and places that must be escaped */
};

/* Caller releases it. Aborts when memory runs out. */
struct snapshot *fixture_snapshot(enum fixture which);
extern const struct site fixture_site;

enum { FIXTURE_VERSIONS = 104 }; /* of each incident; the second cannot be read */
#define FIXTURE_PROVED       "att-20250220-1200"
#define FIXTURE_HOSTILE_NAME "<script>alert(1)</script>\"'&\xe2\x80\xae]]>"

#endif
