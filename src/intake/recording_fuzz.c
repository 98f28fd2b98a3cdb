/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a recording's file, gzip or not: what is handed out is sound, and its clock never
 * goes back; a refusal has its place. */
#include "base/check.h"
#include "intake/recording.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void play(const char *path, bool skip_bad)
{
	struct recording_options options = {.path = path, .skip_bad = skip_bad, .rows_max = 100000};
	struct recording *r = NULL;
	struct recorded o;
	struct wd_why why = {0};
	wd_wall last = {INT64_MIN};
	bool more = true;

	if (recording_open(&options, &r, &why) != WD_OK) {
		WD_CHECK(r == NULL && why.what != NULL);
		return;
	}
	while (more) {
		if (recording_next(r, &o, &more, &why) != WD_OK) {
			WD_CHECK(why.what != NULL);
			break;
		}
		if (!more)
			break;
		WD_CHECK(observation_is_sound(&o.observation, NULL));
		WD_CHECK(o.clock.ns >= last.ns);
		last = o.clock;
	}
	recording_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32];
	int fd = memfd_create("recording", MFD_CLOEXEC);

	if (fd < 0)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size) {
		play(path, false);
		play(path, true);
	}
	close(fd);
	return 0;
}
