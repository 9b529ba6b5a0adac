"""SLOs and the policy as ``sre.yaml`` has them, and what they mean. (Other spec formats get a module each.)"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    Field,
    field_validator,
    model_validator,
)

from pytest_sre.model.finding import Location
from pytest_sre.model.slo import Notify, PolicyEntry, Slo
from pytest_sre.promql.selector import selector
from pytest_sre.sources import duration
from pytest_sre.sources.fields import Duration, Frozen, Lined, Percent, SelectorText, no_repeats, share


class SloSpec(Lined):
    """The truth about a service: which share of its requests must be good, in percent, over a window."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    objective: Annotated[float, Field(gt=0, lt=100)]
    window: Duration = "30d"
    errors: SelectorText | None = None
    good: SelectorText | None = None
    total: SelectorText

    @field_validator("objective", mode="before")
    @classmethod
    def _percent(cls, value: Any) -> Any:
        return value.strip().removesuffix("%") if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_part(self) -> SloSpec:
        if (self.errors is None) == (self.good is None):
            raise ValueError("needs either `errors` or `good`" + (", not both" if self.errors else ""))
        if self.total in (self.errors, self.good):
            raise ValueError("`total` is the same selector as the part that it is compared with")
        return self

    def as_model(self, path: str) -> Slo:
        """The SLO; ``path`` is how its file is shown to users."""
        errors, good = (selector(text) if text else None for text in (self.errors, self.good))
        window, total = duration.seconds(self.window), selector(self.total)
        return Slo(self.name, self.objective, window, errors, good, total, Location(path, self._line))


class PolicySpec(Frozen):
    """Where the budget would be gone within a time, somebody must be told before so much of it is spent."""

    budget_gone_within: Duration
    notify: Notify
    before_spent: Percent

    def as_model(self) -> PolicyEntry:
        """The entry in seconds and shares."""
        return PolicyEntry(
            duration.seconds(self.budget_gone_within), self.notify, share(self.before_spent)
        )  # fmt: skip


DEFAULT_POLICY = (
    PolicySpec(budget_gone_within="1h", notify="page", before_spent="10%"),
    PolicySpec(budget_gone_within="1d", notify="ticket", before_spent="50%"),
)


def unique_slos(value: tuple[SloSpec, ...]) -> tuple[SloSpec, ...]:
    """Names become test ids. Raises ValueError where one is there twice."""
    no_repeats([spec.name for spec in value], "two SLOs are called {}")
    return value


def unique_policy(value: tuple[PolicySpec, ...]) -> tuple[PolicySpec, ...]:
    """Time and kind become test ids. Raises ValueError where an entry is there twice."""
    entries = [spec.as_model() for spec in value]
    times = [f"{entry.notify} for a budget gone within {entry.gone_within:g}s" for entry in entries]
    no_repeats(times, "two entries ask for a {}")
    return value


def fitting_policy(value: tuple[PolicySpec, ...], slos: tuple[SloSpec, ...]) -> tuple[PolicySpec, ...]:
    """Raises ValueError where an entry speaks of a burn that leaves some of an SLO's budget over in its whole window."""
    for entry in value:
        for slo in slos:
            if duration.seconds(entry.budget_gone_within) > duration.seconds(slo.window):
                raise ValueError(
                    f"budget_gone_within: {entry.budget_gone_within} is longer than the window of {slo.name} ({slo.window}), "
                    "after which there is a new budget"
                )
    return value
