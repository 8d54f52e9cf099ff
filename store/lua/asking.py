"""What clients, and parents, change: a job is asked for, cancelled, no longer wanted, or deleted."""

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
