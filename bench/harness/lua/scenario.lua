-- One script for all scenarios, so that the client's cost per request is the same in each.
-- Arguments: bytes of request body, 1 for a new connection per request, number of rules.

-- Enough different requests to touch all parts of a big rule table, few enough to be prepared.
local REQUESTS_MAX = 4096

local requests = {}
local next_request = 0

local function path_of(index, count, rules)
  if rules == 0 then
    return wrk.path
  end
  -- Evenly over the rules, first and last included. The prefix is `rule_path` in scenarios.py.
  local rule = count == 1 and rules - 1 or math.floor(index * (rules - 1) / (count - 1))
  return "/service-" .. rule .. wrk.path
end

-- In steps of an odd number, so that neighbouring requests do not hit neighbouring rules.
local function shuffled(index, count)
  return (index * 1597) % count
end

function init(args)
  local body_bytes, connection_per_request, rules = tonumber(args[1]), args[2] == "1", tonumber(args[3])
  local method, body = "GET", nil
  if body_bytes > 0 then
    method, body = "POST", string.rep("b", body_bytes)
  end
  if connection_per_request then
    wrk.headers["Connection"] = "close"
  end
  local count = math.max(1, math.min(rules, REQUESTS_MAX))
  for index = 0, count - 1 do
    requests[index] = wrk.format(method, path_of(shuffled(index, count), count, rules), nil, body)
  end
end

function request()
  next_request = (next_request + 1) % (#requests + 1)
  return requests[next_request]
end
