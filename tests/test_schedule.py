"""When rules are evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.sources.rulefile import parse_rule_file
from pytest_sre.timemachine.schedule import Schedule

RULES = """\
groups:
  - {name: a, rules: [{alert: A, expr: x > 1}]}
  - {name: b, interval: 0s, rules: [{alert: B, expr: x > 1}]}
  - {name: c, interval: 500ms, rules: [{alert: C, expr: x > 1}]}
"""


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("15s", 15.0),
        (None, 60.0),
        ("0s", 60.0),
        (0, 60.0),
        ("", 60.0),
        ("nonsense", 60.0),
        (15, 60.0),
        ([], 60.0),
    ],
    ids=str,
)
def test_a_group_without_interval_has_the_servers(written: Any, seconds: float) -> None:
    file = parse_rule_file("rules.yml", RULES)
    globals_ = {} if written is None else {"evaluation_interval": written}
    schedule = Schedule([file], globals_, RuleIndex(file.alerts))
    assert [schedule.interval(rule) for rule in file.alerts] == [seconds, seconds, 0.5]
