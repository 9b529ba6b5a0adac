"""The error ratio above which an alert says that it fires."""

from __future__ import annotations

import pytest

from pytest_sre.promql.claimed import claimed

R1, R5, R6, R30 = (f"job:errors:ratio_rate{w}" for w in ("1h", "5m", "6h", "30m"))


@pytest.mark.parametrize(
    ("expr", "ratio"),
    [
        (f"{R1} > 14.4 * 0.001", 0.0144),
        (f"{R1} > 14.4 * 0.001 and {R5} > 14.4 * 0.001", 0.0144),
        (f"{R1} > 14.4 * 0.001 and {R5} > 6 * 0.001", 0.0144),
        (f"({R1} > 14.4 * 0.001 and {R5} > 14.4 * 0.001) or ({R6} > 6 * 0.001 and {R30} > 6 * 0.001)", 0.006),
        (f"0.0144 < {R1}", 0.0144),
        (f"{R1} > 14.4 * 0.001 or up == 0", None),
        (f"{R1} < 0.5", None),
        ("queue_depth > 100", None),
        ("up == 0", None),
        ("not promql (", None),
    ],
)
def test_claimed(expr: str, ratio: float | None) -> None:
    assert claimed(expr) == (None if ratio is None else pytest.approx(ratio))
