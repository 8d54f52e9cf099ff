"""Every name that is shared through the store: keys, the queue and the tasks."""

QUEUED = "dlnflow:queued"  # sorted set: id of a job that waits for a worker -> since when
LEASES = "dlnflow:leases"  # sorted set: id of a running job -> when its lease ends
LONG = "dlnflow:long"  # set: ids of the running jobs of the long lane
FINISHED = "dlnflow:finished"  # sorted set: id of a finished job -> when it finished
WORKERS = "dlnflow:workers"  # sorted set: name of a worker -> when it was last seen
DATASETS = "dlnflow:datasets"  # sorted set: id of a data set -> when it was uploaded
SLOTS = "dlnflow:slots"  # hash: name of a worker -> jobs that it can run at a time, but for instant ones
PACES = "dlnflow:paces"  # hash: name of a worker -> processor seconds that a job takes there for each that is forecast
SECONDS = "dlnflow:seconds"  # hash: lane -> mean seconds of its latest jobs
TURN = "dlnflow:turn"  # counter that orders jobs in a line and clients in a lane

QUEUE = "dlnflow:messages"  # the list in which the broker keeps messages that wait
TASK = "dlnflow.run"  # run the next job, whichever that is
PING = "dlnflow.ping"  # answer on `pong(token)`

API_KEYS = "dlnflow:api-keys"  # hash: id of a key -> its name and the hash of its secret, as JSON
PROBE = "dlnflow:probe"  # written to see whether anything can be
COUNTS = "dlnflow:counts"  # hash: what has happened so far -> how often; see lua/frame.py

CLIENT = "client:"  # what tells a client from a parent among those who asked for a job


def index(kind: str | None = None, status: str | None = None) -> str:
    """The sorted set of jobs, of one kind and status where given: id -> created_at."""
    return ":".join(["dlnflow:jobs", kind or "*", status or "*"])


def job(job_id: str) -> str:
    """The hash that holds the record of a job."""
    return f"dlnflow:job:{job_id}"


def result(job_id: str) -> str:
    """The hash that holds the encoded parts of a result."""
    return f"dlnflow:result:{job_id}"


def dataset(dataset_id: str) -> str:
    """The hash that holds a data set: what it is, and its matrix."""
    return f"dlnflow:dataset:{dataset_id}"


def checkpoint(job_id: str) -> str:
    """How far an unfinished job has come, for the next attempt."""
    return f"dlnflow:checkpoint:{job_id}"


def gone(job_id: str) -> str:
    """What is left of a job that was deleted or kept long enough."""
    return f"dlnflow:gone:{job_id}"


def askers(job_id: str) -> str:
    """The set of those who want an unfinished job: the ids of parents, and clients."""
    return f"dlnflow:askers:{job_id}"


def open_children(job_id: str) -> str:
    """The set of a parent's children that were submitted and have not finished."""
    return f"dlnflow:open:{job_id}"


def bucket(who: str) -> str:
    """The hash that counts how many requests a caller has left."""
    return f"dlnflow:bucket:{who}"


def mine(asker: str) -> str:
    """The sorted set of the jobs that a client asked for: id -> created_at, which may be that of an earlier run."""
    return f"dlnflow:mine:{asker}"


def wanted(job_id: str) -> str:
    """The set of those who ever asked for a job, clients and parents, unless they cancelled or deleted it."""
    return f"dlnflow:wanted:{job_id}"


def owners(dataset_id: str) -> str:
    """The set of those who uploaded a data set."""
    return f"dlnflow:owners:{dataset_id}"


def events(job_id: str) -> str:
    """The stream of what happened to a job: see `JobStore.events`."""
    return f"dlnflow:events:{job_id}"


def turns(lane: str) -> str:
    """The sorted set of clients who have jobs waiting in a lane: client -> whose turn is first."""
    return f"dlnflow:turns:{lane}"


def line(lane: str, client: str) -> str:
    """The sorted set of one client's jobs that wait in a lane, in order."""
    return f"dlnflow:line:{lane}:{client}"


def claimed(token: str) -> str:
    """The job that a worker was given, should the answer have been lost."""
    return f"dlnflow:claimed:{token}"


def pong(token: str) -> str:
    """The list on which a worker answers a ping."""
    return f"dlnflow:pong:{token}"
