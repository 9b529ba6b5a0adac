"""Series written by hand in promtool's notation: ``up{job="api"}`` with ``0+10x60``, ``5 5 _ 7``, ``1x3``."""

from __future__ import annotations

import re

from pytest_sre.model.samples import Histogram, is_stale
from pytest_sre.model.scenario import Labels
from pytest_sre.sources.expansion import expand

METRIC = re.compile(r"[a-zA-Z_:][\w:]*", re.A)
"""Names of metrics that need no quotes."""
_SPACE = re.compile(r"(?:\s|#[^\n]*(?:\n|$))*")
LABEL = re.compile(r"[a-zA-Z_]\w*", re.A)
"""Names of labels that need no quotes."""
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'" + r"|`[^`]*`")
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)
_LETTERS = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))


def parse_series(text: str) -> Labels:
    """Labels of ``name{label="value"}``, sorted, with ``__name__``; raises ValueError."""
    labels, end = scan_metric(text.strip())
    if not labels or text.strip()[end:]:
        raise ValueError(f'{text!r} is not a series such as up{{job="api"}}')
    names = [name for name, _ in labels]
    if "__name__" not in names:
        raise ValueError(f"{text!r} has no metric name")
    return unique(labels, text)


def parse_metric(text: str) -> Labels:
    """Labels of an expected sample, sorted, which may have no name or none at all; raises ValueError."""
    labels, end = scan_metric(text.strip())
    if text.strip()[end:]:
        raise ValueError(f'{text!r} is not a sample such as up{{job="api"}} or {{job="api"}}')
    return unique(labels, text)


def unique(labels: list[tuple[str, str]], text: str) -> Labels:
    """Labels sorted by name; raises ValueError when one is set twice."""
    names = [name for name, _ in labels]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        what = "the metric name" if twice == "__name__" else f"the label {twice}"
        raise ValueError(f"{text!r} has {what} twice")
    return tuple(sorted(labels))


def scan_metric(text: str) -> tuple[list[tuple[str, str]], int]:
    """Labels in their order, and where they end in the text; raises ValueError."""
    name = METRIC.match(text)
    at = name.end() if name else 0
    labels = [("__name__", name[0])] if name else []
    brace = _SPACE.match(text, at)
    assert brace
    if not text.startswith("{", brace.end()) or text.startswith("{{", brace.end()):
        return labels, at
    at = _skip(text, brace.end() + 1)
    while not text.startswith("}", at):
        pair, at = _pair(text, at)
        labels.append(pair)
        at = _skip(text, at)
        if text.startswith(",", at):
            at = _skip(text, at + 1)
        elif not text.startswith("}", at):
            raise ValueError(f"{text!r}: expected , or }} at {text[at:]!r}")
    return labels, at + 1


def _pair(text: str, at: int) -> tuple[tuple[str, str], int]:
    quoted = _STRING.match(text, at)
    name = quoted or LABEL.match(text, at)
    if not name:
        raise ValueError(f'{text!r}: expected label="value" at {text[at:]!r}')
    after = _skip(text, name.end())
    equals = text.startswith("=", after) and not text.startswith("=~", after)
    if quoted and not equals:  # a name in quotes, of Prometheus 3
        return ("__name__", _unquote(quoted[0])), name.end()
    value = _STRING.match(text, _skip(text, after + 1)) if equals else None
    if not value:
        raise ValueError(f'{text!r}: expected label="value" at {text[at:]!r}')
    label = _unquote(quoted[0]) if quoted else name[0]
    return (label, _unquote(value[0])), value.end()


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _unquote(text: str) -> str:
    """The text of a quoted string as Go reads it; raises ValueError."""
    if text[0] == "`":
        return text[1:-1]
    return unescape(text[1:-1], text[0])


def unescape(text: str, quote: str = '"') -> str:
    """What stands between quotes, with Go's escape sequences resolved; raises ValueError."""
    out, at = bytearray(), 0
    for found in _ESCAPE.finditer(text):
        out += _unescaped(text[at : found.start()])
        letter, octal, byte, short, long = found.groups()
        if letter in ("'", '"') and letter != quote:
            raise ValueError(f"{text!r}: unknown escape sequence {found[0]}")
        if code := octal or byte:
            out += bytes([int(code, 8 if octal else 16) & 0xFF])
        else:
            out += _LETTERS[letter].encode() if letter else _character(int(short or long, 16))
        at = found.end()
    out += _unescaped(text[at:])
    try:
        return out.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{text!r} is not UTF-8") from None


def _character(code: int) -> bytes:
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise ValueError(f"\\U{code:08x} is no character")
    return chr(code).encode()


def _unescaped(text: str) -> bytes:
    if "\\" in text:
        raise ValueError(f"unknown escape sequence at {text[text.index(chr(92)) :]!r}")
    return text.encode("utf-8")


def write_series(labels: Labels) -> str:
    """A series in the notation; label names that need it are in quotes, which Prometheus 3 reads."""
    return "{" + ",".join(f"{_name(name)}={quote(value)}" for name, value in labels) + "}"


def _name(name: str) -> str:
    return name if LABEL.fullmatch(name) else quote(name)


def quote(text: str) -> str:
    """A text in double quotes that Go reads back."""
    return '"' + re.sub(r'[\\"\x00-\x1f\x7f]', lambda found: f"\\x{ord(found[0]):02x}", text) + '"'


def parse_values(text: str) -> tuple[float | None, ...]:
    """Values for the live run, None for a gap; ``axn`` gives n + 1 values. Raises ValueError."""
    values: list[float | None] = []
    for value in expand(text):
        if isinstance(value, Histogram) or (value is not None and is_stale(value)):
            raise ValueError("native histograms and stale markers cannot be given here")
        values.append(value)
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
