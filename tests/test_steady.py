"""The check `steady`: alerts on values that move, on a real engine, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_ask import NOW
from test_time_checks import RULE, judge

from pytest_sre.checks import steady
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.stack.process import ProcessStack
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.motion import motions
from pytest_sre.timemachine.question import Asker
from pytest_sre.timemachine.schedule import Schedule

ERRORS = 'sum(rate(shop_requests_total{code=~"5.."}[%s])) / sum(rate(shop_requests_total[%s])) > 0.0144'
RULES = f"""\
groups:
  - name: alerts
    interval: 30s
    rules:
      - {{alert: Load, expr: load_ratio > 0.8}}
      - {{alert: Low, expr: free_ratio < 0.1}}
      - {{alert: Waits, expr: load_ratio > 0.8, for: 1m}}
      - {{alert: Kept, expr: load_ratio > 0.8, keep_firing_for: 5m}}
      - {{alert: Worst, expr: 'max_over_time(load_ratio[10m]) > 0.8'}}
      - {{alert: Mean, expr: 'avg_over_time(load_ratio[10m]) > 0.8'}}
      - {{alert: Minute, expr: 'rate(errors_total[1m]) > 7.5'}}
      - {{alert: Burn, expr: '{ERRORS % ("1h", "1h")} and {ERRORS % ("5m", "5m")}'}}
      - {{alert: Expires, expr: 'tls_not_after - time() < 86400'}}
      - {{alert: Uptime, expr: 'app_uptime_seconds < 600'}}
      - {{alert: Down, expr: up == 0}}
      - {{alert: Replicas, expr: replicas_available < 3}}
      - {{alert: Elsewhere, expr: 'team:load:ratio > 0.8'}}
      - {{alert: Named, expr: temperature > 80, labels: {{at: '{{{{ $value }}}}'}}}}
      - {{alert: Never, expr: temperature > 80, for: 2m, labels: {{at: '{{{{ $value | printf "%.1f" }}}}'}}}}
      - alert: Grade
        expr: temperature > 80
        for: 2m
        labels: {{severity: '{{{{ if gt $value 200.0 }}}}page{{{{ else }}}}ticket{{{{ end }}}}'}}
      - {{alert: Counted, expr: 'count_values("speed", fan_speed > 900) > 0'}}
      - {{alert: Versions, expr: 'count(count_values("hash", config_hash)) > 1', for: 5m}}
      - {{alert: Worst3, expr: 'topk(3, temperature) > 80', for: 2m}}
      - {{alert: Hottest, expr: 'max(topk(1, temperature)) > 80', for: 2m}}
      - {{alert: Flag, expr: up == 0, labels: {{at: '{{{{ $value }}}}'}}}}
"""


@pytest.fixture
def moved(stack: ProcessStack) -> dict[tuple[str, str], Passage]:
    """What was seen of each alert, by name and kind of movement."""
    file = parse_rule_file("rules.yml", RULES)
    index = RuleIndex(rule for group in file.groups for rule in group.rules)
    asker = Asker(Schedule([file], {}, index), 300.0, NOW)
    questions = []
    for number, rule in enumerate(file.alerts):
        made = contrast(rule, index, types={}, now=NOW, lookback=300.0, serial=str(number))
        assert isinstance(made, Contrast), made
        questions += list(motions(asker, rule, made))
    folder = stack.home.parent / "steady"
    with open_engine(stack, PrometheusServer(), folder, folder.name) as engine:
        passages = ask(
            Machine(engine, asker.schedule, AlertLabels(stack), 300.0), questions, lambda done, of: None
        )
    found = {}
    for question, passage in zip(questions, passages, strict=True):
        assert passage is not None
        assert not passage.error
        found[question.rule.name, passage.kind] = passage
    return found


def test_what_comes_and_goes_with_its_value(moved: dict[tuple[str, str], Passage]) -> None:
    firings = {name: passage.firings for (name, kind), passage in moved.items() if kind == "hover"}
    assert {name for name, count in firings.items() if count >= steady.MOST} == {
        "Load",
        "Low",
        "Minute",
        "Named",
        "Counted",
    }
    assert firings["Worst"] == 1
    assert firings["Mean"] < firings["Load"]
    assert firings["Burn"] < firings["Load"]


def test_what_is_not_asked(moved: dict[tuple[str, str], Passage]) -> None:
    """What `for` or `keep_firing_for` holds, and values that do not go to and fro."""
    held = {"Waits", "Kept", "Never", "Grade", "Versions", "Worst3", "Hottest"}
    still = {"Expires", "Uptime", "Down", "Replicas", "Elsewhere", "Flag"}
    assert not {name for name, kind in moved if kind == "hover"} & (held | still)
    assert {name for name, kind in moved if kind == "moving"} == {
        "Named",
        "Never",
        "Grade",
        "Counted",
        "Versions",
        "Worst3",
    }


def test_labels_that_follow_the_value(moved: dict[tuple[str, str], Passage]) -> None:
    for name, label in (("Named", "at"), ("Never", "at"), ("Counted", "speed")):
        faces = moved[name, "moving"].faces
        assert len(faces) > 1, name
        assert len({dict(face)[label] for face in faces}) == len(faces)
    assert moved["Never", "moving"].firings == 0
    assert moved["Never", "moving"].lasted == 30.0
    for name in ("Grade", "Versions"):
        assert moved[name, "moving"].faces == ()
        assert moved[name, "moving"].firings == 1


def test_which_series_is_shown_follows_the_order_of_values(moved: dict[tuple[str, str], Passage]) -> None:
    faces = moved["Worst3", "moving"].faces
    assert len({dict(face)["instance"] for face in faces}) > 1
    ((severity, text),) = verdict(moved["Worst3", "moving"], expr="topk(3, temperature) > 80")
    assert severity == "warning"
    assert "whenever the order of values changes" in text


HOVER = Passage("hover", "", 0.0, 3600.0, 30.0, firings=20)
FACES = ((("at", "81"), ("job", "a")), (("at", "82"), ("job", "a")))
MOVING = Passage("moving", "", 0.0, 420.0, 30.0, firings=5, faces=FACES, lasted=30.0)


def verdict(*moves: Passage, **rule: object) -> list[tuple[str, str]]:
    """(severity, text) of what is found."""
    found = judge(steady, [], replace(RULE, **rule), moves=moves)  # type: ignore[arg-type]
    assert isinstance(found, tuple)
    return [(one.severity, f"{one.summary}|{one.seen}|{one.next_step}") for one in found]


def test_the_number_of_alerts_an_hour_counts() -> None:
    assert [severity for severity, _ in verdict(HOVER)] == ["warning"]
    assert verdict(replace(HOVER, firings=14)) == []
    assert verdict(replace(HOVER, end=7200.0)) == []  # in two hours
    assert verdict() == []


def test_labels_are_told_with_what_becomes_of_for() -> None:
    ((severity, text),) = verdict(MOVING, labels={"at": "{{ $value }}"})
    assert severity == "error"
    assert 'at="81", then at="82"; each is another alert' in text
    assert "write the label at as an annotation" in text
    ((_, text),) = verdict(replace(MOVING, firings=0), hold=600.0)
    assert "so it never fires" in text
    assert "pending for longer than 30s of the 10m" in text
    assert "aggregate the expression such that the label at is gone" in text
