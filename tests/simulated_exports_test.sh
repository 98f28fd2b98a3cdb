#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The exports that `simulate` writes: tshark reads them as our decoder does.
. "$(dirname "$0")/lib.sh"

compare=$(dirname "$WHYDOWN")/tests/test_decode_export_tshark
for format in netflow5 netflow9 ipfix; do
	what="tshark reads simulated $format as we do"
	if ! tshark --version >/dev/null 2>&1; then
		skip "$what" "tshark is not installed"
		continue
	elif [ ! -x "$compare" ]; then
		skip "$what" "no $compare"
		continue
	fi
	# The first 60 datagrams, of at most 1,500 bytes each: the whole is 150 MB.
	"$WHYDOWN" simulate mixed-attack --format "$format" 2>/dev/null | head -c 150000 >"$scratch/begin"
	tshark -r "$scratch/begin" -c 60 -F pcap -w "$scratch/$format.pcap" 2>/dev/null
	passes "$what" "$compare" "$scratch/$format.pcap"
done
finish
