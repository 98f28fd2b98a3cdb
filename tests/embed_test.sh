#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/embed puts files into C byte by byte.
. "$(dirname "$0")/lib.sh"

printf 'a\000\377"\\\n%%' >"$scratch/odd file"
printf 'second' >"$scratch/two"
"$SOURCE/scripts/embed" "$scratch/out.c" \
	one text/plain "$scratch/odd file" "$scratch/two" -- \
	gone text/plain "$scratch/none" -- \
	last text/css "$scratch/two" --
cat >"$scratch/main.c" <<'C'
#include "publish/embedded.h"
#include <stdio.h>
int main(void)
{
	for (size_t i = 0; i < embedded_count; i++) {
		printf("%s %s\n", embedded_files[i].name, embedded_files[i].type);
		fwrite(embedded_files[i].bytes, 1, embedded_files[i].len, stdout);
	}
	return 0;
}
C
passes "what it writes compiles" "${CC:-cc}" -Wall -Werror -I "$SOURCE/src" -o "$scratch/program" \
	"$scratch/main.c" "$scratch/out.c"
{
	printf 'one text/plain\n'
	cat "$scratch/odd file"
	printf '\nsecond\nlast text/css\nsecond\n'
} >"$scratch/expected"
"$scratch/program" >"$scratch/got"
passes "files come out as they went in, joined by newlines, without those that are not there" \
	cmp "$scratch/expected" "$scratch/got"

finish
