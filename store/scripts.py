"""The state changes of a job as Lua, so that each is atomic in the store. Called by `JobStore` only.

ARGV[1] is the job's id. queued → running → succeeded | failed | cancelled; running → queued where the worker was lost or stopped.

A job waits in a lane, in the line of the client who asked for it first. The clients of a lane take turns. A worker claims whatever
is next: see `choice`.

A parent that waits for its children is running without a lease, marked `waiting`; a child that finishes and so makes room for others,
or is the last, marks it `due` instead, and then the parent may be claimed again.
"""

import json
from collections.abc import Mapping

from store import keys

MOST_OPEN = 100  # children of one parent that wait or run at a time, so that others have their turn too
MOST_EVENTS = 1000  # of one job, about; the oldest go first
EVENTS_SECONDS = 3600  # that the events of a finished job are kept
SILENT_SECONDS = 10  # after which a worker's slots do not count
GONE_SECONDS = 366 * 24 * 3600  # that an expired job is remembered
MOST_HISTORY = 20  # attempts that are remembered of one job

_NAMES = {
    "QUEUED": keys.QUEUED,
    "LEASES": keys.LEASES,
    "LONG": keys.LONG,
    "FINISHED": keys.FINISHED,
    "WORKERS": keys.WORKERS,
    "MESSAGES": keys.QUEUE,
    "SLOTS": keys.SLOTS,
    "PACES": keys.PACES,
    "SECONDS": keys.SECONDS,
    "TURN": keys.TURN,
    "CLIENT": keys.CLIENT,
    "JOB": keys.job(""),
    "RESULT": keys.result(""),
    "CHECKPOINT": keys.checkpoint(""),
    "GONE": keys.gone(""),
    "ASKERS": keys.askers(""),
    "MINE": keys.mine(""),
    "WANTED": keys.wanted(""),
    "OPEN": keys.open_children(""),
    "EVENTS": keys.events(""),
    "TURNS": keys.turns(""),
    "LINE": keys.line("", "").rstrip(":") + ":",
    "CLAIMED": keys.claimed(""),
    "COUNTS": keys.COUNTS,
    "INDEX": keys.index().removesuffix("*:*"),
}
_NUMBERS = {
    "ROOM": MOST_OPEN // 2,
    "MOST_EVENTS": MOST_EVENTS,
    "EVENTS_SECONDS": EVENTS_SECONDS,
    "SILENT": SILENT_SECONDS * 1_000_000,
    "GONE_SECONDS": GONE_SECONDS,
    "MOST_HISTORY": MOST_HISTORY,
}

