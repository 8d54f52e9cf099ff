"""Middleware that reads bodies up to a limit, before anything parses them."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Problem

DRAIN_BYTES = 128_000_000


class BodyLimit:
    """Answers 413 where a body is longer than the limit of its path in bytes, announced or not, and 415 where it is packed."""

    def __init__(self, app: ASGIApp, limit: int, by_path: Mapping[str, int]) -> None:
        self._app, self._limit, self._by_path = app, limit, by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._by_path.get(scope["path"].removeprefix(scope.get("root_path", "")), self._limit)
        headers = dict(scope["headers"])
        if b"content-length" not in headers and b"transfer-encoding" not in headers:  # there is no body
            await self._app(scope, receive, send)
            return
        if (coding := headers.get(b"content-encoding", b"").strip().lower()) not in (b"", b"identity"):
            await _coded(coding)(scope, receive, send)
            return
        announced = int(headers.get(b"content-length", b"0"))  # the server has checked that it is a number
        if announced > limit and b"expect" in headers:
            await self._refuse(limit, scope, receive, send)
            return
        body = await self._read(limit, receive, announced)
        if body is None:
            await self._refuse(limit, scope, receive, send)
        else:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, limit: int, receive: Receive, announced: int) -> bytes | None:
        """The body, or None where it is too long.

        The rest of a long one is read off and forgotten: a client that is still sending sees the answer, not a reset.
        """
        chunks: list[bytes] = []
        seen = 0
        more = announced <= DRAIN_BYTES
        while more:
            message = await receive()
            chunk = message.get("body", b"")
            seen += len(chunk)
            chunks = [*chunks, chunk] if seen <= limit else []
            more = message.get("more_body", False) and seen <= DRAIN_BYTES
        return b"".join(chunks) if max(seen, announced) <= limit else None

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        problem = Problem(
            f"the body is longer than {limit} bytes",
            status=413,
            code="body_too_large",
            hint="See GET /v1/limits; a matrix takes the fewest bytes as NPY, 8 an entry.",
            headers={"Connection": "close"},
        )
        await problem.response()(scope, receive, send)


def _coded(coding: bytes) -> Response:
    """What is short where it is compressed may be long without end: nothing is unpacked (RFC 9110, 12.5.3 and 15.5.16)."""
    return Problem(
        f"a body with Content-Encoding: {coding.decode('latin-1')} is not unpacked here",
        status=415,
        code="unsupported_media_type",
        hint="Send it as it is; Parquet and compressed NPZ make large matrices short.",
        headers={"Accept-Encoding": "identity", "Connection": "close"},
    ).response()


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive channel that gives `body` first."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
