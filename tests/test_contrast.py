"""Healthy, near and burning data of an alert."""

from __future__ import annotations

import pytest
from test_synthesis import ALL, E5, rule, slo

from pytest_sre.model.rules import Rule
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.contrast import Behaviour, Contrast, contrast
from pytest_sre.synthesis.signals import Counter, Gauge

NOW = 1_700_000_000.0


def contrasted(expr: str, *others: Rule, error_share: float = 1e-5) -> Contrast:
    alert = rule("Alert", expr)
    made = contrast(
        alert,
        RuleIndex([*others, alert]),
        types={},
        now=NOW,
        lookback=300.0,
        serial="1",
        error_share=error_share,
    )
    assert isinstance(made, Contrast), made
    return made


def rates(found: tuple[Behaviour, ...], when: str) -> dict[str, float]:
    """Requests a second by code."""
    result = {}
    for behaviour in found:
        signal = getattr(behaviour, when)
        assert isinstance(signal, Counter)
        result[dict(behaviour.labels)["code"]] = signal.rate
    return result


def ratio(made: Contrast, when: str) -> float:
    """The share of requests that fail."""
    by_code = rates(made.behaviours, when)
    return sum(rate for code, rate in by_code.items() if code[0] == "5") / sum(by_code.values())


BURNS = [
    (f"sum(rate({E5}[W])) / sum(rate({ALL}[W]))", ()),
    (f'1 - sum(rate(http_requests_total{{job="api",code!~"5.."}}[W])) / sum(rate({ALL}[W]))', ()),
]


@pytest.mark.parametrize("ratio_expr", [expr for expr, _ in BURNS])
@pytest.mark.parametrize("error_share", [1e-5, 1e-4])
def test_a_burn_rate_is_near_just_below_its_factor(ratio_expr: str, error_share: float) -> None:
    legs = [f"({ratio_expr.replace('W', window)} > (14.4 * 0.001))" for window in ("1h", "5m")]
    made = contrasted(" and ".join(legs), error_share=error_share)
    assert ratio(made, "healthy") == pytest.approx(error_share, rel=1e-3)
    assert ratio(made, "near") == pytest.approx(12.96e-3, rel=0.01)
    assert 14.4e-3 < ratio(made, "burning") < 4 * 14.4e-3


def test_a_burn_rate_over_recording_rules() -> None:
    *recorded, _, _ = slo(1)
    legs = [f"max(slo:ratio{w} > (14.4 * 0.001)) without (sloth_window)" for w in ("5m", "1h")]
    made = contrasted(" and ".join(legs), *recorded)
    assert ratio(made, "healthy") == pytest.approx(1e-5, rel=1e-3)
    assert ratio(made, "near") == pytest.approx(12.96e-3, rel=0.01)


def test_a_threshold() -> None:
    (found,) = contrasted("node_load1 > 80").behaviours
    assert isinstance(found.near, Gauge)
    assert found.healthy == Gauge(40.0)
    assert 72 < found.near.value < 78
