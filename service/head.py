"""Middleware that answers HEAD wherever there is an answer to GET."""

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Carries out GET and ends it as soon as the headers are known, streams too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        with anyio.CancelScope() as answering:

            async def send_head(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    answering.cancel()

            await self._app({**scope, "method": "GET"}, receive, send_head)