_PRELUDE = """
local id = ARGV[1]
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function text(number) return string.format('%.0f', number) end
local function get(name, of) return redis.call('HGET', KEY.JOB .. (of or id), name) end
local function set(...) redis.call('HSET', KEY.JOB .. id, ...) end
local function stamp(name) return text(math.max(now, tonumber(get(name)) or 0)) end -- never before `name`, should the clock go back
local function passed(since) return math.max(0, now - since) end -- microseconds
local function owned(token) return get('status') == 'running' and get('token') == token end

local function count(number, ...) redis.call('HINCRBY', KEY.COUNTS, table.concat({...}, ':'), number) end
local function emit(of, kind, data)
  return redis.call('XADD', KEY.EVENTS .. of, 'MAXLEN', '~', NUMBER.MOST_EVENTS, '*', 'type', kind, 'data', data)
end
local function report(of)
  local names = {'status', 'progress', 'message', 'attempts', 'seconds_left'}
  local status, progress, message, attempts, left = unpack(redis.call('HMGET', KEY.JOB .. of, unpack(names)))
  left = status == 'running' and tonumber(left) or cjson.null
  emit(of, 'progress', cjson.encode({status = status, progress = tonumber(progress), message = message, attempts = tonumber(attempts),
                                     seconds_left = left}))
end

local function list(of, command, status, ...)
  local kind = get('kind', of)
  for _, name in ipairs({kind .. ':' .. status, '*:' .. status}) do redis.call(command, KEY.INDEX .. name, ...) end
end
local function move(status)
  list(id, 'ZREM', get('status'), id)
  list(id, 'ZADD', status, get('created_at'), id)
  set('status', status)
end

local function enter(of, order)
  local lane, client = unpack(redis.call('HMGET', KEY.JOB .. of, 'lane', 'client'))
  local line = KEY.LINE .. lane .. ':' .. client
  if redis.call('EXISTS', line) == 0 then redis.call('ZADD', KEY.TURNS .. lane, redis.call('INCR', KEY.TURN), client) end
  redis.call('ZADD', line, order or redis.call('INCR', KEY.TURN), of)
  redis.call('ZADD', KEY.QUEUED, text(now), of)
end
local function leave(of)
  local lane, client = unpack(redis.call('HMGET', KEY.JOB .. of, 'lane', 'client'))
  local line = KEY.LINE .. lane .. ':' .. client
  redis.call('ZREM', line, of)
  if redis.call('EXISTS', line) == 0 then redis.call('ZREM', KEY.TURNS .. lane, client) end
  redis.call('ZREM', KEY.QUEUED, of)
end

local function tell(parent)
  local record, children = KEY.JOB .. parent, KEY.OPEN .. parent
  redis.call('SREM', children, id)
  if redis.call('HGET', record, 'waiting') ~= '1' then return end
  local left, submitted, total = redis.call('SCARD', children), unpack(redis.call('HMGET', record, 'submitted', 'total'))
  local done = submitted - left
  redis.call('HSET', record, 'progress', tostring(done / total), 'message', done .. ' of ' .. total .. ' jobs have finished')
  report(parent)
  if left > 0 and (submitted == total or left > NUMBER.ROOM) then return end
  redis.call('HDEL', record, 'waiting')
  redis.call('HSET', record, 'due', '1')
  enter(parent, 0)
end

local function end_attempt(cause)
  local worker, began, history = unpack(redis.call('HMGET', KEY.JOB .. id, 'worker', 'claimed_at', 'history'))
  redis.call('HDEL', KEY.JOB .. id, 'token', 'worker')
  redis.call('ZREM', KEY.LEASES, id)
  redis.call('SREM', KEY.LONG, id)
  if not worker then return end
  local entries = history and cjson.decode(history) or {}
  table.insert(entries, {worker = worker, started_at = began, ended_at = text(math.max(now, began)), cause = cause})
  if #entries > NUMBER.MOST_HISTORY then table.remove(entries, 1) end
  set('history', cjson.encode(entries))
end
local function finish(status, message, cause)
  local kind, began = get('kind'), get('claimed_at')
  count(1, 'finished', kind, status)
  if began then
    count(1, 'run_number', kind)
    count(text(passed(began)), 'run_microseconds', kind)
  end
  end_attempt(cause or status)
  leave(id)
  move(status)
  set('message', message, 'finished_at', stamp(get('started_at') and 'started_at' or 'created_at'))
  redis.call('HDEL', KEY.JOB .. id, 'waiting', 'due')
  redis.call('ZADD', KEY.FINISHED, text(now), id)
  for _, asker in ipairs(redis.call('SMEMBERS', KEY.ASKERS .. id)) do tell(asker) end
  redis.call('DEL', KEY.ASKERS .. id, KEY.CHECKPOINT .. id)
  emit(id, 'done', cjson.encode({status = status, message = message, error = get('error_code') or nil}))
  redis.call('EXPIRE', KEY.EVENTS .. id, NUMBER.EVENTS_SECONDS)
end
local function fail(code, message)
  set('error_code', code, 'error_message', message)
  finish('failed', message, code)
end
local function wait_again(message, cause)
  end_attempt(cause)
  count(1, 'retried', get('kind'))
  move('queued')
  set('message', message)
  redis.call('HDEL', KEY.JOB .. id, 'started_at')
  enter(id, 0)
  report(id)
end
local function forget(finished)
  list(id, 'ZREM', get('status'), id)
  redis.call('ZREM', KEY.INDEX .. get('kind') .. ':*', id)
  redis.call('ZREM', KEY.INDEX .. '*:*', id)
  redis.call('ZREM', KEY.FINISHED, id)
  for _, asker in ipairs(redis.call('SMEMBERS', KEY.WANTED .. id)) do redis.call('ZREM', KEY.MINE .. asker, id) end
  redis.call('DEL', KEY.JOB .. id, KEY.RESULT .. id, KEY.OPEN .. id, KEY.EVENTS .. id, KEY.WANTED .. id)
  redis.call('SET', KEY.GONE .. id, text(finished), 'EX', NUMBER.GONE_SECONDS)
end
local function lose(most, cause)
  if tonumber(get('attempts')) < tonumber(most) then
    wait_again('its worker was lost; waiting for another', cause)
  else
    fail('worker_lost', 'its worker was lost ' .. get('attempts') .. ' times; try a smaller job, it may need too much memory')
  end
end
"""

