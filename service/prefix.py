"""Middleware for a service that a proxy shows under a path of its own."""

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Prefix:
    """Lets the application know the prefix, whether the proxy took it off the path before it passed the request on or not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI interface."""
        if scope["type"] != "http" or not self._prefix:
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path == self._prefix:  # from where the page's own addresses would lead astray
            await RedirectResponse(f"{self._prefix}/")(scope, receive, send)
            return
        whole = path if path.startswith(f"{self._prefix}/") else self._prefix + path
        await self._app({**scope, "root_path": self._prefix, "path": whole}, receive, send)
