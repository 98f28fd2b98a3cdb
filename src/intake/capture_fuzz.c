/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of traffic: it ends, its clock never goes back, and each batch has flows of
 * sound times with payloads that can be read. */
#include "intake/capture_file.h"

#include "base/check.h"
#include "decode/export_fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t batch_check(const struct flow *flows, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		WD_CHECK((flows[i].payload == NULL) == (flows[i].payload_len == 0));
		sum += export_fuzz_flow(&flows[i]);
	}
	return sum;
}

static void read_all(struct capture_file *c)
{
	static struct flow flows[EXPORT_FLOWS_MAX];
	wd_wall at, before = {INT64_MIN};
	volatile uint64_t sum = 0;
	size_t count;
	struct wd_why why;

	for (;;) {
		enum wd_err err = capture_next(c, flows, EXPORT_FLOWS_MAX, &count, &at, &why);
		if (err != WD_OK) {
			WD_CHECK(why.what != NULL);
			continue; /* told once; then it is at its end */
		}
		if (count == 0)
			break;
		WD_CHECK(count <= EXPORT_FLOWS_MAX && !wall_before(at, before));
		WD_CHECK(at.ns >= 0 && wall_to_s(at) < INT64_C(7258118400) + UINT32_MAX / 1000);
		before = at;
		sum += batch_check(flows, count);
	}
	(void)sum;
	WD_CHECK(capture_progress(c) >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = {{3}};
	static int fd = -1;
	static char path[32];
	struct capture_options options = {.begin = wall_s(1700000000)};
	const struct sflow_limits limits = {16};
	struct capture_file *c;

	if (size < 2 || size > 1 << 17)
		return 0;
	if (fd < 0) {
		fd = memfd_create("capture", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	WD_CHECK(fd >= 0 && ftruncate(fd, 0) == 0);
	WD_CHECK(pwrite(fd, data + 1, size - 1, 0) == (ssize_t)size - 1);
	options.kind = data[0] % 4;
	WD_CHECK(exports_open(&export_fuzz_limits, &key, &options.exports) == WD_OK);
	WD_CHECK(sflow_open(&limits, &key, &options.sflow) == WD_OK);
	if (capture_open(path, &options, &c, NULL) == WD_OK) {
		read_all(c);
		capture_close(c);
	}
	exports_close(options.exports);
	sflow_close(options.sflow);
	return 0;
}
