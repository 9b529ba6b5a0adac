"""One leg in words, for each thing that can be expected of an alert."""

from __future__ import annotations

import math

from pytest_sre.promql.condition import Leg
from pytest_sre.report.amounts import amounts
from pytest_sre.report.chain import label_text
from pytest_sre.report.course import Course, Point
from pytest_sre.report.stays import Event, until, when

_EXTREME = {">": "peak", ">=": "peak", "<": "lowest", "<=": "lowest"}
_CAME = {
    ">": "peaked at",
    ">=": "peaked at",
    "<": "fell to",
    "<=": "fell to",
    "==": "came nearest with",
    "!=": "was",
}
_LABELS = 120


def fires_text(found: Course, event: Event) -> str:
    """Where it should fire: when the leg held, or how near it came and what it needs."""
    if found.leg.negated:
        return _must_not(found, event)
    if not found.stays:
        return f"{_nearest(found, event)}{_needs(found)}"
    extreme = _EXTREME.get(found.leg.op)
    peak = f" ({extreme} {_pair(found.leg, found.best)[1]})" if extreme and found.best else ""
    return f"held {when(found.stays, event)}{peak}{_where(found, found.best)}"


def quiet_text(found: Course, event: Event) -> str:
    """Where it should be quiet: when the leg held, and how far beyond its threshold."""
    if found.leg.negated:
        return _must_not(found, event)
    if not found.stays:
        return f"never held: {_nearest(found, event)}"
    beyond, best, leg = "", found.best, found.leg
    if best and leg.op in _EXTREME:
        threshold, value = _pair(leg, best)
        beyond = f", {_EXTREME[leg.op]} {value} of {threshold}{_beyond(best)}"
    return f"held {when(found.stays, event)}{beyond}{_where(found, best)}"


def resolves_text(found: Course, event: Event) -> str:
    """Where it should end: how long the leg went on."""
    if found.leg.negated:
        return _must_not(found, event)
    if not found.stays:
        return f"no longer held {event.tell(event.time)}"
    last, leg = found.last, found.leg
    still = ""
    if last and leg.op and found.stays[-1].open_end:
        threshold, value = _pair(leg, last)
        still = f", still at {value} (needs {leg.op} {threshold})"
    return f"held {until(found.stays, event)}{still}{_where(found, last)}"


def _must_not(found: Course, event: Event) -> str:
    if found.stays:
        return f"held {when(found.stays, event)}; must not hold{_where(found, found.best)}"
    return "never held, as it must not"


def _nearest(found: Course, event: Event) -> str:
    best, leg = found.best, found.leg
    if best is None:
        return "gave no result"
    threshold, value = _pair(leg, best)
    if found.steady:
        return f"was always {value}{_where(found, best)}"
    came = f"{_CAME[leg.op]} {value}" + (f" of {threshold}" if leg.op in (">", ">=") else "")
    return f"{came}, {event.tell(best.time)}{_where(found, best)}"


def _needs(found: Course) -> str:
    leg, best = found.leg, found.best
    if not leg.op:
        return ""
    if best is not None:
        limit = _pair(leg, best)[0] + (f", from {leg.other[:_LABELS]}" if leg.other else "")
    else:
        limit = leg.other or amounts(leg, math.nan if leg.threshold is None else leg.threshold)[0]
    return f"; needs {leg.op} {limit}"


def _pair(leg: Leg, point: Point) -> tuple[str, str]:
    """Threshold and value as texts."""
    threshold, value = amounts(leg, point.threshold, point.value)
    return threshold, value


def _beyond(point: Point) -> str:
    if (
        not point.threshold
        or not point.value
        or not math.isfinite(point.value)
        or not math.isfinite(point.threshold)
    ):
        return ""
    share = (point.value - point.threshold) / abs(point.threshold)
    if abs(share) >= 1:
        return f" ({share + 1:.3g} times it)" if point.threshold > 0 else ""
    percent = f"{abs(share) * 100:.2g}" if abs(share) < 0.995 else f"{abs(share) * 100:.4g}"
    return f" ({percent}% {'above' if share > 0 else 'below'})"


def _where(found: Course, point: Point | None) -> str:
    """Which series it was, where there are several."""
    return f" in {where(point)}" if found.series > 1 and point is not None else ""


def where(point: Point) -> str:
    """The labels of a point's series, but for its name."""
    text = label_text({name: value for name, value in point.labels if name != "__name__"})
    return text if len(text) <= _LABELS else f"{text[: _LABELS - 1]}…"
