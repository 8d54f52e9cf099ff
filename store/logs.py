"""How logs are written: as lines for people, or as one JSON object a line for machines, with the job's id apart where there is one."""

import json
import logging
import re
from datetime import UTC, datetime

from store.settings import Settings

JOB = re.compile(r"\bjob ([0-9a-f]{32})\b")
PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def configure(settings: Settings) -> None:
    """Send what this process has to say to standard error, in the format of the settings."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else LineFormatter(PLAIN))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("dlnflow", "store", "service", "worker"):
        logging.getLogger(name).setLevel(logging.INFO)


class LineFormatter(logging.Formatter):
    """One line for a message, whatever was sent to be told in it: line breaks and codes of terminals stand there as escapes."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, before that of an exception."""
        return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in super().formatMessage(record))


class JsonFormatter(logging.Formatter):
    """One object: time, level, logger, message, job and, where there was one, the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        message = record.getMessage()
        found = JOB.search(message)
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
            "job": found[1] if found else None,
            "exception": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in entry.items() if value is not None}, ensure_ascii=False)
