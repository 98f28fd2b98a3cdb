/* SPDX-License-Identifier: Apache-2.0 */
/* replay_input: one recording of traffic, whatever it is. */
#include "base/check.h"
#include "base/prng.h"
#include "base/text.h"
#include "command/replay_input.h"
#include "decode/ndjson.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	FLOWS_MAX = EXPORT_FLOWS_MAX + 4096,
	TRY_LINES = 20, /* at the begin of a file, one of which must be a request */
};

/* A device or a pipe cannot be mapped. */
static bool is_file(const char *path)
{
	struct stat s;
	return strcmp(path, "-") != 0 && stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* The file's name without folder and endings, as an id: for requests of nobody else. */
static void name_of_file(const char *path, char dst[SERVICE_ID_MAX + 1])
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	size_t len = 0;
	for (; name[len] != '\0' && name[len] != '.' && len < SERVICE_ID_MAX; len++) {
		char c = text_lower(name[len]);
		bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			    (len > 0 && (c == '-' || c == '_'));
		dst[len] = fits ? c : 'x';
	}
	while (len > 0 && (dst[len - 1] == '-' || dst[len - 1] == '_'))
		len--;
	if (len == 0)
		dst[len++] = 'x';
	dst[len] = '\0';
}

/* What other programs pack files with: to be told by name, not as a broken line of text. */
static enum wd_err refuse_packed(const char *path, struct wd_why *why)
{
	static const struct { char begins[7]; size_t len; const char *what; } packed[] = {
		{"\xfd" "7zXZ", 6, "packed with xz: unpack it first, with xz -d"},
		{"BZh", 3, "packed with bzip2: unpack it first, with bunzip2"},
		{"PK\3\4", 4, "a ZIP archive: unpack it first, with unzip"},
		{"7z\xbc\xaf\x27\x1c", 6, "a 7z archive: unpack it first, with 7z x"},
		{"\x04\x22\x4d\x18", 4, "packed with lz4: unpack it first, with lz4 -d"},
		{"Rar!", 4, "a RAR archive: unpack it first, with unrar x"},
	};
	char begin[6];
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return WD_OK; /* said by who opens it to read it */
	size_t len = fread(begin, 1, sizeof(begin), f);
	fclose(f);
	for (size_t i = 0; i < WD_COUNT(packed); i++)
		if (len >= packed[i].len && memcmp(begin, packed[i].begins, packed[i].len) == 0)
			return wd_fail(why, WD_MALFORMED, 0, packed[i].what);
	return WD_OK;
}

static enum wd_err try_capture(struct traffic_input *in, struct wd_why *why)
{
	const struct capture_options options = {.kind = CAPTURE_ANY,
						.packet = in->options.packet};
	enum wd_err err = capture_open(in->options.path, &options, &in->capture, why);
	if (err != WD_OK)
		return err;
	in->flows = calloc(FLOWS_MAX, sizeof(*in->flows));
	return in->flows != NULL ? WD_OK : wd_fail(why, WD_NOMEM, 0, "memory ran out");
}

/* Our own NDJSON has objects like a server's JSON log: a line of ours reads as ours. */
static enum wd_err try_log(struct traffic_input *in, struct wd_why *why)
{
	struct lines *lines;
	struct accesslog reader;
	struct request r;
	struct ndjson ours;
	char *line;
	size_t len;
	struct wd_why first = {0};
	bool found = false;
	enum wd_err err = lines_open(in->options.path, &lines, why);

	if (err != WD_OK)
		return err;
	reader = in->log;
	for (int n = 0; n < TRY_LINES && !found; n++) {
		struct wd_why one = {0};
		if (lines_next(lines, &line, &len, NULL) != WD_OK || line == NULL)
			break;
		/* Reading it as ours changes the line. */
		found = accesslog_read(&reader, line, len, &r, &one) == WD_OK;
		if (ndjson_read(line, len, &ours, NULL) == WD_OK) {
			found = false;
			break;
		}
		if (!found && first.what == NULL && (len == 0 || *line != '#')) {
			first = one;
			first.at = (uint32_t)n + 1;
		}
	}
	lines_close(lines);
	if (!found && why != NULL)
		*why = first;
	if (!found)
		return WD_UNKNOWN;
	return lines_open(in->options.path, &in->lines, why);
}

enum wd_err traffic_input_open(const struct traffic_input_options *options,
			       struct traffic_input **ret_input, struct wd_why *why)
{
	struct traffic_input *in;
	if (!is_file(options->path))
		return wd_fail(why, WD_UNKNOWN, 0, "not a file that can be looked at twice");
	in = calloc(1, sizeof(*in));
	if (in == NULL)
		return wd_fail(why, WD_NOMEM, 0, "memory ran out");
	in->options = *options;
	in->random = prng_of(1, 0);
	name_of_file(options->path, in->service);
	accesslog_init(&in->log);
	enum wd_err err = refuse_packed(options->path, why);
	if (err == WD_OK)
		err = try_capture(in, why);
	if (err == WD_UNKNOWN && options->log_format != NULL &&
	    accesslog_set_format(&in->log, options->log_format, why) != WD_OK)
		err = WD_MALFORMED;
	if (err == WD_UNKNOWN)
		err = try_log(in, why);
	if (err != WD_OK) {
		traffic_input_close(in);
		return err;
	}
	*ret_input = in;
	return WD_OK;
}

