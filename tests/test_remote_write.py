"""Samples written to a real Prometheus, as blocks and by remote write, come back exactly."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import cramjam
import pytest
import requests

from pytest_sre.errors import StackError
from pytest_sre.model.samples import STALE, Buckets, Histogram, ShownHistogram, Value, is_stale
from pytest_sre.model.scenario import Labels, Series
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources import histograms
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.stack import prometheus, remote_write
from pytest_sre.stack.backend import Server, plain_session
from pytest_sre.stack.process import ProcessStack
from pytest_sre.timemachine.replay import version

ODD: Labels = (("__name__", "odd:name"), ("path", 'C:\\x "y"\nz'), ("snow", "☃"))
PLAIN: Labels = (("__name__", "plain_total"),)
OLD = Series(ODD, tuple((-600.0 + 60 * i, 0.1 * i) for i in range(11)))


@pytest.fixture
def at() -> float:
    return float(int(time.time()))


@pytest.fixture
def server(stack: ProcessStack, tmp_path: Path, at: float) -> Server:
    (tmp_path / "rules").mkdir()
    prometheus.write_config(PrometheusConfig(), stack.sink.address, "p", tmp_path)
    month = Series(PLAIN, ((-30 * 86400.0, 1.5), (-30 * 86400.0 + 60, 1e300)))
    ahead = Series(ODD, (*OLD.samples, (60.0, 99.0)))
    states = {(("alertname", "A"), ("x", "y")): at - 7200}
    prometheus.write_history(stack, [ahead, month], states, at, tmp_path)
    flags = PrometheusServer(feature_flags=("native-histograms",))
    return prometheus.start(stack, flags, tmp_path, "p")


def write(server: Server, series: Iterable[tuple[Labels, Iterable[tuple[float, Value]]]]) -> None:
    with plain_session() as client:
        remote_write.write(client, server.url, series)


def query(server: Server, expr: str, start: float, end: float, step: float) -> list[dict[str, object]]:
    with plain_session() as client:
        asked = {"query": expr, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": str(step)}
        answer = client.get(server.url + "/api/v1/query_range", params=asked, timeout=30)
    answer.raise_for_status()
    found: list[dict[str, object]] = answer.json()["data"]["result"]
    return found


def points(server: Server, expr: str, start: float, end: float, step: float) -> list[tuple[float, float]]:
    (one,) = query(server, expr, start, end, step)
    values = one["values"]
    assert isinstance(values, list)
    return [(when, float(value)) for when, value in values]


def test_samples_come_back(server: Server, at: float) -> None:
    assert points(server, "odd:name", at - 600, at, 60) == [(at + when, value) for when, value in OLD.samples]
    (one,) = query(server, "odd:name", at - 60, at, 60)
    assert one["metric"] == dict(ODD)
    month = at - 30 * 86400
    assert points(server, "plain_total", month, month + 60, 60) == [(month, 1.5), (month + 60, 1e300)]
    (state,) = query(server, "ALERTS_FOR_STATE", at, at, 60)
    assert state["metric"] == {"__name__": "ALERTS_FOR_STATE", "alertname": "A", "x": "y"}
    assert state["values"] == [[at, f"{at - 7200:.0f}"]]

    future = [(at + 15 * i, -0.25 * i) for i in range(1, 36)]
    new: Labels = (("__name__", "new"), ("k", 'v"\\'))
    write(server, [(new, future), (ODD, [(at + 60, 7.0)])])
    write(server, [prometheus.state_series((("alertname", "B"),), at - 60, at + 1)])
    assert points(server, "new", at + 15, at + 525, 15) == future
    assert points(server, "odd:name", at + 60, at + 60, 15) == [(at + 60, 7.0)]
    assert points(server, 'ALERTS_FOR_STATE{alertname="B"}', at + 1, at + 1, 15) == [(at + 1, at - 60)]

    many = [((("__name__", "many"), ("i", f"{i:04}")), [(at + 15, float(i))]) for i in range(2500)]
    write(server, many)
    assert points(server, "count(many)", at + 15, at + 15, 15) == [(at + 15, 2500.0)]
    assert points(server, "sum(many)", at + 15, at + 15, 15) == [(at + 15, 2500 * 2499 / 2)]


def test_names_that_only_prometheus_3_knows_come_back(stack: ProcessStack, tmp_path: Path, at: float) -> None:
    if version(stack) < (3, 0):
        pytest.skip("older versions take no such rules")
    (tmp_path / "rules").mkdir()
    prometheus.write_config(PrometheusConfig(), stack.sink.address, "p", tmp_path)
    labels: Labels = (("__name__", "my.metric"), ("a.b", 'c"d'), ("x", "y"))
    prometheus.write_history(stack, [Series(labels, OLD.samples)], {}, at, tmp_path)
    server = prometheus.start(stack, PrometheusServer(), tmp_path, "p")
    (one,) = query(server, '{"my.metric"}', at - 60, at, 60)
    assert one["metric"] == dict(labels)


def test_what_prometheus_refuses_is_told(server: Server, at: float) -> None:
    with pytest.raises(StackError, match="Prometheus refused the series: 400"):
        write(server, [(PLAIN, [(at - 400 * 86400, 1.0)])])


def test_series_that_the_server_has_newer_samples_of_cost_no_other(server: Server, at: float) -> None:
    taken, free, other = ((("__name__", name),) for name in ("taken", "free", "other"))
    at += 300  # later than what the server began with
    write(server, [(taken, [(at, 1.0)])])
    with plain_session() as client:
        late = [(free, [(at, 2.0)]), (taken, [(at - 60, 3.0)]), (other, [(at, 4.0)])]
        remote_write.write_free(client, server.url, late)
    assert [points(server, name, at, at, 60)[0][1] for name in ("free", "taken", "other")] == [2.0, 1.0, 4.0]


def test_a_stale_marker_ends_a_series_and_another_nan_does_not(server: Server, at: float) -> None:
    assert is_stale(STALE)
    assert not is_stale(math.nan)
    write(server, [((("__name__", "ends"),), [(at + 15, 1.0), (at + 30, STALE)])])
    write(server, [((("__name__", "goes_on"),), [(at + 15, 1.0), (at + 30, math.nan)])])
    assert points(server, "ends", at + 15, at + 60, 15) == [(at + 15, 1.0)]
    assert [when for when, _ in points(server, "goes_on", at + 15, at + 60, 15)] == [
        at + 15,
        at + 30,
        at + 45,
        at + 60,
    ]


def test_native_histograms_come_back(server: Server, at: float) -> None:
    both = Histogram(
        count=13.5,
        sum=20.25,
        zero_threshold=0.001,
        zero_count=2,
        positive=Buckets(1, (4.5, 0.0, 1.0)),
        negative=Buckets(-1, (6.0,)),
    )
    written = [
        (at + 15, both),
        (at + 30, Histogram(count=2.0, positive=Buckets(0, (2.0,)))),
        (at + 45, STALE),
    ]
    write(server, [((("__name__", "latency"),), written)])
    (one,) = query(server, "latency", at + 15, at + 60, 15)
    found = one["histograms"]
    assert isinstance(found, list)
    assert [when for when, _ in found] == [at + 15, at + 30]
    assert [as_shown(each) for _, each in found] == [histograms.shown(value) for _, value in written[:2]]


def as_shown(found: dict[str, Any]) -> ShownHistogram:
    buckets = ((float(low), float(high), float(count)) for _, low, high, count in found["buckets"])
    return ShownHistogram(float(found["count"]), float(found["sum"]), tuple(buckets))


def test_histograms_with_bounds_of_their_own_come_back(
    server: Server, stack: ProcessStack, at: float
) -> None:
    if stack.versions["prometheus"].startswith("2."):
        pytest.skip("their bounds do not arrive before 3.0")
    own = Histogram(-53, 6.0, 1.5, positive=Buckets(0, (1.0, 2.0, 3.0)), custom_values=(1.0, 2.5))
    write(server, [((("__name__", "own"),), [(at + 15, own)])])
    (one,) = query(server, "own", at + 15, at + 15, 15)
    ((_, found),) = one["histograms"]  # type: ignore[misc]
    assert as_shown(found) == histograms.shown(own)


class Answers:
    """A client that notes how large requests are once they are unpacked."""

    ok = True

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.series: list[int] = []
        self.samples = 0

    def post(self, url: str, data: bytes, **_: object) -> Answers:
        raw = bytes(cramjam.snappy.decompress_raw(data))
        self.sizes.append(len(raw))
        request = remote_write._REQUEST.FromString(raw)
        self.series.append(len(request.timeseries))
        self.samples += sum(len(one.samples) + len(one.histograms) for one in request.timeseries)
        return self


WIDE = Histogram(count=100.0, positive=Buckets(0, (1.0,) * 100))


@pytest.mark.parametrize(
    ("count", "length", "text", "value"),
    [(3, 450_000, "x", 0.5), (30_000, 20, "x", 0.5), (30, 2, "☃" * 500_000, 0.5), (1, 50_000, "x", WIDE)],
    ids=["long", "many", "broad", "histograms"],
)
def test_requests_stay_below_what_prometheus_takes(count: int, length: int, text: str, value: Value) -> None:
    values = [(15.0 * i, value) for i in range(length)]
    seen = Answers()
    series = ((((("__name__", "m"), ("i", str(i)), ("t", text))), values) for i in range(count))
    remote_write.write(cast(requests.Session, seen), "", series)
    assert seen.samples == count * length
    assert max(seen.sizes) < 32 * 1024 * 1024
    assert len(seen.sizes) < 2 + count * length * 24 / 2_000_000 + count * len(text) / 500_000 + length / 1000


def test_a_series_of_several_requests_comes_back(
    server: Server, at: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_write, "SAMPLES_PER_REQUEST", 100)
    values = [(at + 1 + i / 10, float(i)) for i in range(450)]
    write(server, [((("__name__", "long"),), values), ((("__name__", "after"),), values[:1])])
    assert points(server, "count_over_time(long[10m])", at + 60, at + 60, 15) == [(at + 60, 450.0)]
    assert points(server, "after", at + 2, at + 2, 15) == [(at + 2, 0.0)]
