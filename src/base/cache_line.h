/* SPDX-License-Identifier: Apache-2.0 */
/* cache_line: the bytes that a processor fetches at once: 64 on x86-64 and on most of arm64.
 * Where it is another number, only speed is lost. */
#ifndef WD_BASE_CACHE_LINE_H
#define WD_BASE_CACHE_LINE_H

enum { CACHE_LINE = 64 };

#endif
