"""Label sets that a Python test asks about, and the receivers at which they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pytest_sre.checks.pages_hours import routes_at
from pytest_sre.incidents.given import read_as
from pytest_sre.model.routing import Routing, preorder
from pytest_sre.sources.routing import RoutingSpec


def read_label_sets(
    label_sets: Iterable[Mapping[str, str]], at: datetime | str | None
) -> tuple[list[Mapping[str, str]], datetime | None]:
    """The label sets and the time, as routing tests of sre.yaml may have them; raises UserError."""
    __tracebackhide__ = True
    specs: list[RoutingSpec] = []
    for labels in label_sets:  # a comprehension's frame would be shown
        given = {"labels": labels, "receivers": ("?",), **({} if at is None else {"at": at})}
        specs.append(read_as(RoutingSpec, given, "sre.route"))
    return [spec.labels for spec in specs], specs[0].at if specs else None


def receivers(routing: Routing, ends: tuple[int, ...], at: datetime | None) -> tuple[str, ...]:
    """Their receivers, each once, without those of routes that are muted then; raises FileError."""
    awake, _ = routes_at(routing, ends, at)
    routes = list(preorder(routing.root))
    return tuple(dict.fromkeys(routes[number].receiver for number in awake))
