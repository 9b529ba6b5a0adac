"""Kinds of metrics: type, then use, then name."""

from __future__ import annotations

import pytest

from pytest_sre.promql.parse import parse
from pytest_sre.synthesis.kinds import Kinds


@pytest.mark.parametrize(
    ("name", "expr", "type_", "kind"),
    [
        ("x", "x > 1", "", "gauge"),
        ("x", "rate(x[5m]) > 1", "", "counter"),
        ("x", "rate(x[5m:1m]) > 1", "", "counter"),
        ("x", "rate(x[5m]) > 1", "gauge", "gauge"),
        ("x", "x > 1", "counter", "counter"),
        ("x_total", "x_total > 1", "", "counter"),
        ("x_total", "sum by (a) (x_total) > 1", "", "counter"),
        ("x_total", "x_total > 1", "gauge", "gauge"),
        ("x_created", "time() - x_created > 1", "counter", "gauge"),
        ("x_total", "x_total > 1", "untyped", "counter"),
        ("x_total", "x_free / x_total < 0.1", "", "gauge"),
        ("x_total", "x_total < 3", "", "gauge"),
        ("x_total", "delta(x_total[5m]) > 1", "", "gauge"),
        ("x_count", "x_count > 1", "", "gauge"),
        ("x_count", "x_count > 1", "summary", "counter"),
        ("x", 'x{quantile="0.9"} > 1', "summary", "gauge"),
        ("up", "up == 0", "gauge", "flag"),
        ("x_info", "x_info == 1", "", "flag"),
        ("x", "x == 1", "stateset", "flag"),
    ],
)
def test_kind(name: str, expr: str, type_: str, kind: str) -> None:
    assert Kinds([parse(expr)], {name: type_}).of(name) == kind
