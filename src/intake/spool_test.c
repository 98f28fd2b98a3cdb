/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed files: what they hold, where they are cut or damaged, and that what they unpack to
 * takes no memory. */
#include "intake/spool.h"

#include "base/check.h"
#include "base/prng.h"
#include "decode/testdata.h"
#include "intake/capture_file.h"
#include "intake/lines.h"
#include "intake/unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

static char path[] = "/tmp/whydown-spool-XXXXXX";

static void write_file(const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static size_t pack(enum unpack_kind kind, const uint8_t *bytes, size_t len, uint8_t **ret_packed)
{
	size_t room = compressBound(len) + ZSTD_compressBound(len) + 64;
	uint8_t *packed = malloc(room);
	assert_non_null(packed);
	*ret_packed = packed;
	if (kind == UNPACK_PLAIN) {
		memcpy(packed, bytes, len);
		return len;
	}
	if (kind == UNPACK_ZSTD) {
		size_t size = ZSTD_compress(packed, room, bytes, len, 1);
		assert_false(ZSTD_isError(size));
		return size;
	}
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)bytes, .avail_in = (uInt)len,
		      .next_out = packed, .avail_out = (uInt)room};
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	size_t size = room - z.avail_out;
	deflateEnd(&z);
	return size;
}

static uint8_t *made_up(size_t len)
{
	struct prng random = prng_of(1, 2);
	uint8_t *bytes = malloc(len);
	assert_non_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(prng_u64(&random) & (i % 4096 < 2048 ? 0xff : 3));
	return bytes;
}

static void what_was_compressed_is_there_again(void **state)
{
	enum { LEN = 5 << 20 };
	uint8_t *bytes = made_up(LEN), *packed;
	struct spool s;
	(void)state;
	for (int kind = UNPACK_PLAIN; kind <= UNPACK_ZSTD; kind++) {
		size_t size = pack((enum unpack_kind)kind, bytes, LEN, &packed);
		write_file(packed, size);
		assert_int_equal(spool_open(&s, path, NULL), WD_OK);
		for (size_t at = 0; at < LEN; at += 70001) {
			size_t need = at + 70001 < LEN ? at + 70001 : LEN;
			assert_int_equal(spool_need(&s, need, NULL), WD_OK);
			assert_true(s.len >= need);
			assert_memory_equal(s.bytes + at, bytes + at, need - at);
			spool_give_back(&s, at);
			assert_true(spool_progress(&s, at) <= 1);
		}
		assert_int_equal(spool_need(&s, LEN + 1, NULL), WD_OK);
		assert_true(s.whole && s.len == LEN);
		spool_close(&s);
		free(packed);
	}
	free(bytes);
}

static void members_behind_each_other_are_one(void **state)
{
	enum { LEN = 300000 };
	uint8_t *bytes = made_up(2 * LEN), *first, *second, *both;
	struct spool s;
	(void)state;
	for (int kind = UNPACK_GZIP; kind <= UNPACK_ZSTD; kind++) {
		size_t a = pack((enum unpack_kind)kind, bytes, LEN, &first);
		size_t b = pack((enum unpack_kind)kind, bytes + LEN, LEN, &second);
		both = malloc(a + b + 100);
		assert_non_null(both);
		memcpy(both, first, a);
		memcpy(both + a, second, b);
		memset(both + a + b, 0, 100); /* filling, which gzip passes over */
		write_file(both, a + b + (kind == UNPACK_GZIP ? 100 : 0));
		assert_int_equal(spool_open(&s, path, NULL), WD_OK);
		assert_int_equal(spool_need(&s, SIZE_MAX, NULL), WD_OK);
		assert_int_equal(s.len, 2 * LEN);
		assert_memory_equal(s.bytes, bytes, 2 * LEN);
		spool_close(&s);
		free(first);
		free(second);
		free(both);
	}
	free(bytes);
}

