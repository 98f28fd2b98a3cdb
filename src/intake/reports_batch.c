/* SPDX-License-Identifier: Apache-2.0 */
/* reports_batch: a feeder's lines, each to a frame or refused on its own. */
#include "intake/reports_internal.h"

#include "base/check.h"
#include "decode/ndjson.h"
#include "intake/inflate.h"
#include "model/country.h"

#include <stdlib.h>
#include <string.h>

static const struct refusal_kind no_memory = {503, "/problems/busy", "No room at the moment"};
static const struct refusal_kind bad_gzip = {400, "/problems/gzip", "The gzip body is damaged"};

/* The service and its terms as the catalogue has them, and a country that there is; NULL or what is
 * wrong. */
static const char *resolve(const struct reports *r, struct observation *o)
{
	const struct service *s = catalogue_find(r->options.catalogue, o->service);
	if (s == NULL)
		return "there is no such service here; GET /api/v1/services lists all";
	o->service = s->id;
	if (o->surface[0] != '\0' && service_surface(s, o->surface) == NULL)
		return "the service has no such surface; GET /api/v1/services lists all";
	if (o->problem[0] != '\0' && service_problem(s, o->problem) == NULL)
		return "the service has no such problem; GET /api/v1/services lists all";
	if (o->country[0] != '\0' && !country_is_known(o->country))
		return "there is no such country; country is a code of ISO 3166-1 alpha-2, like "
		       "\"GB\"";
	return NULL;
}

/* What names a bucket. */
struct bucket { uint8_t kind[8]; int64_t at_ns, step_ns; char service[SERVICE_ID_MAX + 1]; };
struct bucket_part {
	char surface[SERVICE_WORD_MAX + 1], problem[SERVICE_WORD_MAX + 1], country[3],
		region[OBSERVATION_PLACE_MAX + 1], city[OBSERVATION_PLACE_MAX + 1];
	uint8_t network[4];
};

/* A count or a metric is named by what it is about, so it needs no id of its own. Counts of the
 * same minute from the app and from the website are two. */
static struct observation_id bucket_id(const struct feeder *feeder, const struct observation *o)
{
	static const struct bucket_part nothing;
	struct { struct bucket whole; struct bucket_part part; } name;
	memset(&name, 0, sizeof(name));
	name.whole.kind[0] = (uint8_t)o->kind;
	name.whole.at_ns = o->at.ns;
	name.whole.step_ns = o->step.ns;
	memcpy(name.whole.service, o->service, strlen(o->service));
	memcpy(name.part.surface, o->surface, strlen(o->surface));
	memcpy(name.part.problem, o->problem, strlen(o->problem));
	memcpy(name.part.country, o->country, strlen(o->country));
	memcpy(name.part.region, o->region, strlen(o->region));
	memcpy(name.part.city, o->city, strlen(o->city));
	memcpy(name.part.network, &o->network, sizeof(o->network));
	bool all = memcmp(&name.part, &nothing, sizeof(nothing)) == 0;
	return reports_id(feeder->name, strlen(feeder->name), &name,
			  all ? sizeof(name.whole) : sizeof(name));
}

/* One line into a frame; NULL, or what is wrong with it. */
static const char *take_line(struct reports *r, const struct reports_request *req,
			     const struct feeder *feeder, char *line, size_t len,
			     struct out *frames, uint32_t *ret_at)
{
	struct ndjson n;
	struct wd_why why;

	*ret_at = 0;
	if (ndjson_read(line, len, &n, &why) != WD_OK) {
		*ret_at = why.at;
		return why.what;
	}
	struct observation *o = &n.observation;
	const char *wrong = resolve(r, o);
	if (wrong != NULL)
		return wrong;
	if (reports_is_early(o->at, req->now))
		return "at is in the future";
	if (n.id[0] == '\0' && o->kind == OBSERVATION_REPORT)
		return "id is missing: without one a report that is sent again counts again";
	o->id = n.id[0] != '\0' ? reports_id(feeder->name, strlen(feeder->name), n.id, strlen(n.id))
				: bucket_id(feeder, o);
	o->feeder = feeder->name;
	uint8_t frame[OBSERVATION_FRAME_MAX];
	out_bytes(frames, frame, observation_encode(o, frame));
	return NULL;
}

static bool is_blank(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' || line[len - 1] == '\r'))
		len--;
	return len == 0;
}

