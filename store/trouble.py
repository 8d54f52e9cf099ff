"""What it means where the store's server does not answer, or refuses what it would do at another time: one sentence for each case."""

import redis
from redis import exceptions

AWAY = "the store of jobs cannot be reached at the moment"
FULL = "the store is full; what is there can be read, new jobs have to wait until results expire"
FORBIDDEN = "the store does not let the service do this; its operator should look at the user in DLNFLOW_REDIS_URL"
# By words of a server's refusal, or the class that the client library makes of it.
REFUSALS: dict[str | type[Exception], str] = {
    exceptions.BusyLoadingError: "the store is still loading its data",
    exceptions.AuthenticationError: "the store does not know the service's password; its operator should look at DLNFLOW_REDIS_URL",
    exceptions.NoPermissionError: FORBIDDEN,
    "ACL failure": FORBIDDEN,
    exceptions.OutOfMemoryError: FULL,
    exceptions.ReadOnlyError: "the store takes no changes at the moment: it is a copy of another one; what is there can be read",
    exceptions.MasterDownError: "the store has lost the server that it is a copy of",
    exceptions.ClusterDownError: AWAY,
    redis.ConnectionError: AWAY,
    redis.TimeoutError: AWAY,
    "MISCONF": "the store cannot write to its disk, which may be full, and takes no changes; what is there can be read",
    "NOREPLICAS": "the store takes no changes at the moment: too few copies of it are there; what is there can be read",
    "BUSY ": AWAY,
    "Error compiling script": "the store's server is too old: dlnflow needs Redis 7.0 or later, or Valkey",
}


def meaning(error: BaseException) -> str | None:
    """The sentence; None where `error` says nothing about the state of the server."""
    if not isinstance(error, redis.RedisError):
        return None
    for sign, sentence in REFUSALS.items():
        if sign in str(error) if isinstance(sign, str) else isinstance(error, sign):
            return sentence
    return None
