"""The input series of one unit test, read line by line as promtool's ``load`` command does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pytest_sre.model.samples import Value
from pytest_sre.model.scenario import Labels
from pytest_sre.sources import notation
from pytest_sre.sources.expansion import expand
from pytest_sre.sources.rulefile import Broken


class Loaded(NamedTuple):
    """One series; ``labels`` may lack ``__name__``, ``line`` is that of the file."""

    labels: Labels
    values: tuple[Value | None, ...]
    line: int


class Load(NamedTuple):
    """What is loaded, and what is passed over in silence: lines and reasons."""

    series: tuple[Loaded, ...]
    trouble: tuple[tuple[int, str], ...]


def load(given: Iterable[tuple[str, str, int]]) -> Load:
    """Load series from (series, values, line of the file); raises Broken.

    promtool writes them into one text and stops at the first empty line of it; of equal series the last counts.
    """
    found: dict[Labels, Loaded] = {}
    trouble: list[tuple[int, str]] = []
    ended = 0
    for line, text in _lines(given):
        if ended:
            if text is not None and text:
                trouble.append((line, f"this series is not loaded: an empty line at {ended} ends the list"))
        elif not text:
            ended = line
        else:
            one = parse_line(text, line)
            if one.labels in found:
                trouble.append(
                    (found[one.labels].line, f"this series is given again at line {line}, which counts")
                )
            found.pop(one.labels, None)
            found[one.labels] = one
    return Load(tuple(found.values()), tuple(trouble))


def _lines(given: Iterable[tuple[str, str, int]]) -> Iterator[tuple[int, str]]:
    for series, values, line in given:
        for part in f"{series} {values}".split("\n"):
            text = part.strip()
            yield line, "" if text.startswith("#") else text


def parse_line(text: str, line: int) -> Loaded:
    """One line of the list: a series and its values; raises Broken."""
    try:
        labels, end = notation.scan_metric(text)
        if not labels:
            raise ValueError(f'{text!r} does not begin with a series such as up{{job="api"}}')
        if text[end : end + 1].strip():
            raise ValueError(f"{text!r}: a space is missing before {text[end:]!r}")
        known = notation.unique([pair for pair in labels if pair[1]], text)
        if not known:
            raise ValueError(f"{text!r} has no labels at all")
        return Loaded(known, expand(text[end:]), line)
    except ValueError as error:
        raise Broken(line, f"input_series: {error}") from None
