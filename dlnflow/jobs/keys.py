"""Every name that is shared through the store: keys, the queue and the task."""

INDEX = "dlnflow:jobs"  # sorted set: id -> created_at
QUEUED = "dlnflow:queued"  # sorted set: id -> when its message was last sent
LEASES = "dlnflow:leases"  # sorted set: id of a running job -> when its lease ends
WORKERS = "dlnflow:workers"  # sorted set: name of a worker -> when it was last seen

QUEUE = "dlnflow:messages"  # the list in which the broker keeps messages that wait
TASK = "dlnflow.run"


def job(job_id: str) -> str:
    """The hash that holds the record of a job."""
    return f"dlnflow:job:{job_id}"


def result(job_id: str) -> str:
    """The hash that holds the encoded parts of a result."""
    return f"dlnflow:result:{job_id}"
