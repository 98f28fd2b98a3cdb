#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Flow exports and packets, live and from file: records per second of processor time, the rate without loss, memory; of
# whydown and of nfcapd, sfcapd, nfacctd, sfacctd, FastNetMon, pmacctd, softflowd and nfpcapd beside it. Runs in a network
# namespace of its own. FastNetMon is measured where it is installed; scripts/setup leaves it out, because as a service it
# tells its makers that it runs.
set -eu
cd "$SOURCE"
if ! command -v ip >/dev/null || ! ip netns add whydown-bench-$$ 2>/dev/null; then
	printf 'telemetry: flow exports and packets\t-\tno network namespace\t-\t-\t-\n'
	exit 0
fi
trap 'ip netns del whydown-bench-$$' EXIT
nsenter --net=/run/netns/whydown-bench-$$ ip link set lo up
nsenter --net=/run/netns/whydown-bench-$$ python3 bench/telemetry.py
