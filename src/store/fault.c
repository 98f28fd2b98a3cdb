/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fault.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

struct file { sqlite3_file base; sqlite3_file *real; };

static sqlite3_vfs *real_vfs;
static sqlite3_vfs vfs;
static _Atomic int count, nth, code, stays, opened, open_nth;

void fault_set(int the_nth, int the_code, int it_stays)
{
	atomic_store(&nth, 0);
	atomic_store(&code, the_code);
	atomic_store(&stays, it_stays);
	atomic_store(&count, 0);
	atomic_store(&nth, the_nth);
}

int fault_count(void)
{
	return atomic_load(&count);
}

void fault_set_open(int the_nth)
{
	atomic_store(&opened, 0);
	atomic_store(&open_nth, the_nth);
}

int fault_count_open(void)
{
	return atomic_load(&opened);
}

static int fault(void)
{
	int now = atomic_fetch_add(&count, 1) + 1, at = atomic_load(&nth);
	return at != 0 && (now == at || (now > at && atomic_load(&stays))) ? atomic_load(&code)
									   : SQLITE_OK;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return ((struct file *)(void *)f)->real;
}

static int file_close(sqlite3_file *f)
{
	return real_of(f)->pMethods->xClose(real_of(f));
}
static int file_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}
static int file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = fault();
	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}
static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = fault();
	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xTruncate(real_of(f), size);
}
static int file_sync(sqlite3_file *f, int flags)
{
	int rc = fault();
	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xSync(real_of(f), flags);
}
static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), size);
}
static int file_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}
static int file_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}
static int file_check_lock(sqlite3_file *f, int *out)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}
static int file_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}
static int file_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}
static int file_traits(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}
static int file_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}
static int file_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), at, n, flags);
}
static void file_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}
static int file_shm_unmap(sqlite3_file *f, int remove)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
	2,           file_close,   file_read,     file_write,       file_truncate,  file_sync,
	file_size,   file_lock,    file_unlock,   file_check_lock,  file_control,   file_sector,
	file_traits, file_shm_map, file_shm_lock, file_shm_barrier, file_shm_unmap,
};

static int open_file(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	struct file *file = (struct file *)(void *)f;
	(void)v;
	file->base.pMethods = NULL;
	if (atomic_fetch_add(&opened, 1) + 1 == atomic_load(&open_nth))
		return SQLITE_CANTOPEN;
	file->real = (sqlite3_file *)(void *)(file + 1);
	memset(file->real, 0, (size_t)real_vfs->szOsFile);
	int rc = real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags);
	file->base.pMethods = file->real->pMethods != NULL ? &methods : NULL;
	return rc;
}

void fault_install(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	vfs = *real_vfs;
	vfs.zName = "fault";
	vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
	vfs.xOpen = open_file;
	sqlite3_vfs_register(&vfs, 1);
}
