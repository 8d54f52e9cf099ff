"""The Celery application and its tasks. A message says that a job waits; the store says which is next."""

import os
import secrets
import socket

from celery import Celery
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from store import keys, server, start
from store.jobs import JobStore
from store.settings import Settings
from worker.announce import announce
from worker.notes import Notes
from worker.pace import Pace
from worker.run import Post, run_job

VISIBILITY_SECONDS = 24 * 3600  # a message that comes again does no harm, but helps nobody
MOST_PASSES = 20  # of a message that reaches workers without a slot for the job that waits
KEEPALIVE = {"socket_keepalive": True, "health_check_interval": 25, "socket_connect_timeout": 5}


def create_app(settings: Settings) -> Celery:
    """A Celery application that loses no job: late acknowledgement, one message at a time, JSON only."""
    app = Celery("dlnflow")
    app.conf.update(
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_default_queue=keys.QUEUE,
        worker_prefetch_multiplier=1,
        worker_lost_wait=0.2,  # before a killed child is replaced: the store knows what it did
        worker_concurrency=settings.workers + 1,  # one for predictions, and for messages when all slots are taken
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        **server.broker(settings, **KEEPALIVE, visibility_timeout=VISIBILITY_SECONDS),
    )
    return app


def connect(settings: Settings) -> JobStore:
    """A store whose calls outlast a restart of the server."""
    retry = Retry(ExponentialBackoff(cap=2, base=0.1), 15)
    return JobStore(server.connect(settings, retry=retry, health_check_interval=25, socket_timeout=20))


def connect_briefly(settings: Settings) -> JobStore:
    """A store whose calls fail at once where the server is away."""
    return JobStore(server.connect(settings, retry=Retry(NoBackoff(), 1), socket_timeout=2, socket_connect_timeout=1))


def send(passes: int = 0) -> None:
    """Say that a job waits."""
    app.send_task(keys.TASK, [passes])


settings = start.read_settings()
if not settings.redis_url:
    raise SystemExit("DLNFLOW_REDIS_URL must be set for a worker; `python -m service` starts workers of its own")
start.require_suitable_store(settings)
start.require_writable(settings.alive_file)
app = create_app(settings)
# Of the main process; its forked children share it. A worker that is started again has other slots than those which it has lost.
name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
notes = Notes()
post = Post(name, settings.limit, notes, send, Pace())


@app.task(name=keys.TASK)
def run(passes: int = 0) -> None:
    """Run the job that is next; where there is none for this worker, let the others look."""
    if not run_job(process_store(), post) and passes < MOST_PASSES:
        announce(process_store(), lambda: send(passes + 1))


@app.task(name=keys.PING)
def ping(token: str) -> None:
    """Show that messages reach a process that runs jobs."""
    process_store().workers.answer_ping(token)
    announce(process_store(), send)  # nobody did who saw this message in the place of another


_stores: dict[int, JobStore] = {}


def process_store() -> JobStore:
    """This process's own connection: connections must not be shared across a fork."""
    if os.getpid() not in _stores:
        _stores[os.getpid()] = connect(settings)
    return _stores[os.getpid()]