/* All lines of `body`, which is ours to change. */
static void take_lines(struct reports *r, const struct reports_request *req,
		       const struct feeder *feeder, char *body, size_t body_len,
		       struct reports_batch *b)
{
	char *end = body + body_len;
	uint32_t number = 0;

	for (char *line = body; line < end && !b->frames.bad;) {
		char *line_end = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((line_end != NULL ? line_end : end) - line);
		uint32_t at;
		number++;
		if (!is_blank(line, len)) {
			const char *wrong = take_line(r, req, feeder, line, len, &b->frames, &at);
			if (wrong == NULL)
				b->count++;
			else if (b->refused++ < REPORTS_LINES_TOLD_MAX)
				b->lines[b->refused - 1] = (struct reports_line){number, at, wrong};
		}
		line += len + 1;
	}
}

static bool refuse_memory(struct reports *r, const struct reports_request *req,
			  struct reports_refusal *refusal)
{
	COUNT(r, refused_memory, 1);
	return reports_refuse(req, &no_memory, "Send the batch again in a while.", refusal);
}

/* `text` is ours to change. */
static bool take_batch(struct reports *r, const struct reports_request *req,
		       const struct feeder *feeder, char *text, size_t len,
		       struct reports_batch *b, struct reports_refusal *refusal)
{
	b->count = b->refused = 0;
	/* The shortest line that is taken has 30 bytes, and its frame 140. */
	out_init(&b->frames, (len + OBSERVATION_FRAME_MAX) * 8);
	take_lines(r, req, feeder, text, len, b);
	if (b->frames.bad) {
		reports_batch_done(b);
		return refuse_memory(r, req, refusal);
	}
	if (b->frames.len > r->options.frames_bytes_max) {
		reports_batch_done(b);
		return reports_refuse_size(r, req, refusal);
	}
	COUNT(r, batches, 1);
	COUNT(r, observations, b->count);
	COUNT(r, refused_lines, b->refused);
	return true;
}

/* The lines beyond the first, which reports_begin took: counted before they are read, since
 * reading is what costs. */
static uint32_t more_lines(const char *text, size_t len)
{
	uint32_t lines = 0;
	const char *at = text, *end = text + len;
	while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		lines += at < end;
	}
	return lines;
}

/* What was sent as gzip, as it was before; owned by the caller. */
static bool unpack(struct reports *r, const struct reports_request *req, char **ret_text,
		   size_t *ret_len, struct reports_refusal *refusal)
{
	struct wd_why why;

	switch (inflate_body(req->body, req->body_len, r->options.batch_bytes_max, ret_text,
			     ret_len, &why)) {
	case WD_OK:
		return true;
	case WD_FULL:
		return reports_refuse_size(r, req, refusal);
	case WD_NOMEM:
		return refuse_memory(r, req, refusal);
	default:
		COUNT(r, refused_gzip, 1);
		return reports_refuse(req, &bad_gzip, why.what, refusal);
	}
}

/* Of somebody who may send. */
static bool take_sent(struct reports *r, const struct reports_request *req,
		      const struct feeder *feeder, struct reports_batch *b,
		      struct reports_refusal *refusal)
{
	char *text = NULL;
	size_t len = req->body_len;

	if (reports_is_packed(req) && !unpack(r, req, &text, &len, refusal))
		return false;
	uint32_t more = more_lines(text != NULL ? text : req->body, len);
	bool taken = more == 0 || reports_check_rate(r, req, feeder, more, refusal);
	if (taken && text == NULL) {
		text = malloc(len + 1);
		if (text == NULL)
			return refuse_memory(r, req, refusal);
		memcpy(text, req->body, len);
	}
	taken = taken && take_batch(r, req, feeder, text, len, b, refusal);
	free(text);
	return taken;
}

bool reports_take_batch(struct reports *r, const struct reports_request *req,
			struct reports_batch *ret_batch, struct reports_refusal *ret_refusal)
{
	const struct feeder *feeder;
	WD_CHECK(req->kind == REPORTS_BATCH);
	pthread_rwlock_rdlock(&r->lock);
	bool taken = reports_check_size(r, req, ret_refusal) &&
		     reports_check_sender(r, req, &feeder, ret_refusal) &&
		     take_sent(r, req, feeder, ret_batch, ret_refusal);
	pthread_rwlock_unlock(&r->lock);
	return taken;
}

void reports_batch_done(struct reports_batch *b)
{
	out_done(&b->frames);
}
