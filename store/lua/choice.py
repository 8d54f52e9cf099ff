"""Which job a worker takes. Each worker has one process more than it has slots.

Slots are for ordinary jobs, those of the short and of the long lane: the short lane first, but the long lane has its half of all slots, and
slow jobs never take the last of two or more. Where none of its instant jobs runs, a worker takes one before all others: so one of its
processes at least is theirs, and as long as ordinary jobs wait, only one.
"""

_CHOICE = """
local slots, total = {}, 0 -- of the workers that are alive
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEY.WORKERS, text(now - NUMBER.SILENT), '+inf')) do
  slots[name] = tonumber(redis.call('HGET', KEY.SLOTS, name)) or 0
  total = total + slots[name]
end
local ordinary, instant, slow = {}, {}, 0 -- jobs that run, by worker
for _, running in ipairs(redis.call('ZRANGE', KEY.LEASES, 0, -1)) do
  local lane, worker, is_slow = unpack(redis.call('HMGET', KEY.JOB .. running, 'lane', 'worker', 'slow'))
  local number = lane == 'instant' and instant or ordinary
  number[worker] = (number[worker] or 0) + 1
  if is_slow == '1' then slow = slow + 1 end
end
local function first(lane)
  local client = redis.call('ZRANGE', KEY.TURNS .. lane, 0, 0)[1]
  local job = client and redis.call('ZRANGE', KEY.LINE .. lane .. ':' .. client, 0, 0)[1]
  if job and get('slow', job) == '1' and slow >= math.max(1, total - 1) then return nil end
  return job
end
local function choose(worker)
  local most = tonumber(redis.call('HGET', KEY.SLOTS, worker)) or math.huge
  local taken, others = ordinary[worker] or 0, instant[worker] or 0
  if taken + others > most then return nil end -- no process is free
  local quick, job = first('instant'), nil
  if taken < most then
    local owed = redis.call('SCARD', KEY.LONG) < math.floor(total / 2)
    job = owed and first('long') or first('short') or first('long')
  end
  if others == 0 then return quick or job end
  return job or quick
end
"""

# the token stands in for the id; worker, lease in microseconds -> the id of the job that is now this worker's, or nothing
CLAIM = f"""{_CHOICE}
local token, worker = ARGV[1], ARGV[2]
local already = redis.call('GET', KEY.CLAIMED .. token)
if already then return already end
id = choose(worker)
if not id then return false end
leave(id)
local lane, client = unpack(redis.call('HMGET', KEY.JOB .. id, 'lane', 'client'))
if redis.call('ZSCORE', KEY.TURNS .. lane, client) then redis.call('ZADD', KEY.TURNS .. lane, redis.call('INCR', KEY.TURN), client) end
if lane == 'long' then redis.call('SADD', KEY.LONG, id) end
if not get('claimed_at') then
  count(1, 'wait_number', get('kind'))
  count(text(passed(get('created_at'))), 'wait_microseconds', get('kind'))
end
move('running')
set('token', token, 'worker', worker, 'claimed_at', text(now))
redis.call('HSETNX', KEY.JOB .. id, 'started_at', stamp('created_at'))
if get('due') then redis.call('HDEL', KEY.JOB .. id, 'due') else set('message', 'starting') end
redis.call('HINCRBY', KEY.JOB .. id, 'attempts', 1)
redis.call('ZADD', KEY.LEASES, text(now + ARGV[3]), id)
redis.call('SET', KEY.CLAIMED .. token, id, 'EX', 60)
report(id)
return id
"""

# the name of a worker stands in for the id -> the id of the job that it could claim, or nothing
NEXT = f"""{_CHOICE}
return choose(id) or false
"""

# -> 1 where a worker could claim a job and no message says so
UNANNOUNCED = f"""
if redis.call('ZCARD', KEY.QUEUED) == 0 or redis.call('LLEN', KEY.MESSAGES) > 0 then return 0 end
{_CHOICE}
for name in pairs(slots) do
  if choose(name) then return 1 end
end
return 0
"""
