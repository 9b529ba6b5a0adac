"""What values a metric may take, by its name and by what expressions ask of it: bytes, shares, states, times, whole things."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

LEVEL = 100.0
"""Where a gauge stands of which nothing is known."""
DAY = 86400.0
YEAR = 365 * DAY
_FLAG = re.compile(
    r"(^|_)(up|readonly|read_only|ready|healthy|enabled|success|successful|active|sync_status|is_leader|alive|reachable"
    r"|online|master_link_up|has_leader)$|^(is|has)_|_(is|has)_\w+$|_(scrape|collector)_(error|success)$"
)
_BAD = re.compile(r"readonly|read_only|error")
"""Flags that are 0 while all is well."""
_INFO = re.compile(r"_(info|metadata|labels|annotations|owner|role)$")
_TIME = re.compile(
    r"_timestamp(_(ms|millis|milliseconds|seconds|sec|s))?$|_(created|mtime|ctime)(_seconds)?$|not_after|notafter|not_before"
    r"|expir\w*(_(time|date|timestamp|at))?(_seconds)?$"
    r"|(^|_)(start|boot|end|finish\w*|completion|creation|modification|last_\w+|next_\w+|success|failure|backup|reload)_time(_seconds)?$"
)
_AHEAD = re.compile(r"expir|not_?after|until|deadline|next_|due|valid")
_SPAN = re.compile(
    r"_total$|_count$|_sum$|_bucket$|duration|latency|elapsed|remaining|left|_age|_in_seconds|days"
)
_MILLIS = re.compile(r"_(ms|millis|milliseconds)$|_millis_|timestamp_ms")
_PERCENT = re.compile(r"(^|_)(percent|percentage|pct|perc)(_|$)")
_RATIO = re.compile(r"(^|_)(ratio|fraction)(_|$)")
_FILL = re.compile(
    r"util|usage|used|load|percent|pct|ratio|occupan|saturation|full|busy|free|avail|idle", re.IGNORECASE
)
_SIGNED = re.compile(
    r"offset|skew|drift|(^|_)(delta|diff|dbm|balance|change|longitude|latitude|slope|power)(_|$)"
)
_WARM = re.compile(r"celsius|temp(erature)?(_|$)")
_MEASURED = re.compile(
    r"second|ratio|fraction|percent|pct|perc(_|$)|load|usage|util|avg|average|mean|rate|latency|duration|celsius|temp"
    r"|volt|amp(s|ere|eres)?(_|$)|watt|joule|hertz|lag|time|age(_|$)|score|quantile|p\d\d|millis|_ms|per_|:|cores|cpu"
)
_COUNTED = re.compile(
    r"replica|node|pod|member|queue|job|count|size|length|connection|peer|file|backlog|thread|session|client|server"
    r"|instance|target|partition|shard|message|task|worker|process|broker|leader|disk|device|host|alert"
)
_UNITS = (
    (
        re.compile(r"(_|^)bytes(_|$)|_bytes|(mem|memory|disk|storage|heap)_(size|total|free|used|limit)$"),
        1e10,
        1e3,
    ),
    (re.compile(r"(_|^)(kb|kib|kilobytes)(_|$)"), 1e7, 1.0),
    (re.compile(r"(_|^)(mb|mib|megabytes)(_|$)"), 1e4, 1.0),
    (re.compile(r"hertz(_|$)"), 2e9, 1e3),
    (_WARM, 40.0, 0.0),
    (re.compile(r"uptime"), 1e6, 0.0),
)
"""(name, usual level, the least that is not 0)."""
WHOLE = re.compile(
    r"(^|[_:])(total|size|limits?|capacity|max|maximum|allocatable|quota|desired|spec|hard)([_:]|$)|MemTotal|SwapTotal"
)
PART = re.compile(
    r"(^|[_:])(avail|available|free|used|usage|allocated|current|length|remaining|in_use|active|unused|utili[sz]ed|ready)([_:]|$)"
    r"|Mem(Avail|Free)\w*|SwapFree"
)
_STATE_MOST = 20


@dataclass(frozen=True, slots=True)
class Nature:
    """What a metric's values may be.

    ``low`` and ``high`` bound them (for counters: the rate a second); ``level`` is where they stand while all is well;
    ``least`` the smallest above 0; ``whole`` integers only; ``unit`` parts of a second for moments in time (0: none),
    ``ahead`` in the future; ``kind`` replaces what else is known (``flag``); ``fixed``: always at its level; ``asked``
    (operator, value) of comparisons.
    """

    low: float = -math.inf
    high: float = math.inf
    level: float = LEVEL
    least: float = 0.0
    whole: bool = False
    unit: float = 0.0
    ahead: bool = False
    kind: str = ""
    fixed: bool = False
    asked: tuple[tuple[str, float], ...] = ()

    def allows(self, value: float) -> bool:
        """Whether a gauge may have this value."""
        slack = 1e-9 * (abs(value) + 1e-3)
        return self.low - slack <= value <= self.high + slack and not 0 < abs(value) < self.least


FREE = Nature()
"""A metric that may have any value."""


def named(
    name: str,
    asked: tuple[tuple[str, float], ...],
    as_is: bool,
    *,
    timed: bool,
    apart: bool,
    lone: bool = True,
) -> Nature:
    """A gauge's nature by its name and what is asked of it.

    ``as_is``: of its values as they are; ``timed``: it is compared with the clock; ``apart``: with no other metric; ``lone``: the alert reads no other.
    """
    values = [value for _, value in asked]
    small = all(0 <= value <= 1 for value in values)
    if timed or (_TIME.search(name) and not _SPAN.search(name) and not any(0 < abs(v) < 1e8 for v in values)):
        unit = 1e3 if _MILLIS.search(name) else 1.0
        return Nature(unit=unit, ahead=bool(_AHEAD.search(name)), asked=asked)
    if _INFO.search(name) and all(op == "==" and value == 1 for op, value in asked):
        return Nature(kind="flag", fixed=True, level=1.0)
    if _FLAG.search(name) and small:
        return Nature(kind="flag", level=0.0 if _BAD.search(name) else 1.0)
    low = -math.inf if _SIGNED.search(name) or any(value < 0 for value in values) else 0.0
    made = Nature(low, asked=asked)
    if as_is and _is_state(asked, apart):
        return _state(made)
    level, least = next(
        ((level, least) for known, level, least in _UNITS if known.search(name)), (LEVEL, 0.0)
    )
    least = least if all(abs(value) > 10 * least for value in values if value) else 0.0
    if _WARM.search(name):
        low = min(low, -50.0)
    made = replace(made, low=low, high=_bound(name, values), level=level, least=least)
    return _leveled(made, name, apart and lone)


def _is_state(asked: tuple[tuple[str, float], ...], apart: bool) -> bool:
    """Whether it is asked to be some small number; one that must not be 0 is only asked to be there."""
    exact = [value for op, value in asked if op == "==" or (op == "!=" and value)]
    known = bool(exact) and (apart or any(exact))
    return known and all(0 <= v <= _STATE_MOST and v == int(v) for _, v in asked)


def _state(made: Nature) -> Nature:
    """Small numbers that stand for something; the healthy one is the first that is not asked for."""
    found = made.asked
    high = max([1.0, *(value for _, value in found)]) + 1
    quiet = [v for v in (1.0, 0.0, 2.0, 3.0) if all(not _holds(op, v, value) for op, value in found)]
    return replace(made, high=high, whole=True, level=quiet[0] if quiet else 1.0)


def _holds(op: str, a: float, b: float) -> bool:
    return {">": a > b, "<": a < b, ">=": a >= b, "<=": a <= b, "==": a == b}.get(op, a != b)


def _bound(name: str, values: list[float]) -> float:
    """The most that a share or a percentage may be; infinite where the alert itself asks for more."""
    most = max([abs(value) for value in values], default=0.0)
    if _RATIO.search(name) or _PERCENT.search(name) or (_FILL.search(name) and "bytes" not in name):
        top = 100.0 if _PERCENT.search(name) else 1.0
        if values and 0 < most < 1:
            return 1.0
        if _RATIO.search(name) or _PERCENT.search(name):
            return top if most < top else 100.0 if most < 100 else math.inf
        return 100.0 if 50 <= most < 100 else math.inf
    return math.inf


def _leveled(made: Nature, name: str, lone: bool) -> Nature:
    """Where it stands while all is well, on the healthy side of what is asked; and whether it counts whole things."""
    values = [value for _, value in made.asked]
    integers = all(value == int(value) for value in values)
    whole = not _MEASURED.search(name) and integers
    whole = whole and bool(_COUNTED.search(name))
    level = made.level if made.high == math.inf else made.high / 2
    usual = level == LEVEL
    for op, value in made.asked:
        if not lone and not value and op in (">", "!="):
            continue  # it only has to be there
        if op in (">", ">="):
            level = min(level, value / 2)
        elif op in ("<", "<="):
            above = 2 * value if value > 0 else value / 2 + 1
            level = max(level, min(above, (value + made.high) / 2)) if not usual else max(0.0, above)
            level = min(level, (value + made.high) / 2)
            usual = False
    level = max(made.low, min(made.high, level))
    return replace(made, whole=whole, level=float(round(level)) if whole else level)


def rated(name: str, asked: tuple[tuple[str, float], ...]) -> Nature:
    """A counter's nature: a processor cannot be idle for more than a second a second."""
    if re.search(r"cpu_(seconds|time)_total$|cpu_seconds$", name) and all(
        0 <= value <= 1 for _, value in asked
    ):
        return Nature(0.0, 1.0, level=0.8, asked=asked)
    if any(op in ("<", "<=") and 0 < value <= 1 for op, value in asked) and "seconds" in name:
        return Nature(0.0, 1.0, level=0.8, asked=asked)
    return FREE
