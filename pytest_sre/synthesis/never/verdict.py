"""What is said of an expression that can never have a result, or whose condition always holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_sre.model.rules import Rule


@dataclass(frozen=True, slots=True)
class Never:
    """Why a (sub-)expression can never have a result; ``part`` is its PromQL, ``next_step`` what to change."""

    reason: str
    part: str
    next_step: str = ""

    def recorded(self, rule: Rule) -> Never:
        """The same, seen from what reads the recording rule, or the ``ALERTS`` of an alert."""
        does = "records" if rule.kind == "record" else "alerts on"
        return replace(self, reason=f"{self.reason}; that is what {rule.name} {does} ({rule.location})")


@dataclass(frozen=True, slots=True)
class Always:
    """Which comparison holds on all data where its series are, and why; ``next_step`` is what to change.

    With ``existence`` it says no more than that there are series (``count(x) > 0``), which may be what is meant.
    """

    part: str
    reason: str
    next_step: str = ""
    existence: bool = False


@dataclass(frozen=True, slots=True)
class Misuse:
    """A function on a metric that it is not made for: it has values, but they mean nothing."""

    part: str
    reason: str
    next_step: str = ""
