-- Posts one GraphQL document, cycles through 1,000, or never repeats one; prints one line of JSON at the end.
wrk.method = 'POST'
wrk.headers['content-type'] = 'application/json'
wrk.headers['authorization'] = os.getenv('BENCH_AUTHORIZATION')

local body = os.getenv('BENCH_BODY')
local mix = os.getenv('BENCH_DOCUMENTS')
local requests = {}
local sent = 0
local before, after

local function numbered(number)
  return wrk.format(nil, nil, nil, before .. number .. after)
end

function init()
  local name = body:find('Users', 1, true) + #'Users'
  before, after = body:sub(1, name - 1) .. os.time() .. '_', body:sub(name)
  if mix == 'same' then requests[0] = wrk.format(nil, nil, nil, body) end
  if mix == 'thousand' then
    for number = 0, 999 do requests[number] = numbered(number) end
  end
end

function request()
  sent = sent + 1
  if mix == 'same' then return requests[0] end
  if mix == 'thousand' then return requests[sent % 1000] end
  return numbered(sent)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nBENCH {"requests":%d,"seconds":%.6f,"bytes":%d,"p50Ms":%.3f,"p99Ms":%.3f,"failures":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
