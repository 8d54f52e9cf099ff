"""Exceptions that come back from other processes: all of the library's, by pickle and by pools."""

import copy
import importlib
import inspect
import multiprocessing
import pickle
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

import dlnflow
from dlnflow.client import ApiError, DlnflowError, InvalidRequest, JobFailed, WaitTimeout
from dlnflow.solution import SolveError
from tests.e2e.stack import PROBLEM

SAMPLES = {"str": "a: text", "int": 404, "float": 1.5, "list": ["a", "b"], "dict": {"code": "c", "detail": "d"}, "Mapping": {"code": "c"}}


def classes() -> list[type[BaseException]]:
    """Every exception that a module of the library defines."""
    found: dict[str, type[BaseException]] = {}
    for module in pkgutil.walk_packages(dlnflow.__path__, "dlnflow."):
        if module.name.endswith("__main__") or ".native" in module.name:
            continue
        for each in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(each) and issubclass(each, BaseException) and each.__module__.startswith("dlnflow"):
                found[each.__qualname__] = each
    return list(found.values())


def made(kind: type[BaseException]) -> BaseException:
    """One of a class, from values of the types that its constructor asks for."""
    if "__init__" not in {name for each in kind.__mro__ if each.__module__.startswith("dlnflow") for name in vars(each)}:
        return kind("what happened")
    wanted = list(inspect.signature(kind.__init__).parameters.values())[1:]
    values = {p.name: SAMPLES[str(getattr(p.annotation, "__name__", p.annotation)).partition("[")[0]] for p in wanted}
    return kind(**values)


def assert_same(one: BaseException, other: BaseException) -> None:
    assert type(one) is type(other) and str(one) == str(other) and one.args == other.args and vars(one) == vars(other)


def test_the_walk_finds_them():
    assert {InvalidRequest, ApiError, JobFailed, WaitTimeout, SolveError} <= set(classes())
    assert len(classes()) >= 12


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_exception_round_trips(kind):
    error = made(kind)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert_same(pickle.loads(pickle.dumps(error, protocol)), error)
    assert_same(copy.copy(error), error)
    assert_same(copy.deepcopy(error), error)


class Mine(DlnflowError):
    """As users derive their own, with a constructor that takes other things than the text."""

    def __init__(self, *, where: str, cause: object) -> None:
        super().__init__(f"at {where}")
        self.where = where


def test_exceptions_of_users_round_trip():
    error = Mine(where="home", cause=object())
    assert_same(pickle.loads(pickle.dumps(error)), error)


def solve(aspect_ratio: float) -> float:
    return float(dlnflow.solve(PROBLEM | {"aspect_ratio": aspect_ratio}, 0.1, times=[0.1], accuracy=0.2).curves.train_loss[0])


def fail(kind: str) -> Any:
    raise {"solve": SolveError("diverged", "it grew"), "failed": JobFailed("x", "timeout", "too long"), "late": WaitTimeout("x goes on")}[
        kind
    ]


@pytest.fixture
def context() -> Iterator[Any]:
    return multiprocessing.get_context("spawn")  # these tests run among threads


def test_a_pool_raises_what_one_of_its_points_did(context):
    with context.Pool(1) as pool, pytest.raises(InvalidRequest, match="aspect_ratio") as error:
        pool.map_async(solve, [0.5, -1.0]).get(timeout=100)
    assert error.value.fields == ["problem.aspect_ratio"]


def test_an_executor_gives_the_good_points(context):
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        points = [pool.submit(solve, aspect_ratio) for aspect_ratio in (0.5, -1.0, 0.7)]
        assert points[0].result(timeout=100) > 0 and points[2].result(timeout=100) > 0
        assert isinstance(points[1].exception(timeout=100), InvalidRequest)
        errors = [pool.submit(fail, kind).exception(timeout=100) for kind in ("solve", "failed", "late")]
    assert [error.code for error in errors[:2]] == ["diverged", "timeout"]
    assert isinstance(errors[2], TimeoutError)


def test_a_time_out_is_pythons_too():
    with pytest.raises(TimeoutError):
        raise WaitTimeout("later")
