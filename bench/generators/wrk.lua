-- Which requests does wrk send? Those of a file, as they stand, separated by zero bytes, in their order.
--
-- Arguments: the file, and `once` when each is to be sent once. BENCH_ADDRESSES lists the servers; each thread has one.

local threads = 0

function setup(thread)
  local addresses = {}
  for host, port in os.getenv("BENCH_ADDRESSES"):gmatch("([^:,]+):(%d+)") do
    addresses[#addresses + 1] = wrk.lookup(host, port)[1]
  end
  thread.addr = addresses[threads % #addresses + 1]
  thread:set("place", threads)
  thread:set("all", tonumber(os.getenv("BENCH_THREADS")))
  threads = threads + 1
end

local requests = {}
local sent = 0
local answered = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local text = file:read("*a")
  file:close()
  local from = 1
  while true do
    local to = text:find("\0", from, true)
    if to == nil then break end
    requests[#requests + 1] = text:sub(from, to - 1)
    from = to + 1
  end
  local first = math.floor(#requests / all * place)
  if args[2] == "once" then
    local count = math.floor(#requests / all * (place + 1)) - first
    request = function()
      local which = first + sent % count + 1
      sent = sent + 1
      return requests[which]
    end
    response = function()
      answered = answered + 1
      -- wrk takes the first request for a look, and does not send it: the first ones are sent once more.
      if answered == count + 100 then io.stderr:write("loaded\n") end
    end
  else
    sent = first
    request = function()
      sent = sent % #requests + 1
      return requests[sent]
    end
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\nJSON{"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,"p999":%d,"failed":%d,"refused":%d}\n',
    summary.requests, summary.duration, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.connect + e.read + e.write + e.timeout, e.status))
end