void traffic_input_close(struct traffic_input *in)
{
	if (in == NULL)
		return;
	capture_close(in->capture);
	lines_close(in->lines);
	free(in->flows);
	free(in);
}

/* ---- thinning out ---- */

/* How many of `packets` a sampler of one in `n` would have looked at: exact for few, a normal
 * law of the same mean and variance for many. */
static uint64_t looked_at(struct prng *r, uint64_t packets, uint32_t n)
{
	double p = 1.0 / n;
	if (packets <= 1000) {
		uint64_t seen = 0;
		for (uint64_t i = 0; i < packets; i++)
			seen += prng_below(r, n) == 0;
		return seen;
	}
	double mean = (double)packets * p;
	double x = mean + sqrt(mean * (1 - p)) * prng_normal(r);
	return x < 0.5 ? 0 : x >= (double)packets ? packets : (uint64_t)(x + 0.5);
}

static size_t thin_out(struct traffic_input *in, size_t count)
{
	uint32_t n = in->options.sampling;
	size_t kept = 0;
	for (size_t i = 0; n > 1 && i < count; i++) {
		struct flow *f = &in->flows[i];
		uint64_t seen = looked_at(&in->random, f->packets, n);
		if (seen == 0)
			continue;
		f->bytes = (uint64_t)((double)f->bytes * (double)seen / (double)f->packets);
		f->packets = seen;
		f->sampling = f->sampling <= UINT32_MAX / n ? f->sampling * n : UINT32_MAX;
		in->flows[kept++] = *f;
	}
	return n > 1 ? kept : count;
}

/* ---- reading on ---- */

static bool is_inside(const struct traffic_input *in, wd_wall at)
{
	const struct traffic_input_options *o = &in->options;
	return (o->from.ns == 0 || at.ns >= o->from.ns) && (o->to.ns == 0 || at.ns < o->to.ns);
}

static enum wd_err next_flows(struct traffic_input *in, bool *ret_more, struct wd_why *why)
{
	size_t count;
	for (;;) {
		enum wd_err err =
			capture_next(in->capture, in->flows, FLOWS_MAX, &count, &in->at, why);
		if (err != WD_OK && in->options.skip_bad && err != WD_NOMEM) {
			in->counts.bad++;
			count = 0;
		} else if (err != WD_OK)
			return err;
		if (count == 0) {
			*ret_more = false;
			return WD_OK;
		}
		in->counts.records += count;
		if (!is_inside(in, in->at)) {
			in->counts.outside += count;
			continue;
		}
		in->flow_count = thin_out(in, count);
		if (in->flow_count > 0)
			return WD_OK;
	}
}

static enum wd_err next_request(struct traffic_input *in, bool *ret_more, struct wd_why *why)
{
	char *line;
	size_t len;
	for (;;) {
		enum wd_err err = lines_next(in->lines, &line, &len, why);
		if (err != WD_OK && (why == NULL || why->at == 0))
			return err; /* the file is damaged, not a line of it */
		if (err != WD_OK) {
			in->counts.bad++; /* too long */
			continue;
		}
		if (line == NULL) {
			*ret_more = false;
			return WD_OK;
		}
		if (accesslog_read(&in->log, line, len, &in->request, NULL) != WD_OK)
			continue; /* the reader counts them */
		in->counts.records++;
		if (!is_inside(in, in->request.at)) {
			in->counts.outside++;
			continue;
		}
		if (wall_before(in->at, in->request.at))
			in->at = in->request.at;
		return WD_OK;
	}
}

enum wd_err traffic_input_next(struct traffic_input *in, wd_wall *ret_at, bool *ret_more,
			       struct wd_why *why)
{
	bool more = true;
	enum wd_err err = in->capture != NULL ? next_flows(in, &more, why)
					      : next_request(in, &more, why);
	if (err != WD_OK)
		return err;
	if (more)
		*ret_at = in->at;
	*ret_more = more;
	return WD_OK;
}

enum wd_err traffic_input_survey(const struct traffic_input_options *options, struct targets *t,
				 struct wd_why *why)
{
	struct traffic_input *in;
	bool more = true;
	wd_wall at;
	enum wd_err err = traffic_input_open(options, &in, why);
	if (err != WD_OK)
		return err;
	while (in->capture != NULL && more) {
		/* What is broken in it is told when it is played. */
		if (traffic_input_next(in, &at, &more, NULL) != WD_OK)
			break;
		if (more)
			targets_see(t, in->flows, in->flow_count);
	}
	traffic_input_close(in);
	return WD_OK;
}

/* ---- what it is ---- */

const char *traffic_input_kind(const struct traffic_input *in)
{
	return in->capture != NULL ? capture_kind_name(capture_kind(in->capture))
				   : accesslog_kind_name(in->log.kind);
}

bool traffic_input_is_log(const struct traffic_input *in) { return in->capture == NULL; }

struct traffic_input_counts traffic_input_count(const struct traffic_input *in)
{
	struct traffic_input_counts c = in->counts;
	if (in->capture != NULL) {
		struct capture_counters k = capture_counters(in->capture);
		c.packets = k.packets;
		c.mended = k.times_mended;
		c.bad += k.broken + k.cut;
		c.elsewhere = k.other + k.not_ip;
	} else {
		c.bad += in->log.malformed;
		c.elsewhere = in->log.others;
	}
	return c;
}

double traffic_input_progress(const struct traffic_input *in)
{
	return in->capture != NULL ? capture_progress(in->capture) : lines_progress(in->lines);
}
