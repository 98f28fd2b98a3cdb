-- SPDX-License-Identifier: Apache-2.0
-- One line of tab-separated figures: requests a second, p99 in ms, answers that were not
-- as expected (socket errors, and statuses over 399).
wrk.method = os.getenv("WRK_METHOD") or "GET"
wrk.body = os.getenv("WRK_BODY")
if wrk.body then wrk.headers["Content-Type"] = "application/json" end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("%.0f\t%.3f\t%d\n", summary.requests / summary.duration * 1e6,
    latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
