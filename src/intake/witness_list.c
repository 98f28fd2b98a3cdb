/* SPDX-License-Identifier: Apache-2.0 */
#include "intake/witness_list.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct row { char name[WITNESS_NAME_MAX + 1]; bool tells; /* atomic */ };
_Static_assert((int)WITNESS_NAME_MAX + 1 >= (int)INET6_ADDRSTRLEN, "addresses fit");

struct witness_list {
	struct row rows[WITNESSES_MAX]; /* names below `count` do not change */
	uint32_t count;                 /* atomic */
	pthread_mutex_t lock;           /* of who adds one */
};

enum wd_err witness_list_open(struct witness_list **ret_list)
{
	struct witness_list *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return WD_NOMEM;
	pthread_mutex_init(&l->lock, NULL);
	*ret_list = l;
	return WD_OK;
}

void witness_list_close(struct witness_list *l)
{
	if (l == NULL)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static uint32_t find(const struct witness_list *l, const char *name)
{
	uint32_t count = __atomic_load_n(&l->count, __ATOMIC_ACQUIRE);
	for (uint32_t n = 0; n < count; n++) {
		if (strcmp(l->rows[n].name, name) == 0)
			return n;
	}
	return WITNESS_NONE;
}

/* Any of those there are, but for one name always the same. */
static uint32_t shared_slot(const char *name)
{
	static const struct hash_key key;
	return (uint32_t)(hash_bytes(&key, name, strlen(name)) % WITNESSES_MAX);
}

static uint32_t slot_of(struct witness_list *l, const char *name)
{
	uint32_t slot = find(l, name);
	if (slot != WITNESS_NONE)
		return slot;
	pthread_mutex_lock(&l->lock);
	slot = find(l, name);
	if (slot == WITNESS_NONE && l->count == WITNESSES_MAX) {
		slot = shared_slot(name);
	} else if (slot == WITNESS_NONE) {
		slot = l->count;
		text_copy(l->rows[slot].name, sizeof(l->rows[slot].name), name);
		__atomic_store_n(&l->count, slot + 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&l->lock);
	return slot;
}

uint32_t witness_list_exporter(struct witness_list *l, const struct exporter_address *address)
{
	char name[WITNESS_NAME_MAX + 1] = "";
	int family = address->family == 4 ? AF_INET : AF_INET6;
	if (l == NULL || inet_ntop(family, address->bytes, name, sizeof(name)) == NULL)
		return WITNESS_NONE;
	return slot_of(l, name);
}

uint32_t witness_list_interface(struct witness_list *l, const char *name)
{
	return l == NULL ? WITNESS_NONE : slot_of(l, name);
}

bool witness_list_tells(struct witness_list *l, uint32_t slot, bool now)
{
	WD_CHECK(slot < WITNESSES_MAX);
	bool *tells = &l->rows[slot].tells;
	bool before = __atomic_load_n(tells, __ATOMIC_RELAXED);
	if (now && !before)
		__atomic_store_n(tells, true, __ATOMIC_RELAXED);
	return now || before;
}

const char *witness_list_name(const struct witness_list *l, uint32_t slot)
{
	return slot < __atomic_load_n(&l->count, __ATOMIC_ACQUIRE) ? l->rows[slot].name : NULL;
}
