#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Flow exports over UDP on loopback: records per second of processor time, and the rate without loss, of whydown and
# of nfcapd, sfcapd, nfacctd, sfacctd and FastNetMon beside it. Runs in a network namespace of its own.
set -eu
cd "$SOURCE"
if ! command -v ip >/dev/null || ! ip netns add whydown-bench-$$ 2>/dev/null; then
	printf 'flow exports over UDP\trecords/CPU s\tno network namespace\t-\t-\t-\n'
	exit 0
fi
trap 'ip netns del whydown-bench-$$' EXIT
ip netns exec whydown-bench-$$ ip link set lo up
ip netns exec whydown-bench-$$ python3 bench/telemetry.py
