"""Logs as machines read them."""

import json
import logging
import subprocess
import sys

from store.logs import PLAIN, JsonFormatter, LineFormatter

ID = "0123456789abcdef" * 2


def test_a_line_is_an_object_with_the_job_apart():
    try:
        raise ValueError("why\nindeed")
    except ValueError:
        record = logging.LogRecord("worker.run", logging.ERROR, "f", 1, "job %s failed", (ID,), sys.exc_info())
    [line] = JsonFormatter().format(record).splitlines()
    entry = json.loads(line)
    assert (entry["job"], entry["level"], entry["message"]) == (ID, "error", f"job {ID} failed")
    assert "why\nindeed" in entry["exception"]


def test_nobody_writes_lines_of_their_own():
    """A path arrives with its escapes undone."""
    path = "/v1/jobs/x\n2026-01-01 INFO service: all is well\x1b[2J\r"
    line = LineFormatter(PLAIN).format(logging.LogRecord("service", logging.ERROR, "f", 1, "%s %s", ("GET", path), None))
    assert line.isprintable() and "x\\n2026-01-01" in line and "\\x1b[2J\\r" in line


def test_the_setting_chooses_the_format():
    code = (
        "import logging; from store import logs; from store.settings import Settings;"
        "logs.configure(Settings(log_format={!r})); logging.getLogger('x').warning('hello')"
    )
    told = [
        subprocess.run([sys.executable, "-c", code.format(name)], capture_output=True, text=True, check=True).stderr
        for name in ("json", "plain")
    ]
    assert json.loads(told[0])["message"] == "hello"
    assert "WARNING x: hello" in told[1]
