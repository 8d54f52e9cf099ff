"""What the worker that runs a job changes, as long as it holds the job's token."""

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

# token, code, message -> 1 where stored
FAIL = """
if not owned(ARGV[2]) then return 0 end
fail(ARGV[3], ARGV[4])
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
