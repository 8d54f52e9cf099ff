"""The Celery application and its one task. Messages carry a job's id and nothing else."""

import os
import socket

import redis
from celery import Celery
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from dlnflow.jobs import keys
from dlnflow.jobs.settings import Settings, from_environment
from dlnflow.jobs.store import JobStore
from worker.run import run_job

HARD_LIMIT_GRACE = 30
KEEPALIVE = {"socket_keepalive": True, "health_check_interval": 25, "socket_connect_timeout": 5}


def create_app(settings: Settings) -> Celery:
    """A Celery application that loses no job: late acknowledgement, one message at a time, JSON only."""
    app = Celery("dlnflow", broker=settings.broker_url)
    hard_limit = settings.time_limit + HARD_LIMIT_GRACE
    app.conf.update(
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_default_queue=keys.QUEUE,
        task_soft_time_limit=settings.time_limit,
        task_time_limit=hard_limit,
        worker_prefetch_multiplier=1,
        worker_concurrency=settings.workers,
        worker_proc_alive_timeout=120,  # a new child loads the solvers before it is ready
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=KEEPALIVE | {"visibility_timeout": 2 * hard_limit},
    )
    return app


def connect(settings: Settings) -> JobStore:
    """A store whose calls outlast a restart of the server."""
    retry = Retry(ExponentialBackoff(cap=2, base=0.1), 15)
    client = redis.Redis.from_url(settings.redis_url, retry=retry, health_check_interval=25, socket_timeout=20)
    return JobStore(client, time_limit=settings.time_limit)


def send(job_id: str) -> None:
    """Put a message for a queued job into the queue."""
    app.send_task(keys.TASK, [job_id], task_id=job_id)


settings = from_environment()
if not settings.redis_url:
    raise SystemExit("DLNFLOW_REDIS_URL must be set for a worker; `python -m service` starts workers of its own")
app = create_app(settings)
name = f"{socket.gethostname()}:{os.getpid()}"  # of the main process; its forked children share it


@app.task(name=keys.TASK)
def run(job_id: str) -> None:
    """Run one job."""
    run_job(process_store(), job_id, name)


_stores: dict[int, JobStore] = {}


def process_store() -> JobStore:
    """This process's own connection: connections must not be shared across a fork."""
    if os.getpid() not in _stores:
        _stores[os.getpid()] = connect(settings)
    return _stores[os.getpid()]
