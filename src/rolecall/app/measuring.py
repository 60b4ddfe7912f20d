"""What is measured of the parts of an application, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rolecall.domain.instances.registry import ConnectedInstance
from rolecall.domain.secrets.hashing import HashingThreads
from rolecall.exchanges.pools import Pool
from rolecall.measures import Reading, Readings
from rolecall.metrics import Metrics


def watch(
    metrics: Metrics,
    instances: Callable[[], Sequence[ConnectedInstance]],
    stores: Mapping[str, Pool],
    queues: Mapping[str, HashingThreads],
) -> None:
    for readings in (lanes(instances), pools(stores), hashing(queues)):
        metrics.watch(readings)


def lanes(instances: Callable[[], Sequence[ConnectedInstance]]) -> Readings:
    """Of connected instances, by their names."""

    def read() -> Iterator[Reading]:
        for connected in instances():
            labels, lane = (connected.instance.name,), connected.lane
            yield "rolecall_lane_depth", labels, lane.depth
            yield "rolecall_lane_looks", labels, lane.looks
            yield "rolecall_lane_width", labels, lane.width
            yield "rolecall_lane_refused_total", labels, lane.refused
            yield "rolecall_engine_up", labels, lane.healthy

    return read


def pools(known: Mapping[str, Pool]) -> Readings:
    def read() -> Iterator[Reading]:
        for name, pool in known.items():
            labels = (name,)
            yield "rolecall_store_connections", labels, pool.in_use
            yield "rolecall_store_connections_most", labels, pool.size
            yield "rolecall_store_waiting", labels, pool.waiting
            yield "rolecall_store_waits_total", labels, pool.waits
            yield "rolecall_store_wait_seconds_total", labels, pool.waited
            yield "rolecall_store_timeouts_total", labels, pool.timeouts

    return read


def hashing(known: Mapping[str, HashingThreads]) -> Readings:
    def read() -> Iterator[Reading]:
        for name, threads in known.items():
            labels = (name,)
            yield "rolecall_hashing_waiting", labels, threads.waiting
            yield "rolecall_hashing_running", labels, threads.running
            yield "rolecall_hashing_threads", labels, threads.threads
            yield "rolecall_hashing_done_total", labels, threads.done
            yield "rolecall_hashing_wait_seconds_total", labels, threads.waited
            yield "rolecall_hashing_refused_total", labels, threads.refused

    return read
