"""What keeps jobs from being lost and old ones from staying: signs of life, leases that end, workers that stop, results that expire."""

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
