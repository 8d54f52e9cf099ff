"""The connections of a client: of their own in every process, since two that read from one get each other's answers."""

import asyncio
import os
from typing import Any, Generic, TypeVar

import httpx2

from dlnflow.client.address import Address
from dlnflow.client.errors import DlnflowError

H = TypeVar("H", bound=httpx2.Client | httpx2.AsyncClient)
Loop = asyncio.AbstractEventLoop
Place = tuple[int, Loop | None]


class Connections(Generic[H]):
    """An HTTP client of the class `kind` for each process, and for each event loop of an asynchronous one; or the one that was `given`.

    What was opened before a fork is kept and not used: to close it would end a connection of the parent's.
    """

    def __init__(self, kind: type[H], given: H | None, address: Address, key: str | None) -> None:
        self._kind, self._given, self._address, self._key = kind, given, address, key
        self._process, self._closed = os.getpid(), False
        self._open: dict[Place, H] = {}
        if given is not None:
            given.headers.update(address.headers(key))

    def here(self) -> H:
        """The HTTP client of this process and event loop; raises DlnflowError where the one that was given is another process's."""
        if self._closed:
            raise DlnflowError("this client was closed; make another one")
        if self._given is not None:
            self._require_own_process()
            return self._given
        place = self._place()
        if place not in self._open:
            self._forget_ended_loops()
            self._open.setdefault(place, self._connect())
        return self._open[place]

    def take(self) -> list[H]:
        """Let nobody use the connections any more; those of this process and event loop, for the caller to close."""
        self._closed = True
        mine = self._given if self._given is not None and os.getpid() == self._process else self._open.pop(self._place(), None)
        return [] if mine is None else [mine]

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to connect by itself."""
        return self.__dict__ | {"_open": {}}

    def _require_own_process(self) -> None:
        if os.getpid() != self._process:
            raise DlnflowError(
                "the HTTP client that was given belongs to another process, whose connections cannot be shared: give one here"
            )

    def _connect(self) -> H:
        try:
            return self._kind(**self._address.options(self._key))
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            through = f" through the proxy {self._address.proxy} of the environment" if self._address.proxy else ""
            raise DlnflowError(f"there is no way to {self._address}{through}: {error}") from None

    def _forget_ended_loops(self) -> None:
        for place in list(self._open):
            if place[1] is not None and place[1].is_closed():
                self._open.pop(place, None)

    def _place(self) -> Place:
        return os.getpid(), _running_loop() if issubclass(self._kind, httpx2.AsyncClient) else None


def _running_loop() -> Loop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
