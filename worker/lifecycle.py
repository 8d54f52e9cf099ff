"""What happens when a worker's processes start and stop, as Celery's signals."""

import os
import threading
from typing import Any

from celery.signals import setup_logging, worker_process_init, worker_ready, worker_shutting_down

from store import logs
from store.parent import die_with_parent
from worker.app import connect, connect_briefly, name, notes, post, send, settings
from worker.upkeep import Upkeep
from worker.warden import Warden

_main_process = os.getpid()
_upkeep = Upkeep(connect(settings), name, settings.workers, settings.retention_seconds, send, post.pace, settings.alive_file)
_warden = Warden(connect_briefly(settings), notes, settings.memory_limit_bytes, send)


@setup_logging.connect
def _log(**_: Any) -> None:
    """In place of Celery's own logs."""
    logs.configure(settings)


@worker_process_init.connect
def _tie(**_: Any) -> None:
    """A new child ends with its parent."""
    die_with_parent(_main_process)


@worker_ready.connect
def _start(**_: Any) -> None:
    _warden.start()
    _upkeep.start()


@worker_shutting_down.connect
def _give_back(**_: Any) -> None:
    """Runs inside a signal handler: leave the waiting to a thread."""
    threading.Thread(target=_upkeep.stop, name="give-back").start()
