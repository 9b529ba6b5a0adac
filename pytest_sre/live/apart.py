"""Which alerts disturb each other in Alertmanager, and waves in which none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_sre.model.observation import Inhibition
from pytest_sre.model.rules import Rule
from pytest_sre.stack import alertmanager


def disturb(conflicts: dict[Rule, set[Rule]], rules: set[Rule]) -> None:
    """Note that none of these may be in a wave with another."""
    for rule in rules:
        conflicts.setdefault(rule, set()).update(rules - {rule})


def find_conflicts(
    conflicts: dict[Rule, set[Rule]],
    groups: Sequence[alertmanager.Group],
    owner: Mapping[str, Rule],
    alerts: Mapping[Rule, Sequence[Mapping[str, Any]]],
) -> dict[Rule, tuple[Inhibition, ...]]:
    """Add rules that share a group, and rules whose alerts others inhibit; returns those inhibitions."""
    for group in groups:
        members = {owner[fingerprint] for fingerprint in group.alerts if fingerprint in owner}
        if len(members) > 1:
            disturb(conflicts, members)
    labels = {alert["fingerprint"]: alert["labels"] for shown in alerts.values() for alert in shown}
    seen: dict[Rule, tuple[Inhibition, ...]] = {}
    for rule, shown in alerts.items():
        for alert in shown:
            for source in alert["status"]["inhibitedBy"]:
                other = owner.get(source)
                if other is not None and other is not rule:
                    conflicts.setdefault(rule, set()).add(other)
                    seen[rule] = (*seen.get(rule, ()), Inhibition(alert["labels"], labels[source]))
    return seen


def apart(rules: Sequence[Rule], conflicts: Mapping[Rule, set[Rule]]) -> list[list[Rule]]:
    """Waves such that no two rules of a wave are known to disturb each other (greedy colouring)."""
    waves: list[list[Rule]] = []
    members: list[set[Rule]] = []
    for rule in rules:
        mine = conflicts.get(rule, set())
        for wave, inside in zip(waves, members, strict=True):
            if not (mine & inside) and not any(
                rule in conflicts.get(other, ()) for other in inside & set(conflicts)
            ):
                wave.append(rule)
                inside.add(rule)
                break
        else:
            waves.append([rule])
            members.append({rule})
    return waves
