"""`python -m worker.health`: exit code 0 where a worker of this host was heard of lately, for the health check of its container."""

import socket

from dlnflow.jobs import server, settings
from dlnflow.jobs.store import JobStore

SILENCE_SECONDS = 10.0


def main() -> None:
    """Ask the store."""
    with server.connect(settings.from_environment(), socket_timeout=4, socket_connect_timeout=2) as client:
        names = JobStore(client).worker_names(seen_within=SILENCE_SECONDS)
    if not any(name.rpartition(":")[0] == socket.gethostname() for name in names):
        raise SystemExit("no worker of this host was heard of lately")


if __name__ == "__main__":
    main()
