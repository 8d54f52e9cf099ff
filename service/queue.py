"""Tells the workers that a job waits. It is in the store by then, so a message that fails is sent by a worker later."""

import logging

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from store import keys, server
from store.settings import Settings

log = logging.getLogger(__name__)

FAILURES = (OperationalError, redis.RedisError)  # a store that is away, and one that refuses


class Messages:
    """Sends messages; one that cannot be sent is not missed."""

    def __init__(self, settings: Settings) -> None:
        self._app = Celery("dlnflow")
        self._app.conf.update(server.broker(settings, socket_connect_timeout=2, socket_timeout=5))

    def announce(self, job_id: str) -> None:
        """Say that a job waits; where this fails, a worker finds it."""
        try:
            self._send(keys.TASK, [])
        except FAILURES as error:
            log.warning("job %s: message not sent, a worker will send it: %s", job_id, error)

    def ping(self, token: str) -> None:
        """Ask any worker for an answer on `token`."""
        try:
            self._send(keys.PING, [token])
        except FAILURES as error:
            log.warning("ping not sent: %s", error)

    def _send(self, task: str, arguments: list[str]) -> None:
        self._app.send_task(task, arguments, queue=keys.QUEUE, ignore_result=True, retry=False)
