"""What the entries of `oncall:` in sre.yaml ask for: which alerts they are about, who must be notified and who must not."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping

from pytest_sre.checks.case import PAGING_KINDS
from pytest_sre.errors import UserError
from pytest_sre.model.near import nearest
from pytest_sre.model.receivers import RECEIVERS
from pytest_sre.model.routing import Integration, Routing
from pytest_sre.settings import Oncall
from pytest_sre.sources.alertmanager import parse_matchers

KINDS = frozenset(RECEIVERS)
"""What may stand before the colon of a pattern: `pagerduty:payments`."""


def meant_for(entry: Oncall, labels: Mapping[str, str]) -> bool:
    """Whether an entry is about an alert with these labels."""
    return all(matcher.matches(labels) for text in entry.match for matcher in parse_matchers(text))


def fits(pattern: str, integration: Integration) -> bool:
    """Whether a pattern of an entry means an integration."""
    if pattern == "<paging>":
        return integration.kind in PAGING_KINDS
    kind, colon, name = pattern.partition(":")
    if colon and kind in KINDS:
        return integration.kind == kind and fnmatch.fnmatchcase(integration.receiver, name)
    return fnmatch.fnmatchcase(integration.receiver, pattern)


def check_never(entries: Iterable[Oncall], routing: Routing, path: str) -> None:
    """Raises UserError where ``never`` names a receiver that there is not: that it gets nothing would always hold."""
    for entry in entries:
        for pattern in entry.never:
            kind, colon, name = pattern.partition(":")
            name = name if colon and kind in KINDS else pattern
            if pattern == "<paging>" or set(name) & set("*?[") or name in routing.receivers:
                continue
            near = nearest(name, routing.receivers)
            hint = f"did you mean {near}?" if near else f"it has {', '.join(routing.receivers)}"
            raise UserError(
                f"{path}:{entry._line}: oncall: never: {routing.path} has no receiver {name}; {hint}"
            )


def unmet(entry: Oncall, got: Iterable[Integration]) -> tuple[list[str], list[str]]:
    """Which patterns of ``reaches`` fit none that was notified, and which that were notified fit one of ``never``."""
    told = list(got)
    missing = [pattern for pattern in entry.reaches if not any(fits(pattern, one) for one in told)]
    wrong = [str(one) for one in told if any(fits(pattern, one) for pattern in entry.never)]
    return missing, wrong