# kind, request, most jobs that may wait, who asks, lane, 1 where it is slow
# -> 'miss' | 'joined' | 'hit' | 'full' | 'gone' where the parent that asks has ended
SUBMIT = """
local asker, lane = ARGV[5], ARGV[6]
local parent = string.sub(asker, 1, #KEY.CLIENT) ~= KEY.CLIENT
local client = parent and get('client', asker) or string.sub(asker, #KEY.CLIENT + 1)
local function own(created)
  redis.call('SADD', KEY.WANTED .. id, asker)
  if parent or client == '' then return end
  redis.call('ZADD', KEY.MINE .. asker, created, id)
end
local function ask(created)
  redis.call('SADD', KEY.ASKERS .. id, asker)
  if parent then redis.call('SADD', KEY.OPEN .. asker, id) end
  own(created)
end
if parent and get('status', asker) ~= 'running' then return 'gone' end
if parent and (get('kind', asker) == 'sweep' or get('lane', asker) == 'long') then lane = 'long' end
local status = get('status')
if status == 'queued' or status == 'running' then
  ask(get('created_at'))
  if status == 'queued' and get('lane') == 'long' and lane ~= 'long' then -- a point of a sweep that somebody wants by itself
    leave(id)
    set('lane', lane, 'client', client)
    enter(id)
  end
  count(1, 'submitted', ARGV[2], 'joined')
  return 'joined'
end
if status == 'succeeded' and redis.call('EXISTS', KEY.RESULT .. id) == 1 then
  own(get('created_at'))
  count(1, 'submitted', ARGV[2], 'hit')
  return 'hit'
end
if not parent and redis.call('ZCARD', KEY.QUEUED) >= tonumber(ARGV[4]) then return 'full' end
local everything = KEY.INDEX .. '*:*'
local newest = redis.call('ZREVRANGE', everything, 0, 0, 'WITHSCORES')
local created = text(math.max(now, (tonumber(newest[2]) or 0) + 1))
if status then list(id, 'ZREM', status, id) end
redis.call('ZREM', KEY.FINISHED, id)
redis.call('DEL', KEY.JOB .. id, KEY.RESULT .. id, KEY.OPEN .. id, KEY.GONE .. id)
redis.call('XTRIM', KEY.EVENTS .. id, 'MAXLEN', '=', '0') -- not deleted: its ids must go on
redis.call('PERSIST', KEY.EVENTS .. id)
set('id', id, 'kind', ARGV[2], 'request', ARGV[3], 'status', 'queued', 'message', 'waiting for a worker',
    'progress', '0', 'attempts', '0', 'created_at', created, 'lane', lane, 'slow', ARGV[7], 'client', client)
redis.call('ZADD', everything, created, id)
redis.call('ZADD', KEY.INDEX .. ARGV[2] .. ':*', created, id)
list(id, 'ZADD', 'queued', created, id)
enter(id)
ask(created)
report(id)
count(1, 'submitted', ARGV[2], 'miss')
return 'miss'
"""

# token, lease in microseconds -> 1 while the job is still this worker's
HOLD = """
if not owned(ARGV[2]) then return 0 end
redis.call('ZADD', KEY.LEASES, text(now + ARGV[3]), id)
return 1
"""

