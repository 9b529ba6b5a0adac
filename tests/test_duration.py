"""Durations as Prometheus writes them."""

from __future__ import annotations

import pytest

from pytest_sre.sources import duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("0s", 0.0),
        ("30s", 30.0),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("1d", 86400.0),
        ("1w2d", 777600.0),
        ("1y", 31536000.0),
        ("250ms", 0.25),
        ("1s5ms", 1.005),
    ],
)
def test_seconds(text: str, seconds: float) -> None:
    assert duration.seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "1.5h", "-5m", "m", "5 m", "30m1h", "5M", "5min", "1h\n"])
def test_what_prometheus_refuses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration such as 30s"):
        duration.seconds(text)
