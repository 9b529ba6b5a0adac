"""What a Python test states of alerts that fire together, as written; told in its own words where it is no such thing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_sre.errors import UserError

Wanted = Mapping[str, "str | tuple[str, ...] | Sequence[str | Sequence[str]]"]
"""Receiver → its notifications: one is an alert's name or a tuple of names that come in one, several are a list."""
_SHAPE = (
    'as expect_notifications({"pager": "A"}), ("A", "B") where both come in one, ["A", "B"] where two come'
)


def read_wanted(wanted: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each notification's receiver and alerts; raises UserError."""
    __tracebackhide__ = True
    if not isinstance(wanted, Mapping):
        raise UserError(f"{wanted!r} names no receivers; state them {_SHAPE}")
    for receiver, groups in wanted.items():
        if not isinstance(groups, (str, tuple, list)):
            raise UserError(f"{receiver}: {groups!r} is no notification; state it {_SHAPE}")
        for group in groups if isinstance(groups, list) else [groups]:
            yield receiver, _names(receiver, group)


def read_silences(silences: Any) -> list[Any]:
    """The silences as sre.yaml has them; raises UserError."""
    __tracebackhide__ = True
    if isinstance(silences, (str, Mapping)) or not isinstance(silences, Iterable):
        raise UserError("silences is a list of texts, as silences=['alertname=\"Watchdog\"']")
    return list(silences)


def _names(receiver: str, group: Any) -> tuple[str, ...]:
    __tracebackhide__ = True
    names = (group,) if isinstance(group, str) else group
    if not isinstance(names, (tuple, list)) or not all(isinstance(name, str) for name in names):
        raise UserError(f"{receiver}: {group!r} is no notification; state it {_SHAPE}")
    if not names:
        raise UserError(f"{receiver}: a notification without alerts; name those that are in it")
    return tuple(names)
