"""Lets a worker know of a job that it could take. Who frees a process, or finds none free, announces."""

import logging
from collections.abc import Callable

from store.jobs import JobStore

log = logging.getLogger(__name__)


def announce(store: JobStore, send: Callable[[], None]) -> None:
    """Send a message where a job could be claimed and no message waits."""
    try:
        if store.unannounced():
            send()
    except Exception as error:  # a store that is away comes back
        log.warning("message not sent, the upkeep of a worker will send it: %s", error)
