"""Fires real alerts through a real Prometheus and Alertmanager and proves that they reach the on-call."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_sre.warnings import PytestSreWarning as PytestSreWarning

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """``PytestSreWarning`` is imported when somebody asks for it: pytest's own import is not for free."""
    if name == "PytestSreWarning":
        from pytest_sre.warnings import PytestSreWarning

        return PytestSreWarning
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
