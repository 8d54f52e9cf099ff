"""The web page at `/`: its files and the library that draws its charts, all from here, so that it works without any other host."""

import gzip
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from service.negotiation import accepts

FOLDER = Path(__file__).parent.parent / "page"
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
)  # the charts' library sets style attributes

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page() -> FileResponse:
    """The page."""
    return FileResponse(FOLDER / "index.html", headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})


@router.get("/docs")
def interface(request: Request) -> HTMLResponse:
    """The interface's own description, in light and dark."""
    root, app = request.scope.get("root_path", ""), request.app
    found = get_swagger_ui_html(
        openapi_url=f"{root}{app.openapi_url}",
        title=f"{app.title}: HTTP interface",
        swagger_js_url=f"{root}/static-offline-docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/static-offline-docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/page/icon.svg",
    )
    dark = f'<link rel="stylesheet" href="{root}/page/docs.css"></head>'
    return HTMLResponse(bytes(found.body).decode().replace("</head>", dark, 1))


@router.get("/favicon.ico")
async def icon() -> FileResponse:
    """What browsers ask for unasked."""
    return FileResponse(FOLDER / "icon.svg", media_type="image/svg+xml")


@router.get("/page/plotly.min.js")
def charts(accept_encoding: Annotated[str, Header()] = "") -> Response:
    """The library that draws the charts, as its Python package brings it."""
    headers = {"Cache-Control": "max-age=86400", "Vary": "Accept-Encoding"}
    if accepts(accept_encoding, "gzip"):
        return Response(_zipped(), media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})
    return FileResponse(_bundle(), media_type="text/javascript", headers=headers)


def install(app: FastAPI) -> None:
    """Serve the page from `app`."""
    app.include_router(router)
    app.mount("/page", StaticFiles(directory=FOLDER))


def _bundle() -> Path:
    spec = find_spec("plotly")
    assert spec is not None and spec.origin is not None, "plotly is among the requirements of the service"
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


@cache
def _zipped() -> bytes:
    return gzip.compress(_bundle().read_bytes(), 6)
