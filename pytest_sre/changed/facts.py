"""What is compared: named facts whose values are texts, and how a difference is told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Aspect = Literal[
    "new", "renamed", "rule", "recording", "prometheus", "route", "order", "receiver", "inhibition", "template", "runbook",
    "settings", "severity", "slo", "metrics", "base",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an alert is selected; ``text`` names what differs and never holds a secret."""

    aspect: Aspect
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Key:
    """What a fact is about, as far as it can be found again in the other revision."""

    aspect: Aspect
    name: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A value to compare. ``title`` and ``note`` are told, not compared; ``shown``: readers may see the value."""

    value: str
    title: str
    note: str = ""
    shown: bool = False


Facts = Mapping[Key, Fact]
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)


def canonical(value: Any) -> str:
    """A parsed YAML value as text: the order of keys doesn't count, that of items does."""
    return _ENCODER.encode(value)


def differences(old: Facts, new: Facts) -> Iterator[Reason]:
    """A reason for each fact that differs, in the order of the new facts."""
    came: dict[Aspect, list[Fact]] = {}
    gone: dict[Aspect, list[Fact]] = {}
    for key, fact in new.items():
        before = old.get(key)
        if before is None:
            came.setdefault(key.aspect, []).append(fact)
        elif before.value != fact.value:
            change = f": {_text(before)} → {_text(fact)}" if fact.shown else ""
            yield Reason(key.aspect, _told(fact, change))
    for key, fact in old.items():
        if key not in new:
            gone.setdefault(key.aspect, []).append(fact)
    for aspect in dict.fromkeys([*came, *gone]):
        yield from _replaced(aspect, came.get(aspect, []), gone.get(aspect, []))


def _replaced(aspect: Aspect, came: list[Fact], gone: list[Fact]) -> Iterator[Reason]:
    """Routes and inhibit rules have no name: as many as came in place of others are told as changed."""
    same = min(len(came), len(gone)) if aspect in ("route", "inhibition") else 0
    yield from (Reason(aspect, _told(fact, "")) for fact in came[:same])
    yield from (Reason(aspect, _told(fact, " (new)")) for fact in came[same:])
    yield from (Reason(aspect, _told(fact, " (no longer)")) for fact in gone[same:])


def _told(fact: Fact, change: str) -> str:
    return fact.title + (f" ({fact.note})" if fact.note else "") + change


def _text(fact: Fact) -> str:
    return fact.value if len(fact.value) <= 60 else fact.value[:57] + "…"
