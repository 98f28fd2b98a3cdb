/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/person.h"

#include "base/bytes.h"
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

/* person.key: the day (days since 1970, i64 little-endian), the secret, and the first bytes
 * of a hash of both, which tells a torn write. */
enum { SECRET_LEN = 32, CHECK_LEN = 16, FILE_LEN = 8 + SECRET_LEN + CHECK_LEN };

struct persons {
	pthread_mutex_t lock;
	int64_t day;
	uint8_t secret[SECRET_LEN];
	uint8_t client_key[crypto_shorthash_KEYBYTES];
	int folder;
};

static const char file_name[] = "person.key", new_name[] = "person.key.new";

static int64_t day_of(wd_wall t)
{
	int64_t s = wall_to_s(t);
	return floor_div(s, 86400);
}

static void file_check(const uint8_t *file, uint8_t check[CHECK_LEN])
{
	crypto_generichash(check, CHECK_LEN, file, FILE_LEN - CHECK_LEN, NULL, 0);
}

/* Reads today's secret; false if there is none that may be used. */
static bool load(struct persons *p, int64_t today)
{
	uint8_t file[FILE_LEN + 1], check[CHECK_LEN];
	struct stat st;
	int fd = openat(p->folder, file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) == 0 &&
		    read(fd, file, sizeof(file)) == FILE_LEN;
	close(fd);
	if (good) {
		struct cur c = cur_over(file, FILE_LEN);
		p->day = cur_i64(&c);
		cur_copy(&c, p->secret, sizeof(p->secret));
		file_check(file, check);
		good = p->day == today &&
		       memcmp(check, file + FILE_LEN - CHECK_LEN, CHECK_LEN) == 0;
	}
	sodium_memzero(file, sizeof(file));
	return good;
}

/* Overwrites a file with noise where it lies, before its name goes. */
static void destroy(int folder, const char *name)
{
	uint8_t noise[FILE_LEN];
	int fd = openat(folder, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		randombytes_buf(noise, sizeof(noise));
		if (write(fd, noise, sizeof(noise)) == sizeof(noise))
			(void)fdatasync(fd);
		close(fd);
	}
	(void)unlinkat(folder, name, 0);
}

static bool write_new(const struct persons *p, int fd)
{
	uint8_t file[FILE_LEN];
	uint64_t day = (uint64_t)p->day;
	for (size_t i = 0; i < 8; i++)
		file[i] = (uint8_t)(day >> 8 * i);
	memcpy(file + 8, p->secret, SECRET_LEN);
	file_check(file, file + FILE_LEN - CHECK_LEN);
	bool written = write(fd, file, sizeof(file)) == sizeof(file) && fsync(fd) == 0;
	sodium_memzero(file, sizeof(file));
	return written;
}

static enum wd_err save(const struct persons *p, struct wd_why *why)
{
	destroy(p->folder, file_name); /* yesterday's goes even if today's cannot be written */
	destroy(p->folder, new_name);
	int fd = openat(p->folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return wd_fail_os(why, errno, "make person.key");
	errno = 0;
	bool written = write_new(p, fd);
	int os_errno = errno != 0 ? errno : ENOSPC;
	close(fd);
	if (!written)
		return wd_fail_os(why, os_errno, "write person.key");
	if (renameat(p->folder, new_name, p->folder, file_name) != 0)
		return wd_fail_os(why, errno, "rename person.key");
	return fsync(p->folder) == 0 ? WD_OK : wd_fail_os(why, errno, "write the data folder");
}

static enum wd_err renew(struct persons *p, int64_t today, struct wd_why *why)
{
	p->day = today;
	randombytes_buf(p->secret, sizeof(p->secret));
	randombytes_buf(p->client_key, sizeof(p->client_key));
	return save(p, why);
}

/* A clock that steps back a little over midnight changes nothing: the day has begun. One that
 * was far ahead and is put right does. */
static bool is_over(const struct persons *p, int64_t today)
{
	return today > p->day || today < p->day - 1;
}

enum wd_err persons_open(const char *folder, wd_wall now, struct persons **ret_persons,
			 struct wd_why *why)
{
	enum wd_err err = WD_OK;
	struct persons *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return wd_fail(why, WD_NOMEM, 0, "keep the secret of the day");
	WD_CHECK(sodium_init() >= 0);
	WD_CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
	randombytes_buf(p->client_key, sizeof(p->client_key));
	p->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->folder < 0) {
		err = wd_fail_os(why, errno, "open the data folder");
		goto fail;
	}
	if (!load(p, day_of(now)))
		err = renew(p, day_of(now), why);
	if (err != WD_OK)
		goto fail;
	*ret_persons = p;
	return WD_OK;
fail:
	persons_close(p);
	return err;
}

void persons_close(struct persons *p)
{
	if (p == NULL)
		return;
	if (p->folder >= 0)
		close(p->folder);
	pthread_mutex_destroy(&p->lock);
	sodium_memzero(p->secret, sizeof(p->secret));
	sodium_memzero(p->client_key, sizeof(p->client_key));
	free(p);
}

static enum wd_err advance_locked(struct persons *p, wd_wall now, struct wd_why *why)
{
	return is_over(p, day_of(now)) ? renew(p, day_of(now), why) : WD_OK;
}

enum wd_err persons_advance(struct persons *p, wd_wall now, struct wd_why *why)
{
	pthread_mutex_lock(&p->lock);
	enum wd_err err = advance_locked(p, now, why);
	pthread_mutex_unlock(&p->lock);
	return err;
}

/* A hash of the first `len` bytes under the day's secret; never 0. */
static uint64_t hash_under_secret(struct persons *p, const uint8_t *bytes, size_t len, wd_wall now)
{
	uint8_t secret[SECRET_LEN], hash[crypto_generichash_BYTES_MIN];
	uint64_t number;

	pthread_mutex_lock(&p->lock);
	/* Only writing the file can fail, and the new secret is good without it. */
	(void)advance_locked(p, now, NULL);
	memcpy(secret, p->secret, sizeof(secret));
	pthread_mutex_unlock(&p->lock);
	crypto_generichash(hash, sizeof(hash), bytes, len, secret, sizeof(secret));
	sodium_memzero(secret, sizeof(secret));
	memcpy(&number, hash, sizeof(number));
	return number != 0 ? number : 1;
}

static bool is_v4(const uint8_t address[16])
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

/* An IPv4 address is hashed whole, mapped; of an IPv6 address the /64. */
static size_t person_len(const uint8_t address[16])
{
	return is_v4(address) ? 16 : 8;
}

uint64_t persons_hash(struct persons *p, const uint8_t address[16], wd_wall now)
{
	return hash_under_secret(p, address, person_len(address), now);
}

uint64_t persons_client(struct persons *p, const uint8_t address[16], wd_wall now)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint64_t number;

	pthread_mutex_lock(&p->lock);
	(void)advance_locked(p, now, NULL);
	crypto_shorthash(hash, address, person_len(address), p->client_key);
	pthread_mutex_unlock(&p->lock);
	memcpy(&number, hash, sizeof(number));
	return number != 0 ? number : 1;
}

uint32_t persons_network(struct persons *p, const uint8_t address[16], wd_wall now)
{
	/* RFC 6996: 4200000000 to 4294967294 are nobody's. */
	uint32_t span = UINT32_C(4294967294) - NETWORK_UNNAMED_MIN + 1;
	uint64_t hash = hash_under_secret(p, address, is_v4(address) ? 14 : 4, now);
	return NETWORK_UNNAMED_MIN + (uint32_t)(hash % span);
}