/* As pzstd writes them: before each frame one that is to be skipped. */
static void frames_to_be_skipped_are_skipped(void **state)
{
	enum { LEN = 300000, SKIPPED = 12 };
	static const uint8_t skipped[SKIPPED] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
	uint8_t *bytes = made_up(LEN), *packed;
	struct spool s;
	(void)state;
	size_t size = pack(UNPACK_ZSTD, bytes, LEN, &packed);
	uint8_t *both = malloc(2 * (SKIPPED + size));
	assert_non_null(both);
	for (size_t i = 0; i < 2; i++) {
		memcpy(both + i * (SKIPPED + size), skipped, SKIPPED);
		memcpy(both + i * (SKIPPED + size) + SKIPPED, packed, size);
	}
	write_file(both, 2 * (SKIPPED + size));
	assert_int_equal(spool_open(&s, path, NULL), WD_OK);
	assert_int_equal(spool_need(&s, SIZE_MAX, NULL), WD_OK);
	assert_int_equal(s.len, 2 * LEN);
	assert_memory_equal(s.bytes + LEN, bytes, LEN);
	spool_close(&s);
	free(both);
	free(packed);
	free(bytes);
}

static void what_is_cut_or_damaged_is_told_again_and_again(void **state)
{
	enum { LEN = 3 << 20, BLOCK_MAX = 128 << 10 };
	uint8_t *bytes = made_up(LEN), *packed;
	struct spool s;
	struct wd_why why;
	(void)state;
	for (int kind = UNPACK_GZIP; kind <= UNPACK_ZSTD; kind++) {
		size_t size = pack((enum unpack_kind)kind, bytes, LEN, &packed);
		assert_true(size / 4 > BLOCK_MAX + 3);
		for (int damaged = 0; damaged < 2; damaged++) {
			/* More than a block, so that a block's head is hit: nothing else need tell
			 * in a zstd frame without a checksum. */
			if (damaged)
				memset(packed + size / 2, 0xff, size / 4);
			write_file(packed, damaged ? size : size / 2);
			assert_int_equal(spool_open(&s, path, NULL), WD_OK);
			for (int again = 0; again < 3; again++) {
				assert_int_equal(spool_need(&s, LEN, &why),
						 damaged ? WD_MALFORMED : WD_SHORT);
				assert_non_null(why.what);
			}
			assert_true(s.len > LEN / 8 && s.len < LEN);
			assert_memory_equal(s.bytes, bytes, s.len / 2); /* before it all is well */
			spool_close(&s);
		}
		for (size_t len = 5; len < 40; len++) {
			write_file(packed, len);
			assert_int_equal(spool_open(&s, path, NULL), WD_OK);
			assert_int_equal(spool_need(&s, LEN, NULL), WD_SHORT);
			spool_close(&s);
		}
		free(packed);
	}
	free(bytes);
}

/* ---- captures and lines ---- */

enum { CAP = 2 * EXPORT_FLOWS_MAX };

struct got { enum wd_err err; uint64_t flows, hash; size_t memory; };