# token, progress, message, seconds left or '' -> 1 while the job is still this worker's
PROGRESS = """
if not owned(ARGV[2]) then return 0 end
if get('progress') == ARGV[3] and get('message') == ARGV[4] and get('seconds_left') == ARGV[5] then return 1 end
set('progress', ARGV[3], 'message', ARGV[4], 'seconds_left', ARGV[5])
report(id)
return 1
"""

# token, JSON -> 1 where told to those who follow the job
CURVE = """
if not owned(ARGV[2]) then return 0 end
emit(id, 'curve', ARGV[3])
return 1
"""

# token, JSON -> 1 where told to those who follow the job, in the place of what was told before
PREVIEW = """
if not owned(ARGV[2]) then return 0 end
local last = get('preview')
if last then redis.call('XDEL', KEY.EVENTS .. id, last) end
set('preview', emit(id, 'preview', ARGV[3]))
return 1
"""

# token, bytes -> 1 where kept for the next attempt
CHECKPOINT = """
if not owned(ARGV[2]) then return 0 end
redis.call('SET', KEY.CHECKPOINT .. id, ARGV[3])
return 1
"""

# token, then name and bytes of each part -> 1 where stored
SUCCEED = """
if not owned(ARGV[2]) then return 0 end
redis.call('DEL', KEY.RESULT .. id)
redis.call('HSET', KEY.RESULT .. id, unpack(ARGV, 3))
set('progress', '1')
local lane, took = get('lane'), passed(get('claimed_at')) / 1000000
local mean = tonumber(redis.call('HGET', KEY.SECONDS, lane) or took)
redis.call('HSET', KEY.SECONDS, lane, tostring(0.9 * mean + 0.1 * took))
finish('succeeded', 'done')
return 1
"""

# token, name and bytes of one part -> 1 where stored
KEEP = """
if not owned(ARGV[2]) then return 0 end
redis.call('HSET', KEY.RESULT .. id, ARGV[3], ARGV[4])
return 1
"""

# token, children submitted, children in all -> 'waiting' | 'ready' where none of those submitted is unfinished | 'lost'
PAUSE = """
if not owned(ARGV[2]) then return 'lost' end
local left = redis.call('SCARD', KEY.OPEN .. id)
set('submitted', ARGV[3], 'total', ARGV[4], 'progress', tostring((ARGV[3] - left) / ARGV[4]),
    'message', (ARGV[3] - left) .. ' of ' .. ARGV[4] .. ' jobs have finished')
if left == 0 then return 'ready' end
set('waiting', '1')
redis.call('HINCRBY', KEY.JOB .. id, 'attempts', -1)
redis.call('HDEL', KEY.JOB .. id, 'token', 'worker')
redis.call('ZREM', KEY.LEASES, id)
redis.call('SREM', KEY.LONG, id)
return 'waiting'
"""

# parent -> 1 where nobody else wanted the job and it was cancelled
WITHDRAW = """
redis.call('SREM', KEY.ASKERS .. id, ARGV[2])
redis.call('SREM', KEY.OPEN .. ARGV[2], id)
local status, others = get('status'), redis.call('SCARD', KEY.ASKERS .. id) > 0
if others then redis.call('SREM', KEY.WANTED .. id, ARGV[2]) end
if others or (status ~= 'queued' and status ~= 'running') then return 0 end
finish('cancelled', 'the job that asked for it was cancelled')
return 1
"""

# token, code, message -> 1 where stored
FAIL = """
if not owned(ARGV[2]) then return 0 end
fail(ARGV[3], ARGV[4])
return 1
"""

# who asked, or '' for everybody -> 'cancelled' | 'left' where others asked too | 'foreign' where the one did not ask | 'finished'
CANCEL = """
local status = get('status')
if status ~= 'queued' and status ~= 'running' then return 'finished' end
if ARGV[2] ~= '' then
  if redis.call('SREM', KEY.ASKERS .. id, ARGV[2]) == 0 then return 'foreign' end
  if redis.call('SCARD', KEY.ASKERS .. id) > 0 then
    redis.call('SREM', KEY.WANTED .. id, ARGV[2])
    redis.call('ZREM', KEY.MINE .. ARGV[2], id)
    return 'left'
  end
end
finish('cancelled', 'cancelled on request')
return 'cancelled'
"""

