"""What is refused before it costs anything: other media types, and jobs that are predicted to be too expensive."""

from dlnflow import forecast
from dlnflow.forecast import Cost
from dlnflow.remedy import Remedy, remedy
from dlnflow.wire.requests import Request
from service.errors import Problem, Unprocessable
from store.settings import Settings


def excess(cost: Cost, settings: Settings) -> str | None:
    """Which limit a cost passes, in words."""
    jobs = "" if cost.jobs == 1 else f"{cost.jobs} jobs, "
    if cost.longest > settings.max_seconds:
        one = "" if cost.jobs == 1 else " for one of them"
        ranged = "" if cost.jobs > 1 else _range(cost)
        return f"{jobs}about {_readable(cost.longest)} s{ranged} are predicted{one}, the limit is {_readable(settings.max_seconds)} s"
    if cost.seconds > settings.max_total_seconds:
        limit = _readable(settings.max_total_seconds)
        return f"{jobs}about {_readable(cost.seconds)} s{_range(cost)} are predicted in all, the limit is {limit} s"
    if cost.memory_bytes > settings.max_memory_bytes:
        return f"{jobs}about {cost.memory_bytes / 1e9:.2g} GB are predicted, the limit is {settings.max_memory_bytes / 1e9:g} GB"
    return None


def _range(cost: Cost) -> str:
    return f" ({_readable(cost.low)} to {_readable(cost.high)})"


def _readable(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"


def require_affordable(request: Request, settings: Settings, pace: float) -> Cost:
    """The cost of a job at the workers' pace; refuses one that is too expensive, with the estimate and the cheapest parameter to reduce."""
    cost = forecast.cost(request).at(pace)
    wrong = excess(cost, settings)
    if wrong is None:
        return cost
    cheaper = remedy(request, lambda cost: excess(cost.at(pace), settings) is None)
    raise Unprocessable(f"too expensive: {wrong}", code="too_expensive", field=cheaper and cheaper.field, hint=_advice(cheaper))


def _advice(cheaper: Remedy | None) -> str:
    if cheaper is None:
        return "No parameter alone makes it fit; GET /v1/limits tells the limits."
    if cheaper.field == "axes":
        return f"With at most {cheaper.value} points it fits."
    return f"With {cheaper.field} = {cheaper.value:g} it fits."


def require_json(content_type: str | None) -> None:
    """Refuse what an HTML form of another site could send; a missing type is taken as JSON."""
    media_type = (content_type or "application/json").split(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(
            f"the body must be application/json, not {media_type}",
            status=415,
            code="unsupported_media_type",
            hint="Send the header Content-Type: application/json.",
        )
