"""What every program of the service does first: read the settings, set up the logs, and say in one sentence why it cannot start."""

import logging
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from store import logs, server, settings
from store.settings import BadSetting, Settings

log = logging.getLogger(__name__)

BRIEFLY = {"retry": Retry(NoBackoff(), 0), "socket_connect_timeout": 2, "socket_timeout": 5}


def read_settings() -> Settings:
    """The settings of the environment; ends the program where one cannot be read, and warns of variables that nobody reads."""
    try:
        found = settings.from_environment()
    except BadSetting as error:
        raise SystemExit(str(error)) from None
    logs.configure(found)
    for variable, advice in settings.unknown().items():
        log.warning("%s %s", variable, advice)
    return found


def require_suitable_store(settings: Settings) -> None:
    """End the program where the store's server answers and is not suitable; one that does not answer yet may do so later."""
    try:
        with server.connect(settings, **BRIEFLY) as client:
            server.require_suitable(client)
    except server.Unsuitable as error:
        raise SystemExit(str(error)) from None
    except redis.RedisError:
        return


def require_writable(alive_file: str) -> None:
    """End the program where the file that shows its life cannot be written; '' is none."""
    try:
        if alive_file:
            Path(alive_file).touch()
    except OSError as error:
        raise SystemExit(f"DLNFLOW_ALIVE_FILE: {alive_file} cannot be written: {error.strerror}") from None