# who asked stands in for the id; the index of a kind and a status, created before ('' for the newest), most -> ids and scores, newest first
MINE = """
local found, page = redis.call('ZINTER', 2, KEY.MINE .. id, ARGV[2], 'WEIGHTS', 0, 1, 'WITHSCORES'), {}
for at = #found - 1, 1, -2 do
  if #page == 2 * ARGV[4] then break end
  if ARGV[3] == '' or tonumber(found[at + 1]) < tonumber(ARGV[3]) then
    table.insert(page, found[at])
    table.insert(page, found[at + 1])
  end
end
return page
"""

# worker -> 1 where its job was given back; an orderly stop is not an attempt
RELEASE = """
if get('status') ~= 'running' or get('worker') ~= ARGV[2] then return 0 end
redis.call('HINCRBY', KEY.JOB .. id, 'attempts', -1)
wait_again('its worker was stopped; waiting for another', 'worker_stopped')
return 1
"""

# token, most attempts -> 1 where the job was this worker's, whose process has ended
LOSE = """
if not owned(ARGV[2]) then return 0 end
lose(ARGV[3], 'worker_lost')
return 1
"""

# most attempts, when it was looked at, length of a lease -> 1 where the lease had ended by then and now, or ends later than one can:
# then the clock was set back, and nobody has renewed it since
EXPIRE = """
local lease, looked = tonumber(redis.call('ZSCORE', KEY.LEASES, id)), tonumber(ARGV[3])
if not lease then return 0 end
if lease > math.min(now, looked) and lease <= math.max(now, looked) + 2 * ARGV[4] then return 0 end
lose(ARGV[2], 'worker_lost')
return 1
"""

# least age in microseconds -> 1 where the job was old enough to be forgotten
FORGET = """
local finished = tonumber(redis.call('ZSCORE', KEY.FINISHED, id))
if not finished or finished > now - ARGV[2] then return 0 end
forget(finished)
return 1
"""

# who lets go, a client or a parent, or '' for everybody
# -> 'deleted' | 'left' where others want it too | 'foreign' where the one did not ask | 'unfinished' | 'unknown'
DELETE = """
local status, finished = get('status'), tonumber(redis.call('ZSCORE', KEY.FINISHED, id))
if not status then return 'unknown' end
if not finished then return 'unfinished' end
if ARGV[2] ~= '' then
  if redis.call('SREM', KEY.WANTED .. id, ARGV[2]) == 0 then return 'foreign' end
  redis.call('ZREM', KEY.MINE .. ARGV[2], id)
  if redis.call('SCARD', KEY.WANTED .. id) > 0 then return 'left' end
end
forget(finished)
return 'deleted'
"""

# the name of a worker stands in for the id; its slots, its pace, microseconds after which silent ones are forgotten
# -> the time, as text, since it is more than an answer's integers are read for
GREET = """
redis.call('ZADD', KEY.WORKERS, text(now), id)
redis.call('HSET', KEY.SLOTS, id, ARGV[2])
redis.call('HSET', KEY.PACES, id, ARGV[3])
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEY.WORKERS, '(' .. text(now), '+inf')) do -- seen before the clock was set back
  redis.call('ZADD', KEY.WORKERS, text(now), name)
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEY.WORKERS, '-inf', text(now - ARGV[4]))) do
  redis.call('ZREM', KEY.WORKERS, name)
  redis.call('HDEL', KEY.SLOTS, name)
  redis.call('HDEL', KEY.PACES, name)
end
return text(now)
"""

_MAY_BE_REFUSED = (SUBMIT, CHECKPOINT)  # by a store that is out of memory; what has begun must be able to end


def source(body: str) -> str:
    """A whole script: the names, the shared helpers and `body`."""
    flags = "" if body in _MAY_BE_REFUSED else " flags=allow-oom"
    return f"#!lua{flags}\nlocal KEY = {_table(_NAMES)}\nlocal NUMBER = {_table(_NUMBERS)}\n{_PRELUDE}{body}"


def _table(values: Mapping[str, str | int]) -> str:
    return "{" + ", ".join(f"{name} = {json.dumps(value)}" for name, value in values.items()) + "}"
