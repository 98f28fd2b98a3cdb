/* SPDX-License-Identifier: Apache-2.0 */
#include "command/server.h"
enum wd_err intake_open(struct server *s, struct wd_why *why) { (void)s; (void)why; return WD_OK; }
void intake_close(struct intake *i) { (void)i; }
void intake_reload(struct server *s) { (void)s; }
bool intake_takes(const struct http_request *req) { (void)req; return false; }
struct http_response *intake_begin(struct server *s, const struct http_request *req,
				   size_t *body_max)
{
	(void)s;
	(void)req;
	(void)body_max;
	return NULL;
}
struct http_response *intake_handle(struct server *s, struct http_request *req)
{
	(void)s;
	(void)req;
	return NULL;
}
void intake_done(void *ctx, const struct journal_done *done) { (void)ctx; (void)done; }
void intake_metrics(struct server *s, struct metrics *m) { (void)s; (void)m; }
