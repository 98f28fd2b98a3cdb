/* SPDX-License-Identifier: Apache-2.0 */
/* person: an address → a number that stands for whoever sends from it today, and tells
 * nothing else. It is a BLAKE2b hash under a secret that is made fresh each UTC day. The
 * secret is kept in memory and, so that a restart within the day still knows who was
 * counted, in person.key of the data folder (mode 0600); when the day is over it is
 * overwritten, and with it goes the last way from a number to an address. (What an SSD or a
 * copy-on-write file system keeps of an overwritten block is beyond a program's reach.)
 * The addresses themselves are never written anywhere.
 *
 * An IPv6 network hands whole /64s to single customers, so those are hashed by /64. Any thread. */
#ifndef WD_INTAKE_PERSON_H
#define WD_INTAKE_PERSON_H

#include "base/err.h"
#include "base/units.h"
#include "model/observation.h"

#include <stdint.h>

struct persons;

/* WD_OS if person.key cannot be read or written. One that is damaged, or readable by others,
 * is replaced. */
enum wd_err persons_open(const char *folder, wd_wall now, struct persons **ret_persons,
			 struct wd_why *why) WD_MUST_CHECK;
void persons_close(struct persons *p); /* NULL is fine; the file stays for a restart */

/* Never 0. The address is 16 bytes, IPv4 mapped. */
uint64_t persons_hash(struct persons *p, const uint8_t address[16], wd_wall now);

/* The same for limits of rate, with a fifth of the work: SipHash under a key that is made fresh
 * with the secret and at each start, and is kept in memory only. Never 0. */
uint64_t persons_client(struct persons *p, const uint8_t address[16], wd_wall now);

/* Where no file names the network of a public address: a number that stands, today, for its
 * prefix (IPv4 /16, IPv6 /32), from the range that NETWORK_UNNAMED_MIN begins. Few prefixes
 * can so be told from many, and nobody learns which they are. */
uint32_t persons_network(struct persons *p, const uint8_t address[16], wd_wall now);

/* Changes the secret if the day is over; persons_hash does so too, so this is for quiet
 * nights. WD_OS if the new one could not be written: it is used all the same, and a restart
 * will count today's persons anew. */
enum wd_err persons_advance(struct persons *p, wd_wall now, struct wd_why *why) WD_MUST_CHECK;

#endif
