-- SPDX-License-Identifier: Apache-2.0
-- Reports of ever new people from 240 networks: each request has an address of its own.
local surfaces = {"app", "website", "server-connection"}
math.randomseed(20250310)
request = function()
  local address = string.format("%d.%d.%d.%d", math.random(11, 250), math.random(0, 255),
                                math.random(0, 255), math.random(1, 254))
  local body = '{"service":"x","surface":"' .. surfaces[math.random(3)] .. '","problem":"slow"}'
  return wrk.format("POST", "/api/v1/reports",
                    {["Content-Type"] = "application/json", ["X-Forwarded-For"] = address}, body)
end
