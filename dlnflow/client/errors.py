"""What the client raises.

DlnflowError
├── InvalidRequest      refused before it was sent: fields, and a line for each; also a ValueError
├── ApiError            the service refused, or something else answered: status, code, field, hint and address of the answer
├── ServiceUnavailable  no answer, after all retries
├── JobFailed           the job ended without a result: code of its error
└── WaitTimeout         the job goes on; wait again, or attach to it later by its id; also a TimeoutError
"""

from collections.abc import Mapping
from typing import Any

from dlnflow.portable import Portable

NOT_THE_SERVICE = "not_the_service"  # the code of what no dlnflow service would answer


class DlnflowError(Portable):
    """Everything that the client raises by itself."""


class InvalidRequest(DlnflowError, ValueError):
    """A request that cannot be right; `fields` are the dotted paths of what is wrong in it."""

    def __init__(self, fields: list[str], text: str) -> None:
        super().__init__(text)
        self.fields = fields


class ServiceUnavailable(DlnflowError):
    """The service did not answer."""


class WaitTimeout(DlnflowError, TimeoutError):
    """The job had not finished in the time allowed."""


class JobFailed(DlnflowError):
    """A job that failed or was cancelled."""

    def __init__(self, job_id: str, code: str, message: str) -> None:
        super().__init__(f"job {job_id}: {code}: {message}")
        self.job_id, self.code = job_id, code


class ApiError(DlnflowError):
    """A problem document (RFC 9457) as an exception; `code` is `not_the_service` where no dlnflow service answered at `address`."""

    def __init__(self, status: int, document: Mapping[str, Any], address: str = "") -> None:
        self.status, self.address = status, address
        self.code = _text(document, "code") or "unknown"
        self.field = _text(document, "field")
        self.hint = _text(document, "hint")
        detail = _text(document, "detail") or _text(document, "title") or "no explanation"
        where = f"{self.field}: " if self.field and not detail.startswith(self.field) else ""
        hint = f". {self.hint}" if self.hint else ""
        super().__init__(f"{status} {self.code}: {where}{detail.removesuffix('.')}{hint}")


def _text(document: Mapping[str, Any], name: str) -> str | None:
    """The text at `name` of a document that others have written."""
    value = document.get(name)
    return value if isinstance(value, str) and value else None
