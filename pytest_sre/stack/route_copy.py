"""A copy of the routing tree in which each route has a receiver of its own, so that Alertmanager says which it is.

The receivers have no integrations: nothing can be sent, so there is nothing in it to make safe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_sre.sources.yamlfile import Map, Plain, line_of

_PREFIX = "route-"
# What decides where an alert ends. Templates, inhibition and time intervals don't.
_KEPT = ("match", "match_re", "matchers", "continue", "group_by")
_NEVER = "8760h"  # there is nothing to flush


def route_copy(route: Mapping[str, Any]) -> Map:
    """The configuration; the receiver of the n-th route in preorder, counted from 0, is `receiver_name(n)`."""
    names: list[str] = []
    top = _numbered(route, names)
    top["group_wait"] = top["repeat_interval"] = _NEVER
    receivers = [Map({"name": name}) for name in names]
    return Map({"route": top, "receivers": receivers})


def side_tree(inhibit_rules: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """A tree that says which sides of inhibit rules alerts match: of the n-th, from 0, route 2n+1 is the source, 2n+2 the target."""
    sides = [_side(rule, side) for rule in inhibit_rules for side in ("source", "target")]
    return {"routes": sides}


def _side(rule: Mapping[str, Any], side: str) -> dict[str, Any]:
    written = {key: rule.get(f"{side}_{key}") for key in ("match", "match_re", "matchers")}
    return {**{key: value for key, value in written.items() if value}, "continue": Plain("true")}


def receiver_name(number: int) -> str:
    """The receiver of a route in the copy."""
    return f"{_PREFIX}{number}"


def route_number(receiver: str) -> int:
    """The route of a receiver in the copy."""
    return int(receiver.removeprefix(_PREFIX))


def _numbered(route: Mapping[str, Any], names: list[str]) -> Map:
    names.append(receiver_name(len(names)))
    copy = Map({"receiver": names[-1], **{key: route[key] for key in _KEPT if key in route}})
    copy.line = line_of(route, "")
    copy.lines = {key: line_of(route, key) for key in copy}
    children = [_numbered(child, names) for child in route.get("routes") or ()]
    if children:
        copy["routes"] = children
    return copy
