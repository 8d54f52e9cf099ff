"""Middleware for headers: what every answer has, and what requests may spread over several lines."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
RAW = [(name.lower().encode(), value.encode()) for name, value in SAFE.items()]
LISTS = (b"accept", b"accept-encoding", b"if-none-match", b"prefer")  # of those that are read here


class SafeHeaders:
    """Adds `SAFE`; there is no CORS on purpose."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""

        async def safe_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *RAW]
            await send(message)

        await self._app(scope, receive, safe_send)


class WholeLists:
    """Puts the lines of a header that is a list together, as RFC 9110 lets any recipient do (5.3)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] == "http":
            scope = {**scope, "headers": joined(scope["headers"])}
        await self._app(scope, receive, send)


def joined(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, each of `LISTS` on one line."""
    others = [(name, value) for name, value in headers if name not in LISTS]
    lists = {name: [value for given, value in headers if given == name] for name in LISTS}
    return others + [(name, b", ".join(values)) for name, values in lists.items() if values]
