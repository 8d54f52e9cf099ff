"""What can be set from outside: environment variables DLNFLOW_…, read once at the start of a program."""

import os
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """The settings of the service and of its workers. Field `port` is set by `DLNFLOW_PORT`, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address on which the service listens")
    port: int = Field(8000, ge=1, le=65535, description="port on which the service listens; PORT is read too")
    data: str = Field("./.dlnflow", description="folder in which the embedded store keeps jobs and results")
    redis_url: str = Field("", description="Redis or Valkey server to use; empty: start one, with its data in DLNFLOW_DATA")
    workers: int = Field(2, ge=1, le=256, description="jobs that run at the same time")
    max_queued: int = Field(1000, ge=1, description="jobs that may wait; further ones get 429")
    max_body_bytes: int = Field(1_000_000, ge=1, description="largest body of a request; larger ones get 413")
    time_limit: int = Field(3600, ge=1, description="seconds after which a job is stopped with error timeout")

    @property
    def broker_url(self) -> str:
        """`redis_url` as Celery spells it."""
        return self.redis_url.replace("unix://", "redis+socket://", 1)


PREFIX = "DLNFLOW_"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environment`; raises pydantic's ValidationError where one cannot be read."""
    values: dict[str, str] = {}
    for name in Settings.model_fields:
        if value := environment.get(PREFIX + name.upper()):
            values[name] = value
    if "port" not in values and environment.get("PORT"):
        values["port"] = environment["PORT"]
    return Settings.model_validate(values)


def table() -> str:
    """One line per setting: name, default, meaning."""
    fields = Settings.model_fields.items()
    return "\n".join(f"  {PREFIX + name.upper():24}{field.default!r:16}{field.description}" for name, field in fields)
