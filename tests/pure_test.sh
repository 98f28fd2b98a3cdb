#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# pure_test.sh LIBCORE: the core uses only what core.allowed lists and holds no state, and the checker does
# fail on objects that do otherwise.
. "$(dirname "$0")/lib.sh"
check=$SOURCE/scripts/check-pure
allowed=$SOURCE/tests/core.allowed

# The library of one file whose text is $1; the rest are options for the compiler.
library() {
	rm -f "$scratch/lib.a"
	echo "$1" >"$scratch/one.c"
	shift
	"${CC:-cc}" -std=gnu11 -O1 -fPIC "$@" -c -o "$scratch/one.o" "$scratch/one.c" &&
		ar rcs "$scratch/lib.a" "$scratch/one.o"
}

passes "the core makes no system call and holds no state" "$check" "$1" "$allowed"

library 'extern void *malloc(unsigned long); void *f(void) { return malloc(8); }'
passes "a library that keeps to the list passes" "$check" "$scratch/lib.a" "$allowed"

library '#include <time.h>
long now(void) { return time(NULL); }'
fails_saying "reading the clock fails" "one.o: uses time" "$check" "$scratch/lib.a" "$allowed"

library '#include <stdlib.h>
void f(void) { abort(); }'
fails_saying "aborting outside check.c fails" "one.o: uses abort" "$check" "$scratch/lib.a" "$allowed"

library 'int calls; int f(void) { return ++calls; }'
fails_saying "a global fails" "calls can change" "$check" "$scratch/lib.a" "$allowed"

library 'int f(void) { static int calls = 5; return ++calls; }'
fails_saying "a static variable fails" "can change" "$check" "$scratch/lib.a" "$allowed"

if library 'int f(void) { static int calls = 5; return ++calls; }' -flto -ffat-lto-objects \
	2>"$scratch/refused"; then
	fails_saying "link-time optimisation hides nothing" "" "$check" "$scratch/lib.a" "$allowed"
fi

library 'const char *names[] = {"a", "b"};'
fails_saying "a table of pointers that are not const fails" "names can change" \
	"$check" "$scratch/lib.a" "$allowed"

library '__thread int calls; int f(void) { return ++calls; }'
fails_saying "a thread's variable fails" "calls can change" "$check" "$scratch/lib.a" "$allowed"

library 'static const char *const names[] = {"a", "b"}; const char *f(int i) { return names[i]; }'
passes "a constant table of pointers passes" "$check" "$scratch/lib.a" "$allowed"

fails_saying "no library fails" "" "$check" "$scratch/none.a" "$allowed"

finish
