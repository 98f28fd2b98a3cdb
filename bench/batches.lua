-- SPDX-License-Identifier: Apache-2.0
-- A feeder's batches: 500 reports each of ever new people from 240 networks, each with an id that was not there before.
local LINES = 500
local surfaces = {"app", "website", "server-connection"}
local countries = {"US", "GB", "IN", "CA", "JP", "DE"}
local kinds = {}
for network = 1, 240 do
  kinds[network] = string.format('","service":"x","surface":"%s","problem":"slow","country":"%s","network":%d,"person":"',
                                 surfaces[network % 3 + 1], countries[network % 6 + 1], 64512 + network)
end
local at = os.date("!%Y-%m-%dT%H:%M:%SZ")
local head = '{"at":"' .. at .. '","id":"'
local run, made = string.format("%x", os.time()), 0
local lines = {}

function init(arguments)
  token = arguments[1]
end

function request()
  for line = 1, LINES do
    made = made + 1
    lines[line] = string.format('%s%s-%x%s%016x"}', head, run, made, kinds[made % 240 + 1], made)
  end
  return wrk.format("POST", "/api/v1/observations",
                    {["Content-Type"] = "application/x-ndjson", ["Authorization"] = "Bearer " .. token},
                    table.concat(lines, "\n"))
end

function done(summary)
  print(string.format("lines %d", summary.requests * LINES))
end
