"""Series written by hand in promtool's notation: ``0+10x60``, ``5 5 _ 7``, ``1x3``."""

from __future__ import annotations

import re

from pytest_sre.model.scenario import Labels

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+|inf|nan)"
_RUN = re.compile(rf"({_NUMBER})(?:([-+])(\d+\.?\d*(?:e[-+]?\d+)?|\.\d+))?x(\d+)", re.I)
_SERIES = re.compile(r"\s*([a-zA-Z_:][\w:]*)?\s*(?:\{(.*)\})?\s*", re.S)
_PAIR = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
_ESCAPES = {'\\"': '"', "\\\\": "\\", "\\n": "\n"}


def parse_series(text: str) -> Labels:
    """Labels of ``name{label="value"}``, sorted, with ``__name__``; raises ValueError."""
    found = _SERIES.fullmatch(text)
    if not found or not (found[1] or found[2]):
        raise ValueError(f'{text!r} is not a series such as up{{job="api"}}')
    labels = {"__name__": found[1]} if found[1] else {}
    rest, at = found[2] or "", 0
    while at < len(rest) and rest[at:].strip():
        pair = _PAIR.match(rest, at)
        if not pair:
            raise ValueError(f'{text!r}: expected label="value" at {rest[at:]!r}')
        labels[pair[1]] = re.sub(r'\\["\\n]', lambda match: _ESCAPES[match[0]], pair[2])
        at = pair.end()
    if "__name__" not in labels:
        raise ValueError(f"{text!r} has no metric name")
    return tuple(sorted(labels.items()))


def parse_values(text: str) -> tuple[float | None, ...]:
    """Values of promtool's notation, None for a gap; ``axn`` gives n + 1 values as there. Raises ValueError."""
    values: list[float | None] = []
    for word in text.split():
        if run := _RUN.fullmatch(word):
            start, count = float(run[1]), int(run[4])
            step = float((run[2] or "+") + (run[3] or "0"))
            values += [start + step * i for i in range(count + 1)]
        elif gap := re.fullmatch(r"_(?:x(\d+))?", word):
            values += [None] * int(gap[1] or 1)
        elif re.fullmatch(_NUMBER, word, re.I):
            values.append(float(word))
        else:
            raise ValueError(f"{word!r} is not a value in promtool's notation (such as 5, _, 0+10x60, 1x20)")
        if len(values) > 1_000_000:
            raise ValueError("more than a million values")
    if not any(value is not None for value in values):
        raise ValueError("no values")
    return tuple(values)


def samples(
    values: tuple[float | None, ...], interval: float, ahead: float = 540.0
) -> tuple[tuple[float, float], ...]:
    """Lay values out so that the last is at 0 (now), and go on as they ended until ``ahead`` seconds.

    A gauge keeps its last value; a series whose last step was a rise keeps rising by it.
    """
    start = -(len(values) - 1) * interval
    laid = [(start + i * interval, value) for i, value in enumerate(values) if value is not None]
    if values[-1] is None:
        return tuple(laid)
    last = laid[-1][1]
    slope = (
        (last - laid[-2][1]) / (laid[-1][0] - laid[-2][0]) if len(laid) > 1 and last > laid[-2][1] else 0.0
    )
    step = min(interval, 15.0)
    laid += [(i * step, last + slope * i * step) for i in range(1, int(ahead / step) + 1)]
    return tuple(laid)
