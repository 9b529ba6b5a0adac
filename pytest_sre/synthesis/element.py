"""What the evaluator computes with: elements of a vector, each with its distance from being there."""

from __future__ import annotations

from typing import NamedTuple

STRUCTURE = 10.0
"""Distance of what no change of values can mend (no partner to match with)."""
ABSENT_OFF = 1.0
"""Distance of a series that is not there."""


class Element(NamedTuple):
    """One element of an instant vector.

    ``off`` is 0 for an element that is there, else how far its filters are from letting it pass; ``gone`` how far
    one that is there is from vanishing. ``bad`` marks what rests on NaN or Inf, which never counts as firing.
    """

    labels: dict[str, str]
    value: float
    off: float = 0.0
    gone: float = 1.0
    bad: bool = False


Vector = list[Element]


class Unsupported(Exception):
    """The evaluator does not know this: ``part`` is the sub-expression."""

    def __init__(self, reason: str, part: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.part = part


class EvalError(Exception):
    """Prometheus would answer with an error (duplicate series, many-to-many matching)."""


def nameless(labels: dict[str, str]) -> dict[str, str]:
    """The labels without the metric name."""
    if "__name__" not in labels:
        return labels
    return {key: value for key, value in labels.items() if key != "__name__"}
