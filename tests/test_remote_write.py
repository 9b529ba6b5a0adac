"""Samples written to a real Prometheus, as blocks and by remote write, come back exactly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pytest_sre.errors import StackError
from pytest_sre.model.scenario import Labels, Series
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.stack import prometheus, remote_write
from pytest_sre.stack.backend import Server, plain_session
from pytest_sre.stack.process import ProcessStack

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
    return prometheus.start(stack, PrometheusServer(), tmp_path, "p")


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
    with plain_session() as client:
        remote_write.write(client, server.url, [(new, future), (ODD, [(at + 60, 7.0)])])
        remote_write.write(
            client, server.url, [prometheus.state_series((("alertname", "B"),), at - 60, at + 1)]
        )
    assert points(server, "new", at + 15, at + 525, 15) == future
    assert points(server, "odd:name", at + 60, at + 60, 15) == [(at + 60, 7.0)]
    assert points(server, 'ALERTS_FOR_STATE{alertname="B"}', at + 1, at + 1, 15) == [(at + 1, at - 60)]

    many = [((("__name__", "many"), ("i", f"{i:04}")), [(at + 15, float(i))]) for i in range(2500)]
    with plain_session() as client:
        remote_write.write(client, server.url, many)
    assert points(server, "count(many)", at + 15, at + 15, 15) == [(at + 15, 2500.0)]
    assert points(server, "sum(many)", at + 15, at + 15, 15) == [(at + 15, 2500 * 2499 / 2)]


def test_what_prometheus_refuses_is_told(server: Server, at: float) -> None:
    with plain_session() as client, pytest.raises(StackError, match="Prometheus refused the series: 400"):
        remote_write.write(client, server.url, [(PLAIN, [(at - 400 * 86400, 1.0)])])


def test_history_that_is_no_history_is_told(stack: ProcessStack, tmp_path: Path) -> None:
    bad = Series((("__name__", "a b"),), ((0.0, 1.0),))
    with pytest.raises(StackError, match="promtool could not write the history"):
        prometheus.write_history(stack, [bad], {}, time.time(), tmp_path)
