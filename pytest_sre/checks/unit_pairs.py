"""What was expected beside what was seen: which belongs to which, and how the two differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

_SHOWN = 60
_NEAR = 50
_REARRANGED = 300


class Both(NamedTuple):
    """Places in the expected and the seen sequence; None where the other has no partner."""

    expected: int | None
    seen: int | None


Distance = Callable[[int, int], int]
"""How many differences lie between an expected and a seen one; 0: it is the same."""


def unmatched(expected: int, seen: int, distance: Distance) -> list[Both]:
    """Of that many expected and seen ones those that no partner fits, joined where they are alike."""
    taken = _matching(expected, seen, lambda one, other: distance(one, other) == 0)
    partners = set(taken.values())
    lonely = [one for one in range(expected) if one not in partners]
    others = [other for other in range(seen) if other not in taken]
    near = sorted((distance(one, other), one, other) for one in lonely[:_NEAR] for other in others[:_NEAR])
    joined: list[Both] = []
    for _, one, other in near:
        if one in lonely and other in others:
            joined.append(Both(one, other))
            lonely.remove(one)
            others.remove(other)
    return sorted(joined) + [Both(one, None) for one in lonely] + [Both(None, other) for other in others]


def _matching(expected: int, seen: int, fits: Callable[[int, int], bool]) -> dict[int, int]:
    """The largest matching (Kuhn's algorithm): the expected one of each seen one that has a partner."""
    taken: dict[int, int] = {}
    # Needed for partial labels only, where one may fit several; each step of a rearrangement is a call deeper.
    rearrange = min(expected, seen) <= _REARRANGED

    def place(one: int, tried: set[int]) -> bool:
        # Both are sorted, so its own place is the likeliest.
        for other in chain(range(one, seen), range(min(one, seen))):
            if other in tried or (other in taken and not rearrange) or not fits(one, other):
                continue
            tried.add(other)
            if other not in taken or place(taken[other], tried):
                taken[other] = one
                return True
        return False

    for one in range(expected):
        place(one, set())
    return taken


def differences(
    kind: str, expected: Mapping[str, str], seen: Mapping[str, str], partial: bool
) -> Iterator[str]:
    """A line for each name whose text differs; ``partial`` passes over names that are not expected."""
    for name in sorted({*expected, *(() if partial else seen)}):
        wanted, got = expected.get(name), seen.get(name)
        if wanted == got:
            continue
        if wanted is None:
            yield f"{kind} {name}: not expected, seen {quoted(got or '')}"
        elif got is None:
            yield f"{kind} {name}: expected {quoted(wanted)}, not there"
        else:
            yield f"{kind} {name}: " + _apart(wanted, got)


def _apart(wanted: str, got: str) -> str:
    if len(wanted) <= _SHOWN and len(got) <= _SHOWN:
        return f"expected {quoted(wanted)}, seen {quoted(got)}"
    same = next(
        (i for i, (a, b) in enumerate(zip(wanted, got, strict=False)) if a != b), min(len(wanted), len(got))
    )
    start = max(0, same - 15)
    parts = [("…" if start else "") + text[start : start + _SHOWN] for text in (wanted, got)]
    return f"differs from character {same + 1} on: expected {quoted(parts[0])}, seen {quoted(parts[1])}"


def quoted(text: str) -> str:
    """A text on one line, in quotes."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{plain}"'


def label_set(labels: Mapping[str, str], without: str = "") -> str:
    """A label set as PromQL writes it."""
    name = "" if without == "__name__" else labels.get("__name__", "")
    pairs = ", ".join(
        f"{key}={quoted(text)}" for key, text in sorted(labels.items()) if key not in ("__name__", without)
    )
    return f"{name}{{{pairs}}}" if pairs or not name else name
