#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our files keep to what scripts/check-style checks, and it does fail on files that do not.
. "$(dirname "$0")/lib.sh"
check=$SOURCE/scripts/check-style

# A tree of one file, whose text after the licence line is $1.
tree() {
	rm -rf "$scratch/tree"
	mkdir "$scratch/tree"
	printf '/* SPDX-License-Identifier: Apache-2.0 */\n%s\n' "$1" >"$scratch/tree/a.c"
}

passes "our files keep to the style" "$check"

tree 'int f(void);'
passes "a good file passes" "$check" "$scratch/tree"

tree '	strcpy(a, b);'
fails_saying "a banned function fails" "a.c:2: strcpy() is banned" "$check" "$scratch/tree"

tree '	if (ok) n = atoi (text);'
fails_saying "also with a space before its argument" "a.c:2: atoi() is banned" "$check" "$scratch/tree"

tree '/* strcpy() and
 * gets() are banned */ int n = my_gets("gets()") + at->rand(1); // system()'
passes "its name in a comment, a string or another name passes" "$check" "$scratch/tree"

echo 'int f(void);' >"$scratch/tree/b.h"
fails_saying "a file without a licence line fails" "b.h: the first lines lack" "$check" "$scratch/tree"

tree "$(awk 'BEGIN { for (i = 0; i < 601; i++) print "int a" i ";" }')"
fails_saying "a file of more than 600 lines fails" "more than one subject" "$check" "$scratch/tree"
mv "$scratch/tree/a.c" "$scratch/tree/a_test.c"
passes "but not if it is a test" "$check" "$scratch/tree"

tree 'int a; '
fails_saying "white space at the end of a line fails" "a.c:2: white space" "$check" "$scratch/tree"

tree '        int a;'
fails_saying "spaces for tabs fail" "a.c:2: indent with tabs" "$check" "$scratch/tree"

tree "		int a = $(printf '%090d' 0);"
fails_saying "a line of more than 100 columns fails" "a.c:2: more than 100 columns" "$check" "$scratch/tree"

finish
