"""Parts of results as they were last sent, so that reading one again costs neither decoding nor encoding."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

MOST_BYTES = 64_000_000
MOST_VERSIONS = 10_000
FRESH_SECONDS = 1.0  # for which a result that was there is taken to be there still


@dataclass(frozen=True)
class Document:
    """The bytes of an answer and their hash, which is its ETag."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> "Document":
        """`body` with its hash."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


class Documents:
    """The documents that were used last, up to `most` bytes in all. A key says everything that a document depends on."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most, self._bytes = most, 0
        self._kept: OrderedDict[Hashable, Document] = OrderedDict()
        self._lock = Lock()
        self._versions: dict[str, tuple[float, bytes]] = {}

    def get(self, key: Hashable) -> Document | None:
        """The document, if it is kept."""
        with self._lock:
            found = self._kept.get(key)
            if found:
                self._kept.move_to_end(key)
            return found

    def put(self, key: Hashable, document: Document) -> None:
        """Keep a document, and forget those that were not used for longest."""
        with self._lock:
            if key in self._kept or len(document.body) > self._most:
                return
            self._kept[key] = document
            self._bytes += len(document.body)
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1].body)

    def version(self, job_id: str) -> bytes | None:
        """The version of a job's result, where it was looked up a moment ago."""
        looked, version = self._versions.get(job_id, (0.0, b""))
        return version if version and time.monotonic() - looked < FRESH_SECONDS else None

    def note(self, job_id: str, version: bytes) -> None:
        """Remember a version that was looked up just now."""
        if len(self._versions) >= MOST_VERSIONS:
            self._versions.clear()
        self._versions[job_id] = (time.monotonic(), version)
