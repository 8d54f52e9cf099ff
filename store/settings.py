"""What can be set from outside: environment variables DLNFLOW_…, read once at the start of a program."""

import difflib
import os
import re
import ssl
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class Settings(BaseModel):
    """The settings of the service and of its workers. Field `port` is set by `DLNFLOW_PORT`, and so on. No error repeats a value."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="address on which the service listens")
    port: int = Field(8000, ge=1, le=65535, description="port on which the service listens; PORT is read too")
    root_path: str = Field("", description="path under which a proxy shows the service, such as /dlnflow; empty: at the top")
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
    max_body_bytes: int = Field(3_000_000, ge=1, description="largest body of a request; larger ones get 413")
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

    @field_validator("*", mode="before")
    @classmethod
    def _stripped(cls, value: Any) -> Any:
        """Files and shells leave spaces and line breaks around values."""
        return value.strip() if isinstance(value, str) else value

    @field_validator("host")
    @classmethod
    def _bare_host(cls, host: str) -> str:
        return host.removeprefix("[").removesuffix("]")

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: str) -> str:
        """As browsers send them, which is how they are compared."""
        found = [origin.strip().rstrip("/") for origin in origins.split(",") if origin.strip()]
        if wrong := next((origin for origin in found if origin != "*" and not re.fullmatch(r"https?://[^/\s]+", origin)), None):
            raise ValueError(f"{wrong} is no origin; one reads https://site.example")
        return ",".join(found)

    @field_validator("root_path")
    @classmethod
    def _path(cls, path: str) -> str:
        path = path.rstrip("/")
        if path and not re.fullmatch(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9_.~-]+)+", path):  # as it stands in the header Location
            raise ValueError(
                "a path begins with / and is made of names of ASCII letters, digits, and the signs - . _ ~, none of them . or .."
            )
        return path

    @field_validator("data", "redis_ca", "alive_file")
    @classmethod
    def _at_home(cls, path: str) -> str:
        """What a shell would make of `~`, where no shell has seen the value."""
        whole = os.path.expanduser(path)
        if whole.startswith("~"):
            raise ValueError("there is no such home folder; write the whole path")
        return whole

    @field_validator("redis_ca")
    @classmethod
    def _readable(cls, file: str) -> str:
        if file:
            try:
                ssl.create_default_context(cafile=file)
            except OSError as error:  # of which ssl.SSLError is one
                raise ValueError(f"the file cannot be read as certificates: {error.strerror or error}") from None
        return file

    @field_validator("redis_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url:
            _require_address(url)
        return url

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
# What else is read from variables of this kind: by the client, the compiled core, the examples and the files for containers.
ELSEWHERE = """
URL API_KEY NATIVE_LEVEL PAPER FIGURES IMAGE REVISION REDIS_PASSWORD REMOTE_PASSWORD STORE_HOST STORE_ADDRESS STORE_PORT
STORE_MEMORY STORE_LIMIT WORKER_MEMORY WORKER_CPUS API_MEMORY CA CERTIFICATES
"""
SCHEMES = ("redis", "rediss", "sentinel", "unix")


class BadSetting(ValueError):
    """A setting that cannot be read; the text names it and says why, and does not repeat its value."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environment`; raises BadSetting where one cannot be read."""
    values: dict[str, str] = {}
    for name in Settings.model_fields:
        if value := environment.get(PREFIX + name.upper(), "").strip():
            values[name] = value
    if "port" not in values and environment.get("PORT"):
        values["port"] = environment["PORT"]
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadSetting(f"{PREFIX}{str(first['loc'][0]).upper()}: {first['msg'].removeprefix('Value error, ')}") from None


def unknown(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that look like settings and are none: each name with advice."""
    known = {name.upper() for name in Settings.model_fields} | set(ELSEWHERE.split())
    found = {}
    for variable in environment:
        name = variable.upper().removeprefix(PREFIX)
        if variable.upper().startswith(PREFIX) and (name not in known or variable != variable.upper()):
            close = difflib.get_close_matches(name, known, 1)
            advice = f"is {PREFIX}{close[0]} meant?" if close else "python -m service --help lists them"
            found[variable] = f"is not a setting; {advice}"
    return found


def table() -> str:
    """One line per setting: name, default, meaning."""
    fields = Settings.model_fields.items()
    return "\n".join(f"  {PREFIX + name.upper():24}{field.default!r:16}{field.description}" for name, field in fields)


def _require_address(url: str) -> None:
    """Raise ValueError where a store's address would be read in another way than it is meant, or not at all."""
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES or not rest:
        raise ValueError("an address begins with redis://, rediss://, unix:// or sentinel://")
    if scheme == "unix" and not rest.startswith("/"):
        raise ValueError(
            "the address of a socket is unix:///PATH, without a user; a server that asks for a password is reached by redis://"
        )
    login, at, hosts = rest.rpartition("@")
    nodes, _, database = hosts.partition("/")
    wholes = [f"{login}{at}{node}/{database}" for node in nodes.split(";")] if scheme == "sentinel" else [rest]
    if any(character in "#" or character.isspace() for character in url) or not all(_is_readable(scheme, whole) for whole in wholes):
        raise ValueError("it cannot be read as an address; in a password or a path write % as %25, # as %23, ? as %3F, / as %2F, @ as %40")


def _is_readable(scheme: str, rest: str) -> bool:
    if scheme == "unix":
        return True
    try:
        parts = urlsplit(f"redis://{rest}")
        database = unquote(parts.path).strip("/")
        return bool(parts.hostname) and parts.port != 0 and (database or "0").isdigit()
    except ValueError:
        return False
