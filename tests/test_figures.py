"""Times, shares and factors in texts."""

from __future__ import annotations

import pytest

from pytest_sre.report.figures import percent, span, times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.25, "250ms"), (51.84, "51.8s"), (59.97, "1m"), (130, "2m 10s"), (64 * 60, "64m"),
        (3600, "1h"), (345.6, "5m 46s"), (2592, "43m 12s"), (6480, "1.8h"), (20.5 * 3600, "20.5h"), (36 * 3600, "36h"), (3 * 86400, "3d"), (-90, "-1m 30s"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_shares_and_factors() -> None:
    assert [percent(share) for share in (0.02, 0.00144, 1.0, 12.5)] == ["2%", "0.144%", "100%", "1250%"]
    assert [times(factor) for factor in (14.4, 720.0, 1)] == ["14.4x", "720x", "1x"]
