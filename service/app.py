"""The application: routes, errors, middleware, put together from parts that are passed in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio.retry
from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from dlnflow import __version__
from service import errors, openapi
from service.access import require_choice
from service.body import BodyLimit
from service.context import Context, admit
from service.ending import told_of_the_end
from service.head import Head
from service.headers import SafeHeaders, WholeLists
from service.prefix import Prefix
from service.queue import Messages
from service.routes import children, datasets, events, guide, jobs, limits, metrics, operations, page, plots, results, units
from store import server, start
from store.jobs import JobStore
from store.settings import Settings

CORS: dict[str, Any] = {
    "allow_methods": ["GET", "HEAD", "POST", "DELETE"],
    "allow_headers": ["Authorization", "X-API-Key", "Content-Type", "Prefer", "If-None-Match", "Last-Event-ID"],
    "expose_headers": ["Location", "Retry-After", "Preference-Applied", "ETag"],
}


def create_app(context: Context) -> FastAPI:
    """The service around its parts."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with told_of_the_end(context.live.stop):
            yield
        await context.live.close()

    app = FastAPIOffline(
        title="dlnflow",
        version=__version__,
        summary="Gradient flow on diagonal linear networks",
        lifespan=lifespan,
        docs_url=None,  # the page brings its own, for light and dark
        redoc_url=None,
        redirect_slashes=False,  # to addresses that a proxy may not know; see `errors`
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.context = context
    errors.install(app)
    app.add_middleware(errors.Unforeseen)
    app.add_middleware(BodyLimit, limit=context.settings.max_body_bytes, by_path={"/v1/datasets": context.settings.max_dataset_bytes})
    app.add_middleware(WholeLists)
    app.add_middleware(SafeHeaders)
    app.add_middleware(Head)
    app.add_middleware(Prefix, prefix=context.settings.root_path)
    if context.settings.cors_origins:
        app.add_middleware(CORSMiddleware, allow_origins=context.settings.cors_origins.split(","), **CORS)
    for module in (operations, metrics):
        app.include_router(module.router)
    for module in (limits, jobs, events, results, children, plots, datasets, units):
        app.include_router(module.router, dependencies=[Depends(admit), Depends(openapi.require_known_parameters)])
    app.include_router(guide.router)
    page.install(app)
    openapi.install(app, keys=context.settings.auth == "keys")
    return app


IMPATIENT: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": 5, "health_check_interval": 25}


def connect(settings: Settings) -> JobStore:
    """A store that says within seconds that it is away."""
    client = server.connect(settings, retry=Retry(ConstantBackoff(0.2), 3), **IMPATIENT)
    return JobStore(client, max_queued=settings.max_queued, max_datasets=settings.max_datasets, root=settings.root_path)


def listen(settings: Settings) -> redis.asyncio.Redis:
    """A client of the same store for asyncio."""
    return server.connect_async(settings, retry=redis.asyncio.retry.Retry(ConstantBackoff(0.2), 3), **IMPATIENT)


def from_environment() -> FastAPI:
    """The service as the environment describes it, for `uvicorn --factory`."""
    settings = require_choice(start.read_settings())
    if not settings.redis_url:
        raise SystemExit("DLNFLOW_REDIS_URL must be set for the API alone; `python -m service` brings a store of its own")
    start.require_suitable_store(settings)
    messages = Messages(settings)
    return create_app(Context(settings, connect(settings), messages.announce, listen(settings), messages.ping))
