/* SPDX-License-Identifier: Apache-2.0 */
#include "publish/exporters.h"

#include "publish/json_out.h"

#include <arpa/inet.h>
#include <string.h>

void exporters_address_text(const struct exporters_address *a, char dst[46])
{
	dst[0] = '\0';
	if (a->family != 0)
		inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->bytes, dst, 46);
}

static void address(struct buf *b, const char *name, const struct exporters_address *a)
{
	char text[46];
	exporters_address_text(a, text);
	wd_json_string(b, name, text[0] == '\0' ? NULL : text);
}

static void exporter(struct buf *b, const struct exporter_row *r)
{
	wd_json_open(b, NULL, '{');
	address(b, "address", &r->address);
	wd_json_string(b, "protocol",
		       r->version == 5 ? "netflow5" : r->version == 9 ? "netflow9" : "ipfix");
	wd_json_count(b, "source_id", r->source_id);
	wd_json_time(b, "seen_at", r->seen);
	wd_json_number(b, "clock_skew_s", (double)r->skew.ns / 1e9);
	wd_json_count(b, "sampling", r->sampling);
	wd_json_count(b, "templates", r->templates);
#define EXPORTER_COUNT(name) wd_json_count(b, #name, r->name);
	EXPORTER_COUNTS(EXPORTER_COUNT)
#undef EXPORTER_COUNT
	wd_json_close(b, '}');
}

static void data_source(struct buf *b, const struct sflow_row *r)
{
	wd_json_open(b, NULL, '{');
	address(b, "address", &r->sender);
	address(b, "agent", &r->agent);
	wd_json_count(b, "sub_agent", r->sub_agent);
	wd_json_count(b, "type", r->type);
	wd_json_count(b, "index", r->index);
	wd_json_time(b, "seen_at", r->seen);
	wd_json_count(b, "sampling", r->sampling);
	wd_json_count(b, "samples", r->samples);
	wd_json_count(b, "lost", r->lost);
	wd_json_count(b, "pool", r->pool);
	wd_json_count(b, "drops", r->drops);
	wd_json_count(b, "discards_in", r->discards_in);
	wd_json_count(b, "discards_out", r->discards_out);
	wd_json_close(b, '}');
}

static void sender(struct buf *b, const struct witness_state *w)
{
	wd_json_open(b, NULL, '{');
	wd_json_string(b, "name", w->name);
	wd_json_time(b, "heard_at", w->heard);
	wd_json_truth(b, "silent", w->silent);
	wd_json_number(b, "patience_s", (double)w->patience.ns / 1e9);
	wd_json_close(b, '}');
}

void exporters_json(struct buf *b, const struct exporters *e)
{
	wd_json_open(b, NULL, '{');
	wd_json_time(b, "now", e->now);
	wd_json_count(b, "receive_buffer_bytes", e->receive_buffer_bytes);
	wd_json_count(b, "kernel_drops", e->kernel_drops);
	wd_json_count(b, "refused_datagrams", e->refused_datagrams);
	wd_json_open(b, "senders", '[');
	for (size_t i = 0; i < e->sender_count; i++)
		sender(b, &e->senders[i]);
	wd_json_close(b, ']');
	wd_json_open(b, "exporters", '[');
	for (size_t i = 0; i < e->count; i++)
		exporter(b, &e->rows[i]);
	wd_json_close(b, ']');
	wd_json_open(b, "sflow", '[');
	for (size_t i = 0; i < e->sflow_count; i++)
		data_source(b, &e->sflow[i]);
	wd_json_close(b, ']');
	wd_json_open(b, "refused", '[');
	for (size_t i = 0; i < e->refused_count; i++) {
		wd_json_open(b, NULL, '{');
		address(b, "address", &e->refused[i].address);
		wd_json_count(b, "datagrams", e->refused[i].datagrams);
		wd_json_time(b, "seen_at", e->refused[i].seen);
		wd_json_close(b, '}');
	}
	wd_json_close(b, ']');
	wd_json_close(b, '}');
	buf_char(b, '\n');
}
