"""The error ratio above which an alert says that it fires."""

from __future__ import annotations

from pytest_sre.promql.condition import Condition, Leg
from pytest_sre.promql.legs import conditions
from pytest_sre.promql.parse import PromqlError, parse


def claimed(expr: str) -> float | None:
    """The ratio (0..1) that holds all legs of a branch, the lowest of several branches; None where none is compared."""
    try:
        return _claimed(conditions(parse(expr)))
    except PromqlError:
        return None


def _claimed(tree: Condition) -> float | None:
    if isinstance(tree, Leg):
        return _ratio(tree)
    found = [_claimed(part) for part in tree.parts]
    known = [one for one in found if one is not None]
    if tree.op == "or":
        return min(known, default=None) if len(known) == len(found) else None
    return max(known, default=None) if tree.op == "and" else None


def _ratio(leg: Leg) -> float | None:
    """The threshold of a leg that compares a ratio with a number from above."""
    share = leg.threshold
    if share is None or not 0 < share < 1 or leg.op not in (">", ">=") or leg.negated or leg.other:
        return None
    return share if leg.budget or leg.unit == "ratio" else None
