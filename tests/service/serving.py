"""The application behind a real server in a thread of this process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from service.app import connect, create_app, listen
from service.context import Context
from store.jobs import JobStore
from store.settings import Settings
from tests.ports import free_port


@contextmanager
def serving(store: JobStore | None = None, **changed: object) -> Iterator[str]:
    settings = Settings(**changed)
    jobs = store or connect(settings)
    context = Context(settings, jobs, [].append, listen(settings), jobs.workers.answer_ping)
    port = free_port()
    config = uvicorn.Config(create_app(context), port=port, log_level="warning", timeout_graceful_shutdown=1, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
