#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Seconds from an attack's first packet to an open incident that names its vector, with FastNetMon on the same traffic.
# Runs in a network namespace of its own; takes five minutes.
set -eu
cd "$SOURCE"
if ! command -v ip >/dev/null || ! ip netns add whydown-bench-$$ 2>/dev/null; then
	printf 'attack to open incident\ts\tno network namespace\t-\t-\t-\n'
	exit 0
fi
trap 'ip netns del whydown-bench-$$' EXIT
nsenter --net=/run/netns/whydown-bench-$$ ip link set lo up
WHYDOWN_NAMESPACE=1 nsenter --net=/run/netns/whydown-bench-$$ python3 bench/attack.py
