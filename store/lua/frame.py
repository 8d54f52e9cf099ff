"""The state changes of a job are scripts in Lua, so that each is atomic in the store. Here is what they have in common.

ARGV[1] is the job's id. queued → running → succeeded | failed | cancelled; running → queued where the worker was lost or stopped.

A job waits in a lane, in the line of the client who asked for it first. The clients of a lane take turns. A worker claims whatever
is next: see `choice`.

A parent that waits for its children is running without a lease, marked `waiting`; a child that finishes and so makes room for others,
or is the last, marks it `due` instead, and then the parent may be claimed again.
"""

import json
from collections.abc import Mapping

from store import keys
from store.lua.asking import SUBMIT
from store.lua.running import CHECKPOINT

MOST_OPEN = 100  # children of one parent that wait or run at a time, so that others have their turn too
MOST_EVENTS = 1000  # of one job, about; the oldest go first
EVENTS_SECONDS = 3600  # that the events of a finished job are kept
SILENT_SECONDS = 10  # of a worker, after which it is taken to be gone and its slots do not count
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

_MAY_BE_REFUSED = (SUBMIT, CHECKPOINT)  # by a store that is out of memory; what has begun must be able to end


def source(body: str) -> str:
    """A whole script: the names, the shared helpers and `body`."""
    flags = "" if body in _MAY_BE_REFUSED else " flags=allow-oom"
    return f"#!lua{flags}\nlocal KEY = {_table(_NAMES)}\nlocal NUMBER = {_table(_NUMBERS)}\n{_PRELUDE}{body}"


def _table(values: Mapping[str, str | int]) -> str:
    return "{" + ", ".join(f"{name} = {json.dumps(value)}" for name, value in values.items()) + "}"
