#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Our includes follow src/LAYERS, and the checker does fail on trees that do not.
. "$(dirname "$0")/lib.sh"
check=$SOURCE/scripts/check-layers

# A small good tree in $scratch/src.
good_tree() {
	rm -rf "$scratch/src"
	mkdir -p "$scratch/src/base" "$scratch/src/model" "$scratch/src/store"
	printf 'base:\nmodel: base\nstore: base model\n' >"$scratch/src/LAYERS"
	echo '#include <stdint.h>' >"$scratch/src/base/a.h"
	echo '#include "base/a.h"' >"$scratch/src/model/b.h"
	echo '#include "model/b.h"' >"$scratch/src/store/c.c"
}

passes "our includes follow src/LAYERS" "$check"

good_tree
passes "a good tree passes" "$check" "$scratch/src"

echo '#include "store/c.h"' >>"$scratch/src/model/b.h"
fails_saying "an include upwards fails" "model/b.h:2: model may not include store" "$check" "$scratch/src"

good_tree
echo '#  include   <model/b.h>' >>"$scratch/src/base/a.h"
fails_saying "angle brackets do not hide it" "base/a.h:2: <model/b.h> is ours" "$check" "$scratch/src"

good_tree
echo '#include "../store/c.h"' >>"$scratch/src/model/b.h"
fails_saying "nor does a relative path" 'must be written "folder/file.h"' "$check" "$scratch/src"

good_tree
echo '#include HEADER' >>"$scratch/src/model/b.h"
fails_saying "nor does a macro" "an include must name its file" "$check" "$scratch/src"

good_tree
mkdir "$scratch/src/misc"
echo >"$scratch/src/misc/d.c"
fails_saying "a folder that LAYERS does not know fails" "LAYERS does not know the folder misc" \
	"$check" "$scratch/src"

good_tree
printf 'base: model\nmodel: base\nstore: base model\n' >"$scratch/src/LAYERS"
fails_saying "layers that go round in a circle fail" "base names model, which is not above it" \
	"$check" "$scratch/src"

good_tree
echo 'uint64_t f(size_t n);' >"$scratch/src/base/a.h"
fails_saying "a header that does not compile alone fails" "base/a.h: does not compile alone" \
	"$check" "$scratch/src"

rm -rf "$scratch/src"
mkdir "$scratch/src"
echo 'base:' >"$scratch/src/LAYERS"
fails_saying "a tree without files fails" "no C file" "$check" "$scratch/src"

finish
