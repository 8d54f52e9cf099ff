"""What the client raises.

DlnflowError
├── InvalidRequest      refused before it was sent: fields, and a line for each; also a ValueError
├── ApiError            the service refused: status, code, field and hint of its answer
├── ServiceUnavailable  no answer, after all retries
├── JobFailed           the job ended without a result: code of its error
└── WaitTimeout         the job goes on; wait again, or attach to it later by its id
"""

from typing import Any


class DlnflowError(Exception):
    """Everything that the client raises by itself."""


class InvalidRequest(DlnflowError, ValueError):
    """A request that cannot be right; `fields` are the dotted paths of what is wrong in it."""

    def __init__(self, fields: list[str], text: str) -> None:
        super().__init__(text)
        self.fields = fields


class ServiceUnavailable(DlnflowError):
    """The service did not answer."""


class WaitTimeout(DlnflowError):
    """The job had not finished in the time allowed."""


class JobFailed(DlnflowError):
    """A job that failed or was cancelled."""

    def __init__(self, job_id: str, code: str, message: str) -> None:
        super().__init__(f"job {job_id}: {code}: {message}")
        self.job_id, self.code = job_id, code


class ApiError(DlnflowError):
    """A problem document (RFC 9457) as an exception."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        self.status = status
        self.code: str = document.get("code", "unknown")
        self.field: str | None = document.get("field")
        self.hint: str | None = document.get("hint")
        detail = document.get("detail") or document.get("title") or "no explanation"
        where = f"{self.field}: " if self.field and not detail.startswith(self.field) else ""
        hint = f". {self.hint}" if self.hint else ""
        super().__init__(f"{status} {self.code}: {where}{detail.removesuffix('.')}{hint}")
