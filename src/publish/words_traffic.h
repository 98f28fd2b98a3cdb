/* SPDX-License-Identifier: Apache-2.0 */
/* words_traffic: what traffic and requests say of an incident or a service, in the sentences that
 * pages, feeds, badges and the API share. HTML or plain, as words.h says. Who attacks is never
 * said: addresses do not tell it. */
#ifndef WD_PUBLISH_WORDS_TRAFFIC_H
#define WD_PUBLISH_WORDS_TRAFFIC_H

#include "publish/words.h"

/* Of a vector's, a class's or a finding's id the row; NULL: there is none. */
const struct vector_row *vector_row_of(const struct snapshot *snapshot, const char *id);
/* "DNS amplification"; the id where there is no name. */
void words_vector(const struct words *w, const struct snapshot *snapshot, const char *id);
/* "SYN flood (68 %) and DNS amplification (32 %)" */
void words_parts(const struct words *w, const struct snapshot *snapshot, const struct part *parts,
		 uint32_t count);
/* "45 s", "6 h 12 min": of what traffic carries seconds are told. */
void words_seconds(struct buf *b, wd_span d);
/* "SYN flood with forged sources", of all kinds the heaviest; "" where none is named. */
void words_main_vector(const struct words *w, const struct snapshot *snapshot,
		       const struct incident *i);
/* What the addresses prove: a word, and a clause. */
const char *source_word(enum source_status s);
const char *source_clause(enum source_status s);
/* "Traffic: SYN flood (90 %); its source addresses are forged: they prove nothing. Requests: …" Of
 * several vectors the heaviest is the first, and what its addresses prove is what is said.
 * "" where neither carries it. */
void words_attack(const struct words *w, const struct snapshot *snapshot,
		  const struct incident *i);
/* "A part of its telemetry is missing since 12:03:10": some of those who told of it, or all. */
void words_missing(const struct words *w, wd_wall since, bool partly);
/* "No telemetry of its traffic since 12:03:10: whether it goes on is not known." "" where nobody
 * who told of it has fallen silent. */
void words_silence(const struct words *w, const struct incident *i);
/* How often normal signals do this, for each kind that carries it; where a fixed rule opened it
 * for want of history, that. */
void words_incident_odds(const struct words *w, const struct incident *i);
/* The service's status as its traffic has it. False, and nothing written: its reports tell it. */
bool words_traffic_status(const struct words *w, const struct snapshot *snapshot,
			  const struct service_state *s);
/* The same for the odds of what is unusual. */
bool words_traffic_odds(const struct words *w, const struct service_state *s);

/* "21,900 packets/s (182 Mbit/s) where 2,000 is usual" */
void words_traffic_peak(const struct words *w, const struct incident_traffic *t);
void words_requests_peak(const struct words *w, const struct incident_requests *q);

#endif
