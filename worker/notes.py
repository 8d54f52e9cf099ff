"""What the children of a worker tell its main process: which job each of them runs. It goes through a pipe, so that it needs no store."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

from store.jobs import Right


@dataclass(frozen=True)
class Note:
    """The process `pid` runs a job that may take `limit` seconds, or none."""

    pid: int
    right: Right | None = None
    limit: float = 0.0


class Notes:
    """Made before the children are forked. A note is shorter than what a pipe takes at once, so none is torn."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._rest = b""

    def begin(self, right: Right, limit: float) -> None:
        """This process runs a job from now on."""
        self._write([os.getpid(), right.id, right.token, limit])

    def end(self) -> None:
        """This process runs none."""
        self._write([os.getpid()])

    def read(self) -> Iterator[Note]:
        """The notes since the last call."""
        *lines, self._rest = (self._rest + self._bytes()).split(b"\n")
        for line in lines:
            pid, *job = json.loads(line)
            yield Note(pid, Right(job[0], job[1]), job[2]) if job else Note(pid)

    def _write(self, note: list[object]) -> None:
        os.write(self._write_end, json.dumps(note).encode() + b"\n")

    def _bytes(self) -> bytes:
        found = b""
        try:
            while part := os.read(self._read_end, 65536):
                found += part
        except BlockingIOError:
            pass
        return found
