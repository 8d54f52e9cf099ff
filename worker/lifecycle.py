"""What happens when a worker's processes start and stop, as Celery's signals."""

import importlib
import os
import threading
from typing import Any

from celery.signals import worker_process_init, worker_ready, worker_shutting_down

from dlnflow.jobs.parent import die_with_parent
from worker.app import connect, name, send, settings
from worker.upkeep import Upkeep

_main_process = os.getpid()
_upkeep = Upkeep(connect(settings), name, settings.workers, send)


@worker_process_init.connect
def _warm(**_: Any) -> None:
    """A new child is tied to its parent and loads the solvers before its first job."""
    die_with_parent(_main_process)
    for solver in ("dlnflow.dmft", "dlnflow.simulation"):
        importlib.import_module(solver)


@worker_ready.connect
def _start(**_: Any) -> None:
    _upkeep.start()


@worker_shutting_down.connect
def _give_back(**_: Any) -> None:
    """Runs inside a signal handler: leave the waiting to a thread."""
    threading.Thread(target=_upkeep.stop, name="give-back").start()
