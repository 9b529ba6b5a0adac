"""SLOs → items: `<file>::<slo>::policy[<entry>]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_sre.checks import policy
from pytest_sre.items.item import SreItem, bracketed
from pytest_sre.items.target import Target
from pytest_sre.model.slo import PolicyEntry, Slo


class SloNode(pytest.Collector):
    """What the policy asks of one SLO."""

    def __init__(self, *, scope: Sequence[Target], slo: Slo, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scope, self.slo = scope, slo

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each entry of the policy."""
        for entry in self.scope[0].policy:
            for target in self.scope:
                name = bracketed(policy.NAME, policy.label(entry), target.label)
                yield SloItem.from_parent(self, name=name, target=target, slo=self.slo, entry=entry)


class SloItem(SreItem):
    """One entry of the policy, for one SLO."""

    def __init__(self, *, slo: Slo, entry: PolicyEntry, **kwargs: Any) -> None:
        super().__init__(place=slo.location, check=policy.NAME, **kwargs)
        self.slo, self.entry = slo, entry
        self.user_properties += [("sre_check", policy.NAME), ("sre_slo", slo.name)]

    def runtest(self) -> None:
        """Judge the alerts that watch over it by what they did at the entry's error ratio."""
        if self.seen:
            severities, inventory = self.target.settings.file.severities, self.target.inventory
            detections = policy.detections(self.slo, self.entry, self.seen, severities)
            untold = policy.untold(self.slo, self.entry, self.seen, inventory, severities)
            self.settle(policy.judge(self.slo, self.entry, detections, untold))

    def reportinfo(self) -> tuple[Path, int, str]:
        """The SLO's place in its file."""
        return self.path, self.slo.location.line - 1, f"{self.slo.name}::{self.name}".replace(".", "·")
