"""What can be set from outside: environment variables DLNFLOW_…, read once at the start of a program."""

import os
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """The settings of the service and of its workers. Field `port` is set by `DLNFLOW_PORT`, and so on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address on which the service listens")
    port: int = Field(8000, ge=1, le=65535, description="port on which the service listens; PORT is read too")
    data: str = Field("./.dlnflow", description="folder in which the embedded store keeps jobs and results")
    redis_url: str = Field(
        "",
        description="Redis or Valkey server to use, redis:// or rediss:// or sentinel://; empty: start one, with its data in DLNFLOW_DATA",
    )
    redis_ca: str = Field(
        "", description="file with the authority that signed the server's certificate, for rediss:// and sentinel:// with TLS"
    )
    redis_master: str = Field("mymaster", description="name under which the sentinels of a sentinel:// address know the store")
    workers: int = Field(2, ge=1, le=256, description="jobs that run at the same time, and one prediction beside them")
    max_queued: int = Field(1000, ge=1, description="jobs that may wait; further ones get 429")
    max_body_bytes: int = Field(1_000_000, ge=1, description="largest body of a request; larger ones get 413")
    max_dataset_bytes: int = Field(65_000_000, ge=1, description="largest file of a data set; larger ones get 413")
    max_seconds: float = Field(3600, gt=0, description="predicted seconds of one job; a longer one gets 422")
    max_total_seconds: float = Field(
        1_000_000, gt=0, description="predicted seconds of a sweep or a comparison in all; a longer one gets 422"
    )
    max_memory_bytes: int = Field(8_000_000_000, gt=0, description="predicted memory of one job; a larger one gets 422")
    max_client_jobs: int = Field(
        500, ge=1, description="unfinished jobs of one key, or one address where calls are open; further ones get 429"
    )
    max_requests_per_minute: int = Field(6000, ge=1, description="requests of one key, or one address where calls are open; more get 429")
    auth: Literal["", "keys", "open"] = Field(
        "", description="keys: only with a key; open: anyone; empty: anyone on a loopback address, and no start on any other"
    )
    cors_origins: str = Field("", description="other sites whose pages may call, separated by commas; empty: none")
    log_format: Literal["plain", "json"] = Field("plain", description="how logs are written: for people, or one JSON object a line")
    max_datasets: int = Field(20, ge=1, description="data sets that are kept; further ones get 429")
    time_limit: int = Field(3600, ge=1, description="seconds after which a job is stopped with error timeout")
    theory_time_limit: int = Field(60, ge=1, description="the same for jobs of kind theory")
    memory_limit_mb: int = Field(4000, ge=100, description="resident memory above which a process that runs a job is killed, in 1e6 bytes")
    alive_file: str = Field("", description="file that a worker touches whenever the store answers it, for health checks; empty: none")
    retention_days: float = Field(30, gt=0, description="days after which a finished job expires; its address answers 410 then")
    store_memory_mb: int = Field(0, ge=0, description="memory of the embedded store in 1e6 bytes, 0 for no limit; a full one refuses jobs")

    def limit(self, kind: str) -> int:
        """Seconds that a job of a kind may take."""
        return min(self.time_limit, self.theory_time_limit) if kind == "theory" else self.time_limit

    @property
    def memory_limit_bytes(self) -> int:
        """Bytes that a process may have resident."""
        return self.memory_limit_mb * 1_000_000

    @property
    def retention_seconds(self) -> float:
        """Seconds for which a finished job is kept."""
        return self.retention_days * 86400


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
