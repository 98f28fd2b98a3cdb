/* SPDX-License-Identifier: Apache-2.0 */
/* fault: a layer under SQLite, for tests, that lets writes and openings fail. */
#ifndef WD_STORE_FAULT_H
#define WD_STORE_FAULT_H

/* Makes it the layer of every database opened from now on. */
void fault_install(void);

/* The nth write, sync or truncation from now on fails with this SQLite code, and so do all
 * after it if `stays`. n 0 = none. */
void fault_set(int nth, int code, int stays);
/* How many there were since fault_set. */
int fault_count(void);
/* The nth opening of a file from now on fails. n 0 = none. */
void fault_set_open(int nth);
/* How many there were since fault_set_open. */
int fault_count_open(void);

#endif
