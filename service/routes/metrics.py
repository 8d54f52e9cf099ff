"""`/metrics` for Prometheus. All counts are read from the store, so every API process tells the same."""

import time
from collections.abc import Iterator

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from service.context import Service
from store.connection import MICRO
from store.jobs import JobStore

router = APIRouter(tags=["operations"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
def read_metrics(service: Service) -> Response:
    """Jobs by kind and state, waits, durations, retries, cache hits and the store's latency."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Jobs(service.store))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Jobs(Collector):
    def __init__(self, store: JobStore) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        start = time.perf_counter()
        counts = self._store.counts()
        latency = time.perf_counter() - start
        yield _gauge("dlnflow_store_seconds", "Time of one round trip to the store", latency)
        yield _gauge("dlnflow_queue_length", "Jobs that wait for a worker", self._store.queued())
        yield _gauge("dlnflow_workers", "Workers that were heard of lately", self._store.workers.count())
        jobs = GaugeMetricFamily("dlnflow_jobs", "Jobs that are kept", labels=["kind", "status"])
        for labels, number in self._store.census().items():
            jobs.add_metric(labels, number)
        yield jobs
        yield _counter("dlnflow_finished", "Jobs that have finished", counts, "finished", "kind", "status")
        yield _counter("dlnflow_submitted", "Submissions, by whether the job was there", counts, "submitted", "kind", "cache")
        yield _counter("dlnflow_retried", "Jobs given back or taken from a lost worker", counts, "retried", "kind")
        yield _summary("dlnflow_wait_seconds", "From submission to the first worker", counts, "wait")
        yield _summary("dlnflow_run_seconds", "From the last worker's start to the end", counts, "run")


Counts = dict[str, int]


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _counter(name: str, meaning: str, counts: Counts, group: str, *labels: str) -> Metric:
    metric = CounterMetricFamily(name, meaning, labels=labels)
    for label_values, value in _group(counts, group):
        metric.add_metric(label_values, value)
    return metric


def _summary(name: str, meaning: str, counts: Counts, group: str) -> Metric:
    metric = SummaryMetricFamily(name, meaning, labels=["kind"])
    sums = dict((labels[0], value) for labels, value in _group(counts, f"{group}_microseconds"))
    for (kind, *_), number in _group(counts, f"{group}_number"):
        metric.add_metric([kind], number, sums.get(kind, 0) / MICRO)
    return metric


def _group(counts: Counts, group: str) -> Iterator[tuple[list[str], int]]:
    for name, value in sorted(counts.items()):
        first, *labels = name.split(":")
        if first == group:
            yield labels, value
