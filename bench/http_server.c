/* SPDX-License-Identifier: Apache-2.0 */
/* The server that bench/http.sh measures: a page, its 304, POSTs answered in batches by
 * another thread, event streams. Prints its port; runs until its input ends. */
#include "publish/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WAITING_MAX = 16384, EVENT_LEN = 300 };

struct app {
	struct http *http;
	struct http_response *page, *accepted, *done;
	pthread_mutex_t lock;
	pthread_cond_t arrived;
	struct http_token waiting[WAITING_MAX];
	size_t waiting_count;
	bool stop;
};

static struct http_response *handle(void *context, struct http_request *req)
{
	struct app *app = context;

	if (req->method == HTTP_POST) {
		/* As a group commit does: the token waits with all others. */
		pthread_mutex_lock(&app->lock);
		bool room = app->waiting_count < WAITING_MAX;
		if (room) {
			app->waiting[app->waiting_count++] = http_defer(req);
			if (app->waiting_count == 1)
				pthread_cond_signal(&app->arrived);
		}
		pthread_mutex_unlock(&app->lock);
		return room ? NULL : http_response_problem(503, NULL);
	}
	if (strcmp(req->path, "/events") == 0)
		return http_stream(req);
	if (strcmp(req->path, "/publish") == 0) {
		char data[EVENT_LEN];
		memset(data, 'x', sizeof(data));
		if (http_stream_publish(app->http, "snapshot", data, sizeof(data)) != WD_OK)
			return NULL;
		return http_response_ref(app->done);
	}
	return http_response_ref(app->page);
}

static void *finish_batches(void *context)
{
	static struct http_finished batch[WAITING_MAX];
	struct app *app = context;

	pthread_mutex_lock(&app->lock);
	while (!app->stop) {
		while (app->waiting_count == 0 && !app->stop)
			pthread_cond_wait(&app->arrived, &app->lock);
		size_t count = app->waiting_count;
		for (size_t i = 0; i < count; i++)
			batch[i] = (struct http_finished){app->waiting[i],
							  http_response_ref(app->accepted)};
		app->waiting_count = 0;
		pthread_mutex_unlock(&app->lock);
		http_finish(app->http, batch, count);
		usleep(1000); /* a commit takes a while; others gather */
		pthread_mutex_lock(&app->lock);
	}
	pthread_mutex_unlock(&app->lock);
	return NULL;
}

static struct http_response *response(int status, const void *body, size_t len,
				      enum http_compress compress)
{
	struct http_response *r;
	struct http_response_options o = {.status = status, .body = body, .body_len = len,
					  .content_type = "text/html; charset=utf-8",
					  .compress = compress};

	if (http_response_make(&o, &r, NULL) != WD_OK)
		exit(1);
	return r;
}

static struct http_response *page_read(const char *path)
{
	static char page[1 << 20];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	size_t len = fread(page, 1, sizeof(page), f);
	fclose(f);
	return response(200, page, len, HTTP_COMPRESS_BEST);
}

int main(int argc, char **argv)
{
	static const char *const LISTEN[] = {"127.0.0.1:0"};
	struct app app = {.lock = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER};
	struct http_handler handler = {.handle = handle, .app = &app};
	struct http_options o = http_options_default();
	struct rlimit files;
	struct wd_why why = {0};
	pthread_t finisher;

	if (argc != 2) {
		fprintf(stderr, "usage: http_server PAGE\n");
		return 2;
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	app.page = page_read(argv[1]);
	app.accepted = response(202, "{}\n", 3, HTTP_COMPRESS_NONE);
	app.done = response(200, "", 0, HTTP_COMPRESS_NONE);
	o.listen = LISTEN;
	o.workers = 1;
	/* wrk's connections all come from one address; the caps stay far below the load. */
	o.connections_per_address_max = 600;
	o.streams_per_address_max = 600;
	o.accepts_per_address_per_s_max = 1000;
	if (http_open(&o, &handler, &app.http, &why) != WD_OK) {
		fprintf(stderr, "http_server: %s: %s\n", why.what, strerror(why.os_errno));
		return 1;
	}
	pthread_create(&finisher, NULL, finish_batches, &app);
	printf("%d\n", http_port(app.http, 0));
	fflush(stdout);
	while (getchar() != EOF)
		continue;
	pthread_mutex_lock(&app.lock);
	app.stop = true;
	pthread_cond_signal(&app.arrived);
	pthread_mutex_unlock(&app.lock);
	pthread_join(finisher, NULL);
#define PRINT(name, kind, meaning) fprintf(stderr, "%s %llu\n", #name, (unsigned long long)c.name);
	struct http_counters c = http_counters_read(app.http);
	HTTP_COUNTERS(PRINT)
	http_close(app.http);
	http_response_unref(app.page);
	http_response_unref(app.accepted);
	http_response_unref(app.done);
	return 0;
}
