"""The application: routes, errors, middleware, put together from parts that are passed in."""

import redis
from fastapi import FastAPI
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from dlnflow import __version__
from dlnflow.jobs import settings as environment
from dlnflow.jobs.settings import Settings
from dlnflow.jobs.store import JobStore
from service import errors, openapi
from service.body import BodyLimit
from service.context import Context
from service.headers import SafeHeaders
from service.queue import sender
from service.routes import jobs, operations, results


def create_app(context: Context) -> FastAPI:
    """The service around its parts."""
    app = FastAPI(title="dlnflow", version=__version__, summary="Gradient flow on diagonal linear networks")
    app.state.context = context
    errors.install(app)
    app.add_middleware(BodyLimit, limit=context.settings.max_body_bytes)
    app.add_middleware(SafeHeaders)
    for router in (operations.router, jobs.router, results.router):
        app.include_router(router)
    openapi.install(app)
    return app


def connect(settings: Settings) -> JobStore:
    """A store that says within seconds that it is away."""
    client = redis.Redis.from_url(
        settings.redis_url,
        retry=Retry(ConstantBackoff(0.2), 3),
        socket_connect_timeout=2,
        socket_timeout=5,
        health_check_interval=25,
    )
    return JobStore(client, max_queued=settings.max_queued)


def from_environment() -> FastAPI:
    """The service as the environment describes it, for `uvicorn --factory`."""
    settings = environment.from_environment()
    if not settings.redis_url:
        raise SystemExit("DLNFLOW_REDIS_URL must be set for the API alone; `python -m service` brings a store of its own")
    return create_app(Context(settings, connect(settings), sender(settings.broker_url)))
