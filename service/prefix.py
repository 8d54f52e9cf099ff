"""Middleware for a service that a proxy shows under a path of its own."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """Lets the application know the prefix, whether the proxy took it off the path before it passed the request on or not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] == "http" and self._prefix:
            path = scope["path"]
            whole = path if path == self._prefix or path.startswith(f"{self._prefix}/") else self._prefix + path
            scope = {**scope, "root_path": self._prefix, "path": whole}
        await self._app(scope, receive, send)
