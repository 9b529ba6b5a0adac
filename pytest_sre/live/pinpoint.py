"""Which receiver Alertmanager complains about when its message names no line: it is asked about ever fewer of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_sre.sources.yamlfile import line_of
from pytest_sre.stack.blamed import blamed

Complaint = Callable[[Mapping[str, Any]], str]


def pinpoint(document: Mapping[str, Any], copy: Mapping[str, Any], message: str, complaint: Complaint) -> int:
    """The user's line of what a complaint is about.

    ``copy`` is the safe copy of ``document``; ``complaint`` says what Alertmanager says of a configuration, empty
    where it loads. It reads receivers in their order, so the first one with which it complains the same is at fault.
    """
    receivers = copy.get("receivers") or []
    nobody = [{"name": "nobody"}]

    def complains(first: list[Any]) -> bool:
        return complaint({**_rest(copy), "receivers": nobody + first}) == message

    if len(receivers) < 2 or not complains(receivers) or complains([]):
        return blamed(document, message)
    low, high = (
        0,
        len(receivers),
    )  # without the receivers from low on it loads, with those before high it does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if complains(receivers[:middle]) else (middle, high)
    line = blamed({"receivers": [document["receivers"][low]]}, message)
    return line if line > 1 else line_of(document["receivers"], low)


def _rest(copy: Mapping[str, Any]) -> dict[str, Any]:
    """What receivers depend on, and a route that any Alertmanager takes."""
    return {"global": copy.get("global"), "route": {"receiver": "nobody"}}
