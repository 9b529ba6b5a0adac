"""Alerts on the real series of snapshots."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

import pytest

from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import TARGET_LABELS, PrometheusServer
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.sources.snapshot import Source, parse_snapshots
from pytest_sre.stack.process import ProcessStack
from pytest_sre.synthesis.real import NoReplay, Replay, World, replay
from pytest_sre.synthesis.shape import shape_of
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.question import Asker
from pytest_sre.timemachine.schedule import Schedule

NOW = 1_790_000_000.0
TAKEN = 1_780_000_000.0
NODE = f"""\
# TYPE process_start_time_seconds gauge
process_start_time_seconds {TAKEN - 864_000}
node_time_seconds {TAKEN}
# TYPE node_avail_bytes gauge
node_avail_bytes{{mountpoint="/"}} 2e10
node_avail_bytes{{mountpoint="/boot"}} 1.9e9
# TYPE node_size_bytes gauge
node_size_bytes{{mountpoint="/"}} 1e11
node_size_bytes{{mountpoint="/boot"}} 2e9
# TYPE http_requests_total counter
http_requests_total{{code="200"}} 8640000
http_requests_total{{code="404"}} 86400
# TYPE oom_kills_total counter
oom_kills_total 2
last_backup_timestamp_seconds {TAKEN - 3600}
temperature_celsius 41.5
"""
FEDERATED = """\
queue_length{instance="a:1",job="payments",queue="x"} 5 1780000000000
queue_length{instance="b:1",job="payments",queue="x"} 7 1780000000000
"""
FRACTION = "node_avail_bytes / node_size_bytes"
RATIO = 'sum(rate(http_requests_total{code="404"}[5m])) / sum(rate(http_requests_total[5m]))'


def rules(*exprs: str, wait: str = "5m") -> str:
    alerts = "".join(
        f"  - alert: A{number}\n    for: {wait}\n    expr: |\n{indent(expr, '      ')}\n"
        for number, expr in enumerate(exprs)
    )
    return f"groups:\n- name: a\n  interval: 30s\n  rules:\n  - {{record: 'job:requests:rate5m', expr: 'sum by (job) (rate(http_requests_total[5m]))'}}\n{alerts}"


def world(*pages: str, healthy: bool = True) -> World:
    sources = (Source(f"fixtures/{number}.prom", text, healthy=healthy) for number, text in enumerate(pages))
    return World(parse_snapshots(sources, TARGET_LABELS), NOW)


def found(expr: str, *pages: str) -> Replay | NoReplay:
    file = parse_rule_file("r.yml", rules(expr))
    index = RuleIndex(rule for group in file.groups for rule in group.rules)
    return replay(shape_of(file.alerts[0], index), world(*(pages or (NODE,))), 3600.0)


def test_series_get_the_labels_that_the_alert_asks_of_their_target() -> None:
    made = found('node_avail_bytes{job="node-exporter",mountpoint!="/boot",namespace=~"a.+"} < 1')
    assert isinstance(made, Replay)
    (one,) = made.series
    assert dict(one.labels) | {"namespace": ""} == {
        "__name__": "node_avail_bytes", "instance": "0:9100", "job": "node-exporter", "mountpoint": "/", "namespace": "",
    }  # fmt: skip
    assert made.paths == ("fixtures/0.prom",)


def test_what_is_counted_within_one_target_is_all_on_its_page() -> None:
    for expr in (
        "count by (instance) (node_avail_bytes) < 3",
        "count without (mountpoint) (node_avail_bytes) < 3",
        "sum(node_avail_bytes) > 3",
        "sum(node_avail_bytes) / sum(node_size_bytes) < 0.1",
        "changes(node_avail_bytes[1h]) > 3",
    ):
        assert isinstance(found(expr), Replay)


def test_a_page_of_federate_is_taken_as_it_is() -> None:
    made = found('queue_length{job="payments"} > 1 and on (instance) up == 1', FEDERATED)
    assert isinstance(made, Replay)
    assert [dict(one.labels)["instance"] for one in made.series] == ["a:1", "b:1", "a:1", "b:1"]


@pytest.mark.parametrize(
    ("expr", "pages", "reason"),
    [
        ("unheard_of > 1", (NODE,), "no snapshot of a healthy service has unheard_of"),
        ('{__name__=~"node_.*"} > 1', (NODE,), "it names no metric"),
        ("absent(node_avail_bytes{mountpoint=\"/data\"})", (NODE,), "asks for what is not there"),
        ("node_avail_bytes unless node_size_bytes{mountpoint=\"x\"}", (NODE,), "asks for what is not there"),
        ('queue_length{job="other"} > 1', (FEDERATED,), "reads no series"),
        ('node_avail_bytes{job="a"} / on () node_size_bytes{job="b"} > 1', (NODE,), "several targets"),
        ("count(node_avail_bytes) < 3", (NODE,), "it counts"),
        ("sum(node_avail_bytes) / 1024 < 3", (NODE,), "it counts"),
        ("changes(node_avail_bytes[1h]) == 0", (NODE,), "stands still"),
        ("delta(node_avail_bytes[1h]) * 8 < 1", (NODE,), "stands still"),
    ],
)  # fmt: skip
def test_what_is_not_asked(expr: str, pages: tuple[str, ...], reason: str) -> None:
    made = found(expr, *pages)
    assert isinstance(made, NoReplay)
    assert reason in made.reason


def test_pages_taken_in_trouble_are_not_asked_about() -> None:
    file = parse_rule_file("r.yml", rules("temperature_celsius > 1"))
    shape = shape_of(file.alerts[0], RuleIndex(()))
    assert isinstance(replay(shape, world(NODE, healthy=False), 3600.0), NoReplay)


def passages(stack: ProcessStack, folder: Path, *exprs: str) -> list[Passage]:
    """What alerts did on the pages, on the real engine."""
    file = parse_rule_file("r.yml", rules(*exprs))
    index = RuleIndex(rule for group in file.groups for rule in group.rules)
    asker = Asker(Schedule([file], {}, index), 300.0, NOW)
    pages = world(NODE, FEDERATED)
    questions = [question for rule in file.alerts for question in asker.about_snapshots(rule, pages)]
    assert len(questions) == len(exprs)
    with open_engine(stack, PrometheusServer(), folder / "engine", "engine") as engine:
        machine = Machine(engine, asker.schedule, AlertLabels(stack), 300.0)
        return [one for one in ask(machine, questions, lambda done, of: None) if one is not None]


def test_good_rules_are_quiet_and_turned_ones_fire(stack: ProcessStack, tmp_path: Path) -> None:
    good = [
        f"{FRACTION} < 0.1",
        f"{RATIO} > 0.05",
        "time() - last_backup_timestamp_seconds > 86400",
        "time() - process_start_time_seconds < 600",
        "abs(node_time_seconds - time()) > 5",
        "increase(oom_kills_total[1h]) > 0",
        "changes(process_start_time_seconds[1h]) > 2",
        "temperature_celsius > 80",
        "job:requests:rate5m < 1",
        "queue_length > 100",
        "up == 0",
        "absent(node_avail_bytes)",
    ]
    turned = [
        f"{FRACTION} > 0.1",
        "node_size_bytes / node_avail_bytes > 0.9",
        f"100 * {RATIO} > 0.05",
        "time() - last_backup_timestamp_seconds > 1440",
        "time() - process_start_time_seconds > 600",
        "temperature_celsius < 80",
        "job:requests:rate5m < 1000",
        "queue_length < 100",
        "up == 1",
    ]
    seen = passages(stack, tmp_path, *good, *turned)
    assert len(seen) == len(good) + len(turned)
    early = [expr for expr, one in zip([*good, *turned], seen, strict=True) if one.early is not None]
    assert early == turned
    fired = seen[len(good)]
    assert (fired.kind, fired.name, fired.error) == ("snapshot", "fixtures/0.prom", "")
    assert fired.early == fired.start + 300.0  # `for`
    assert "peak 95% of 10%" in fired.why[0]
