"""The state changes of a job as Lua, so that each is atomic in the store. Called by `JobStore` only.

Keys are always the same six: job, result, INDEX, QUEUED, LEASES, WORKERS. ARGV[1] is the job's id.
"""

_PRELUDE = """
local job, result, index, queued, leases, workers = unpack(KEYS)
local id = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(number) return string.format('%.0f', number) end
local function get(name) return redis.call('HGET', job, name) end
local function set(...) redis.call('HSET', job, ...) end
local function owned(token) return get('status') == 'running' and get('token') == token end
local function finish(status, message)
  set('status', status, 'message', message, 'finished_at', text(now))
  redis.call('HDEL', job, 'token', 'worker')
  redis.call('ZREM', queued, id)
  redis.call('ZREM', leases, id)
end
local function fail(code, message)
  set('error_code', code, 'error_message', message)
  finish('failed', message)
end
local function wait_again(message)
  set('status', 'queued', 'message', message, 'progress', '0')
  redis.call('HDEL', job, 'token', 'worker', 'started_at')
  redis.call('ZREM', leases, id)
  redis.call('ZADD', queued, 0, id)
end
"""

# kind, request, most jobs that may wait -> 'miss' | 'joined' | 'hit' | 'full'
SUBMIT = """
local status = get('status')
if status == 'queued' or status == 'running' then return 'joined' end
if status == 'succeeded' and redis.call('EXISTS', result) == 1 then return 'hit' end
if redis.call('ZCARD', queued) >= tonumber(ARGV[4]) then return 'full' end
local newest = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')
local created = text(math.max(now, (tonumber(newest[2]) or 0) + 1))
redis.call('DEL', job, result)
set('id', id, 'kind', ARGV[2], 'request', ARGV[3], 'status', 'queued', 'message', 'waiting for a worker',
    'progress', '0', 'attempts', '0', 'created_at', created)
redis.call('ZADD', index, created, id)
redis.call('ZADD', queued, text(now), id)
return 'miss'
"""

# token, worker, lease in microseconds -> 1 where the job is now this worker's
CLAIM = """
if owned(ARGV[2]) then return 1 end
if get('status') ~= 'queued' then return 0 end
set('status', 'running', 'message', 'starting', 'token', ARGV[2], 'worker', ARGV[3], 'started_at', text(now))
redis.call('HINCRBY', job, 'attempts', 1)
redis.call('ZREM', queued, id)
redis.call('ZADD', leases, text(now + ARGV[4]), id)
return 1
"""

# token, lease in microseconds, progress, message -> 1 while the job is still this worker's
RENEW = """
if not owned(ARGV[2]) then return 0 end
set('progress', ARGV[4], 'message', ARGV[5])
redis.call('ZADD', leases, text(now + ARGV[3]), id)
return 1
"""

# token, then name and bytes of each part -> 1 where stored
SUCCEED = """
if not owned(ARGV[2]) then return 0 end
redis.call('DEL', result)
redis.call('HSET', result, unpack(ARGV, 3))
set('progress', '1')
finish('succeeded', 'done')
return 1
"""

# token, code, message -> 1 where stored
FAIL = """
if not owned(ARGV[2]) then return 0 end
fail(ARGV[3], ARGV[4])
return 1
"""

# -> 1 where the job was queued or running
CANCEL = """
local status = get('status')
if status ~= 'queued' and status ~= 'running' then return 0 end
finish('cancelled', 'cancelled on request')
return 1
"""

# worker -> 1 where its job was given back; an orderly stop is not an attempt
RELEASE = """
if get('status') ~= 'running' or get('worker') ~= ARGV[2] then return 0 end
redis.call('HINCRBY', job, 'attempts', -1)
wait_again('its worker was stopped; waiting for another')
return 1
"""

# most attempts, microseconds that a job may hold its lease -> 1 where the lease had ended
EXPIRE = """
local lease = tonumber(redis.call('ZSCORE', leases, id))
if not lease or lease > now then return 0 end
if lease - get('started_at') > tonumber(ARGV[3]) then
  fail('timeout', 'the job took longer than the time limit and had to be killed; try a shorter horizon or a lower accuracy')
elseif tonumber(get('attempts')) < tonumber(ARGV[2]) then
  wait_again('its worker was lost; waiting for another')
else
  fail('worker_lost', 'its worker was lost ' .. get('attempts') .. ' times; try a smaller job, it may need too much memory')
end
return 1
"""

# least age of the last message in microseconds -> 1 where the caller must send a message
RESEND = """
local sent = tonumber(redis.call('ZSCORE', queued, id))
if not sent or sent > now - ARGV[2] then return 0 end
redis.call('ZADD', queued, text(now), id)
return 1
"""

# the name of a worker stands in for the id; seconds after which silent ones are forgotten
GREET = """
redis.call('ZADD', workers, text(now), id)
redis.call('ZREMRANGEBYSCORE', workers, '-inf', text(now - ARGV[2]))
return 1
"""


def source(body: str) -> str:
    """A whole script: the shared helpers and `body`."""
    return _PRELUDE + body
