/* SPDX-License-Identifier: Apache-2.0 */
/* api: what the JSON renderers share. assets/openapi.json describes their answers; a test holds
 * the two together. */
#ifndef WD_PUBLISH_API_H
#define WD_PUBLISH_API_H

#include "publish/json_out.h"
#include "publish/render.h"
#include "publish/words.h"

/* Makes the answer a problem document: the parameter `field` is wrong. */
void api_refuse(const struct render *r, const char *field, const char *detail);

/* A sentence (words.h) as a JSON string. */
typedef void sentence_of_service(const struct words *, const struct snapshot *,
				 const struct service_state *);
typedef void sentence_of_incident(const struct words *, const struct snapshot *,
				  const struct incident *);
void api_service_sentence(const struct render *r, const char *name, sentence_of_service *sentence,
			  const struct service_state *s);
void api_incident_sentence(const struct render *r, const char *name, sentence_of_incident *sentence,
			   const struct incident *i);

/* Members of a service that every list of services shows; without braces. */
void api_service_members(const struct render *r, const struct service_state *s);
/* "traffic": what it receives now; null if it is not watched (t is NULL). */
void api_traffic_member(struct buf *b, const struct traffic_state *t);
/* The incident as it is in the store, with its headline, rank and address; with braces. */
/* A member "made_from" of the incident: null if it is no reconstruction of a known scenario. */
void api_made_from(const struct render *r);
void api_incident_object(const struct render *r, const struct incident *i);
void api_series_members(struct buf *b, const struct series *series, bool unfinished);

#endif
