/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/place.h"

#include "base/check.h"
#include "base/text.h"
#include "decode/words.h"
#include "intake/place_inner.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_COUNT = 3 };

struct database { bool open; MMDB_s mmdb; };

struct places {
	pthread_rwlock_t lock; /* held for reading while looking up, for writing to swap */
	struct database files[FILE_COUNT];
};

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_v4(const uint8_t address[16])
{
	return memcmp(address, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* The first `bits` bits of both are the same. */
static bool has_prefix(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	if (memcmp(address, prefix, whole) != 0)
		return false;
	return rest == 0 || ((address[whole] ^ prefix[whole]) & (0xff00 >> rest) & 0xff) == 0;
}

bool address_is_private(const uint8_t address[16])
{
	static const struct { uint8_t prefix[4]; unsigned bits;
	} v4[] = {
		{{0}, 8},         {{10}, 8},
		{{100, 64}, 10},  {{127}, 8},
		{{169, 254}, 16}, {{172, 16}, 12},
		{{192, 168}, 16}, {{224}, 3} /* multicast, reserved */,
	};
	static const struct { uint8_t prefix[16]; unsigned bits; } v6[] = {
		{{0}, 128},         /* :: */
		{{[15] = 1}, 128},  /* ::1 */
		{{0xfc}, 7},        /* unique local */
		{{0xfe, 0x80}, 10}, /* link-local */
		{{0xff}, 8},        /* multicast */
	};
	if (is_v4(address)) {
		for (size_t i = 0; i < WD_COUNT(v4); i++) {
			if (has_prefix(address + 12, v4[i].prefix, v4[i].bits))
				return true;
		}
		return false;
	}
	for (size_t i = 0; i < WD_COUNT(v6); i++) {
		if (has_prefix(address, v6[i].prefix, v6[i].bits))
			return true;
	}
	return false;
}

/* libmaxminddb 1.7 multiplies in 32 bits when it looks whether the tree fits into the file. */
static bool tree_fits(const MMDB_s *mmdb)
{
	return (uint64_t)mmdb->metadata.node_count * mmdb->full_record_byte_size <=
	       (uint64_t)mmdb->file_size;
}

enum wd_err place_file_open(const char *path, uint32_t at, MMDB_s *ret_mmdb, struct wd_why *why)
{
	errno = 0;
	int status = MMDB_open(path, MMDB_MODE_MMAP, ret_mmdb);
	int os_errno = errno;
	if (status == MMDB_SUCCESS && tree_fits(ret_mmdb))
		return WD_OK;
	if (status == MMDB_SUCCESS)
		MMDB_close(ret_mmdb);
	if (status == MMDB_OUT_OF_MEMORY_ERROR)
		return wd_fail(why, WD_NOMEM, at, "open a place file");
	if (status != MMDB_FILE_OPEN_ERROR && status != MMDB_IO_ERROR)
		return wd_fail(why, WD_MALFORMED, at, "the place file is no MaxMind DB file");
	enum wd_err err = wd_fail_os(why, os_errno, "open a place file");
	if (why != NULL)
		why->at = at;
	return err;
}

static void files_close(struct database files[FILE_COUNT])
{
	for (size_t i = 0; i < FILE_COUNT; i++) {
		if (files[i].open)
			MMDB_close(&files[i].mmdb);
		files[i].open = false;
	}
}

static enum wd_err files_open(const struct place_files *paths, struct database files[FILE_COUNT],
			      struct wd_why *why)
{
	const char *const names[FILE_COUNT] = {paths->city, paths->country, paths->network};

	memset(files, 0, FILE_COUNT * sizeof(*files));
	for (uint32_t i = 0; i < FILE_COUNT; i++) {
		if (names[i] == NULL || names[i][0] == '\0')
			continue;
		enum wd_err err = place_file_open(names[i], i, &files[i].mmdb, why);
		files[i].open = err == WD_OK;
		if (err != WD_OK) {
			files_close(files);
			return err;
		}
	}
	return WD_OK;
}

enum wd_err places_open(const struct place_files *files, struct places **ret_places,
			struct wd_why *why)
{
	struct places *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return wd_fail(why, WD_NOMEM, 0, "open the place files");
	enum wd_err err = files_open(files, p->files, why);
	if (err != WD_OK) {
		free(p);
		return err;
	}
	WD_CHECK(pthread_rwlock_init(&p->lock, NULL) == 0);
	*ret_places = p;
	return WD_OK;
}

enum wd_err places_reload(struct places *p, const struct place_files *files, struct wd_why *why)
{
	struct database new[FILE_COUNT], old[FILE_COUNT];
	enum wd_err err = files_open(files, new, why);
	if (err != WD_OK)
		return err;
	pthread_rwlock_wrlock(&p->lock);
	memcpy(old, p->files, sizeof(old));
	memcpy(p->files, new, sizeof(new));
	pthread_rwlock_unlock(&p->lock);
	files_close(old);
	return WD_OK;
}

void places_close(struct places *p)
{
	if (p == NULL)
		return;
	files_close(p->files);
	pthread_rwlock_destroy(&p->lock);
	free(p);
}

/* The first of the paths (each ended by NULL, the list by an empty one) that leads to a value
 * of that type. A damaged file is as good as one that knows nothing. */
enum { PATHS_MAX = 4, PATH_LEN_MAX = 5 };
typedef const char *const path_list[PATHS_MAX][PATH_LEN_MAX];

static bool find_value(MMDB_entry_s *entry, path_list paths, uint32_t type,
		       MMDB_entry_data_s *ret_data)
{
	for (size_t i = 0; i < PATHS_MAX && paths[i][0] != NULL; i++) {
		MMDB_entry_data_s data;
		if (MMDB_aget_value(entry, &data, paths[i]) == MMDB_SUCCESS && data.has_data &&
		    data.type == type) {
			*ret_data = data;
			return true;
		}
	}
	return false;
}

/* Text of the file, unless dst has one already or it is not fit to be shown. */
static void find_text(MMDB_entry_s *entry, path_list paths, char *dst, size_t dst_size)
{
	MMDB_entry_data_s data;
	char text[256];
	if (dst[0] != '\0' || !find_value(entry, paths, MMDB_DATA_TYPE_UTF8_STRING, &data) ||
	    !words_are_line(data.utf8_string, data.data_size, sizeof(text) - 1))
		return;
	memcpy(text, data.utf8_string, data.data_size);
	text[data.data_size] = '\0';
	(void)text_copy(dst, dst_size, text); /* a name that is too long is cut */
}

void place_find_country(MMDB_entry_s *entry, struct place *place)
{
	static path_list paths = {
		{"country", "iso_code"},
		{"country_code"},
		{"country"},
		{"registered_country", "iso_code"},
	};
	char text[4] = "";
	if (place->country[0] != '\0')
		return;
	find_text(entry, paths, text, sizeof(text));
	if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z' && text[2] == '\0')
		memcpy(place->country, text, 3);
}

void place_find_network(MMDB_entry_s *entry, struct place *place)
{
	static path_list paths = {{"autonomous_system_number"}};
	MMDB_entry_data_s data;
	if (place->network == 0 && find_value(entry, paths, MMDB_DATA_TYPE_UINT32, &data))
		place->network = data.uint32;
}

static void find_in(const MMDB_s *mmdb, const struct sockaddr *address, struct place *place)
{
	static path_list regions = {{"subdivisions", "0", "names", "en"}, {"state1"}, {"region"}};
	static path_list cities = {{"city", "names", "en"}, {"city"}};
	int error = MMDB_SUCCESS;

	/* An IPv6 address in a file of IPv4 only is an error of the library's: not found. */
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(mmdb, address, &error);
	if (error != MMDB_SUCCESS || !found.found_entry)
		return;
	place_find_country(&found.entry, place);
	find_text(&found.entry, regions, place->region, sizeof(place->region));
	find_text(&found.entry, cities, place->city, sizeof(place->city));
	place_find_network(&found.entry, place);
}

struct place places_find(struct places *p, const uint8_t address[16])
{
	struct place place = {0};
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} socket_address = {0};

	if (address_is_private(address))
		return place;
	if (is_v4(address)) {
		socket_address.v4.sin_family = AF_INET;
		memcpy(&socket_address.v4.sin_addr, address + 12, 4);
	} else {
		socket_address.v6.sin6_family = AF_INET6;
		memcpy(&socket_address.v6.sin6_addr, address, 16);
	}
	pthread_rwlock_rdlock(&p->lock);
	for (size_t i = 0; i < FILE_COUNT; i++) {
		if (p->files[i].open)
			find_in(&p->files[i].mmdb, &socket_address.any, &place);
	}
	pthread_rwlock_unlock(&p->lock);
	return place;
}
