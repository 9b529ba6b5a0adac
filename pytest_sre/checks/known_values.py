"""Label values that are surely misspelt: no real series has them, and one that real series have is very near."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.promql.ast import Matcher, VectorSelector
from pytest_sre.promql.nearest import mistyped

_NAME = "known"
_LITERALS = re.compile(r"\(?(?:\?:)?((?:[\w./:@% -]|\\[-.+/])+(?:\|(?:[\w./:@% -]|\\[-.+/])+)*)\)?")
_SHOWN = 8


def matched(snapshots: Snapshots, selector: VectorSelector, where: Location, who: str) -> Iterator[Finding]:
    """What a selector asks of labels that the metric has. A value not seen yet is none: an error code of a bad day."""
    if snapshots.is_cut(selector.name):
        return
    for matcher in selector.matchers:
        values = snapshots.values(selector.name, matcher.label)
        if not values or _has_effect(matcher, values):
            continue
        if matcher.label == "le":
            yield from _bucket(selector.name, matcher, values, where, who)
            continue
        for wanted in _wanted(matcher):
            near = mistyped(wanted, values)
            if near:
                yield Finding(
                    _NAME,
                    where,
                    f"{who} matches {selector.name} by {matcher.label}{matcher.op}{matcher.value!r}, a value that it does not have",
                    expected=f"one of {_some(values)}",
                    seen=wanted,
                    next_step=f"did you mean {near}?",
                )
                break


def _has_effect(matcher: Matcher, values: tuple[str, ...]) -> bool:
    """Whether a matcher takes some of the real values, or leaves some out, as it is meant to."""
    taken = [matcher.matches({matcher.label: value}) for value in values]
    return any(taken) if matcher.op in ("=", "=~") else not all(taken)


def _wanted(matcher: Matcher) -> tuple[str, ...]:
    """The plain values that a matcher names; none where it is a true regular expression, or leaves several out."""
    if matcher.op in ("=", "!="):
        return (matcher.value,) if matcher.value else ()
    plain = _LITERALS.fullmatch(matcher.value) if matcher.op == "=~" else None
    return tuple(re.sub(r"\\(.)", r"\1", part) for part in plain[1].split("|")) if plain else ()


def _bucket(
    name: str, matcher: Matcher, values: tuple[str, ...], where: Location, who: str
) -> Iterator[Finding]:
    """A bucket that the histogram does not have: its bounds are fixed, so it will never come."""
    bounds = {bound for bound in map(_number, values) if bound is not None}
    asked = _number(matcher.value)
    if matcher.op != "=" or not bounds or asked is None or asked in bounds:
        return  # 1 or 1.0: how a server writes the same bound depends on its version
    ordered = sorted(values, key=lambda text: _number(text) or 0.0)
    near = min(bounds, key=lambda bound: abs(bound - asked))
    yield Finding(
        _NAME,
        where,
        f"{who} reads the bucket le={matcher.value!r} of {name}, which it does not have",
        expected=f"one of {', '.join(ordered)}",
        seen=matcher.value,
        next_step=f"take a bound that is there, such as {near:g}, or add the bucket where the histogram is made",
    )


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _some(values: tuple[str, ...]) -> str:
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(sorted(values)[:_SHOWN]) + more
