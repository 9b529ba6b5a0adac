"""Routing tests as ``sre.yaml`` has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
)

from pytest_sre.errors import FileError
from pytest_sre.model.finding import Location
from pytest_sre.model.near import nearest
from pytest_sre.model.routing import Routing
from pytest_sre.model.routingtest import RoutingTest
from pytest_sre.sources.fields import Lined, Moment, no_repeats


class RoutingSpec(Lined):
    """An alert with ``labels`` must reach exactly ``receivers``; with ``at``, at that time, when some routes are muted."""

    name: Annotated[str, Field(min_length=1)] | None = None
    labels: dict[str, str]
    at: Moment = None
    receivers: tuple[str, ...]

    @field_validator("labels")
    @classmethod
    def _some(cls, value: dict[str, str]) -> dict[str, str]:
        if "" in value:
            raise ValueError("a label without a name")
        if not any(value.values()):
            raise ValueError("needs a label that is not empty, as every alert has one")
        return value

    @field_validator("receivers")
    @classmethod
    def _somebody(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not value and not info.data.get("at"):
            raise ValueError(
                "is empty, but every alert ends at some receiver; only `at` some time may it be muted"
            )
        return value

    @property
    def title(self) -> str:
        """The name, else the labels."""
        return self.name or ",".join(f"{label}={value}" for label, value in self.labels.items())

    def as_model(self, path: str, title: str) -> RoutingTest:
        """The test; ``path`` is how its file is shown to users."""
        return RoutingTest(title, self.labels, self.receivers, Location(path, self._line), self.at)


def unique_routing(value: tuple[RoutingSpec, ...]) -> tuple[RoutingSpec, ...]:
    """Names become test ids. Raises ValueError where one is there twice."""
    no_repeats([spec.name for spec in value if spec.name], "two routing tests are called {}")
    return value


def routing_tests(specs: Iterable[RoutingSpec], path: str) -> tuple[RoutingTest, ...]:
    """The tests; those whose labels are the same have a number as well."""
    return tuple(_tests(specs, path))


def _tests(specs: Iterable[RoutingSpec], path: str) -> Iterator[RoutingTest]:
    seen: dict[str, int] = {}
    for spec in specs:
        seen[spec.title] = number = seen.get(spec.title, 0) + 1
        yield spec.as_model(path, f"{spec.title} #{number}" if number > 1 else spec.title)


def check_receivers(tests: Iterable[RoutingTest], routing: Routing | None) -> None:
    """Raises FileError for a receiver that the configuration does not define."""
    if routing is None:
        return
    for test in tests:
        for name in test.receivers:
            if name not in routing.receivers:
                near = nearest(name, routing.receivers)
                hint = f'did you mean "{near}"?' if near else f"It has {', '.join(routing.receivers)}."
                raise FileError(
                    test.location.path,
                    test.location.line,
                    f'routing: {routing.path} has no receiver "{name}"; {hint}',
                )