static size_t resident_bytes(void)
{
	char line[100], *second; /* "size resident …", in pages */
	FILE *f = fopen("/proc/self/statm", "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	fclose(f);
	assert_true(strtoul(line, &second, 10) > 0);
	return strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* All flows of the file; the most memory that was in use. */
static struct got read_capture(void)
{
	static const struct capture_options options = {.begin = {WD_NS_PER_S}};
	struct got got = {.err = WD_OK};
	struct flow *flows = calloc(CAP, sizeof(*flows));
	struct capture_file *c = NULL;
	size_t count = 1, batches = 0;
	wd_wall at;
	assert_non_null(flows);
	got.err = capture_open(path, &options, &c, NULL);
	while (got.err == WD_OK && count > 0) {
		got.err = capture_next(c, flows, CAP, &count, &at, NULL);
		for (size_t i = 0; got.err == WD_OK && i < count; i++) {
			const struct flow *f = &flows[i];
			got.hash = crc32_z(got.hash, f->src, 2 * sizeof(f->src));
			got.hash = crc32_z(got.hash, (const uint8_t *)&f->packets, 16);
			got.hash = crc32_z(got.hash, f->payload, f->payload_len);
			got.flows++;
		}
		size_t memory = batches++ % 64 == 0 ? resident_bytes() : 0;
		got.memory = memory > got.memory ? memory : got.memory;
	}
	capture_close(c);
	free(flows);
	return got;
}

static void same_as_plain(void *context, const char *file, const uint8_t *bytes, size_t len)
{
	size_t *checked = context;
	uint8_t *packed;
	write_file(bytes, len);
	struct got plain = read_capture();
	for (int kind = UNPACK_GZIP; kind <= UNPACK_ZSTD && len > 0; kind++) {
		size_t size = pack((enum unpack_kind)kind, bytes, len, &packed);
		write_file(packed, size);
		struct got got = read_capture();
		if (got.err != plain.err || got.flows != plain.flows || got.hash != plain.hash)
			fail_msg("%s: %d %lu, not %d %lu", file, (int)got.err,
				 (unsigned long)got.flows, (int)plain.err,
				 (unsigned long)plain.flows);
		free(packed);
		*checked += plain.flows > 0;
	}
}

static void compressed_captures_are_as_they_were(void **state)
{
	static const char *const folders[] = {"ddos", "flow/logstash-pcap", "flow/logstash"};
	size_t checked = 0, files = 0;
	(void)state;
	for (size_t i = 0; i < WD_COUNT(folders); i++)
		files += testdata_each(folders[i], same_as_plain, &checked);
	assert_true(files == 0 || checked > 0);
}

/* 400 MB of equal packets, which are 2 MB or less when they are compressed. */
static void what_it_unpacks_to_takes_no_memory(void **state)
{
	enum { PACKET = 16 + 20 + 8 + 1000, PACKETS = 400000, HEAD = 24 };
	static const uint8_t head[HEAD] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, [16] = 0xff, 0xff,
					   0, 0, 101};
	uint8_t packet[PACKET] = {
		[8] = (PACKET - 16) & 255, [9] = (PACKET - 16) >> 8, [12] = (PACKET - 16) & 255,
		[13] = (PACKET - 16) >> 8, [16] = 0x45, [18] = (PACKET - 16) >> 8,
		[19] = (PACKET - 16) & 255, [24] = 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1,
		[36] = 0, 53, 16, 0, (PACKET - 36) >> 8, (PACKET - 36) & 255};
	gzFile f = gzopen(path, "wb1");
	(void)state;
	assert_non_null(f);
	assert_int_equal(gzwrite(f, head, HEAD), HEAD);
	for (uint32_t i = 0; i < PACKETS; i++) {
		uint32_t at = 1000000000 + i / 1000;
		memcpy(packet, &at, sizeof(at));
		assert_int_equal(gzwrite(f, packet, PACKET), PACKET);
	}
	assert_int_equal(gzclose(f), Z_OK);
	size_t before = resident_bytes();
	struct got got = read_capture();
	assert_int_equal(got.err, WD_OK);
	assert_int_equal(got.flows, PACKETS);
	print_message("%zu MB more while 400 MB were read\n", (got.memory - before) >> 20);
	assert_true(got.memory < before + (32 << 20));
}

static void lines_of_zstd_come_whole(void **state)
{
	enum { LEN = 1 << 20 };
	uint8_t *text = malloc(LEN), *packed;
	struct lines *l;
	char *line;
	size_t len, count = 0;
	(void)state;
	assert_non_null(text);
	memset(text, 'x', LEN);
	for (size_t i = 99; i < LEN; i += 100)
		text[i] = '\n';
	size_t size = pack(UNPACK_ZSTD, text, LEN, &packed);
	write_file(packed, size);
	assert_int_equal(lines_open(path, &l, NULL), WD_OK);
	while (lines_next(l, &line, &len, NULL) == WD_OK && line != NULL)
		count += len == 99;
	assert_int_equal(count, LEN / 100);
	assert_true(lines_progress(l) == 1);
	lines_close(l);
	write_file(packed, size / 2);
	assert_int_equal(lines_open(path, &l, NULL), WD_OK);
	enum wd_err err;
	while ((err = lines_next(l, &line, &len, NULL)) == WD_OK && line != NULL)
		;
	assert_int_equal(err, WD_SHORT);
	lines_close(l);
	free(packed);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_compressed_is_there_again),
		cmocka_unit_test(members_behind_each_other_are_one),
		cmocka_unit_test(frames_to_be_skipped_are_skipped),
		cmocka_unit_test(what_is_cut_or_damaged_is_told_again_and_again),
		cmocka_unit_test(compressed_captures_are_as_they_were),
		cmocka_unit_test(what_it_unpacks_to_takes_no_memory),
		cmocka_unit_test(lines_of_zstd_come_whole),
	};
	int fd = mkstemp(path);
	if (fd < 0)
		return 1;
	close(fd);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
