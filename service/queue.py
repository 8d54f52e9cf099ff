"""Sends messages to the workers. The job is in the store by then, so a message that fails is sent by a worker later."""

import logging
from collections.abc import Callable

from celery import Celery
from kombu.exceptions import OperationalError

from dlnflow.jobs import keys

log = logging.getLogger(__name__)


def sender(broker_url: str) -> Callable[[str], None]:
    """A function that sends the message for a job."""
    app = Celery("dlnflow", broker=broker_url)
    app.conf.broker_transport_options = {"socket_connect_timeout": 2, "socket_timeout": 5}

    def send(job_id: str) -> None:
        try:
            app.send_task(keys.TASK, [job_id], task_id=job_id, queue=keys.QUEUE, ignore_result=True, retry=False)
        except OperationalError as error:
            log.warning("job %s: message not sent, a worker will send it: %s", job_id, error)

    return send
