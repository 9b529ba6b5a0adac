"""Label sets that a Python test asks about, and the receivers at which they end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import ValidationError

from pytest_sre.checks.pages_hours import routes_at
from pytest_sre.errors import UserError
from pytest_sre.model.routing import Routing, preorder
from pytest_sre.settings import in_words
from pytest_sre.sources.routing import RoutingSpec


def read_label_sets(
    label_sets: Iterable[Mapping[str, str]], at: datetime | str | None
) -> tuple[list[Mapping[str, str]], datetime | None]:
    """The label sets and the time, as routing tests of sre.yaml may have them; raises UserError."""
    __tracebackhide__ = True
    specs: list[RoutingSpec] = []
    for labels in label_sets:  # a comprehension's frame would be shown
        specs.append(_read(labels, at))
    return [spec.labels for spec in specs], specs[0].at if specs else None


def _read(labels: Mapping[str, str], at: datetime | str | None) -> RoutingSpec:
    __tracebackhide__ = True
    try:
        return RoutingSpec.model_validate({"labels": labels, "at": at, "receivers": ("?",)})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"sre.route: {where}: {in_words(first)}") from None


def receivers(routing: Routing, ends: tuple[int, ...], at: datetime | None) -> tuple[str, ...]:
    """Their receivers, each once, without those of routes that are muted then; raises FileError."""
    awake, _ = routes_at(routing, ends, at)
    routes = list(preorder(routing.root))
    return tuple(dict.fromkeys(routes[number].receiver for number in awake))
