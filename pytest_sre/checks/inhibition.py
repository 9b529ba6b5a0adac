"""Is an alert inhibited by one that has nothing to do with it? Part of `pages`.

The evidence is Alertmanager's: it reported the inhibition while all alerts of the run fired together. What is judged
here is only whether the inhibit rule states any relation between the two: a label in `equal` that both alerts have,
or a source that is named. (Labels that both lack count as equal in Alertmanager, which is how most such rules
become too wide.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_sre.checks.case import Case
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import AlertObservation, Inhibition
from pytest_sre.model.routing import Matcher
from pytest_sre.report.chain import label_text
from pytest_sre.sources.alertmanager import side_matchers
from pytest_sre.sources.yamlfile import line_of


def unrelated(case: Case, alert: AlertObservation, check: str) -> Iterator[Finding]:
    """A finding for each rule that inhibited this alert without any stated relation."""
    assert case.inventory.routing is not None
    routing = case.inventory.routing
    rules = routing.document.get("inhibit_rules") or []
    external = case.inventory.prometheus.globals.get("external_labels") or {}
    told: set[int] = set()
    for inhibition in alert.inhibited_together:
        lines = [line_of(rules, i) for i, rule in enumerate(rules) if _applies(rule, inhibition)]
        related = any(_applies(rule, inhibition) and _related(rule, inhibition, external) for rule in rules)
        if related or not lines or lines[0] in told:
            continue
        told.add(lines[0])
        source = inhibition.source.get("alertname", "")
        yield Finding(
            check,
            case.rule.location,
            f"{case.rule.name} is inhibited by {source}, which is unrelated",
            expected="an inhibit rule whose `equal` names a label that both alerts have, or whose source is named",
            seen=f"{routing.place(lines[0])}: `equal` holds for labels that tell nothing of these two",
            details=(
                f"target    {label_text(inhibition.target)}",
                f"source    {label_text(inhibition.source)}",
            ),
            next_step=f"narrow the inhibit rule at {routing.place(lines[0])}, for instance with "
            "`equal: [service]`",
        )


def _applies(rule: Mapping[str, Any], seen: Inhibition) -> bool:
    equal = [str(name) for name in rule.get("equal") or []]
    return (
        all(matcher.matches(seen.source) for matcher in side_matchers(rule, "source"))
        and all(matcher.matches(seen.target) for matcher in side_matchers(rule, "target"))
        and all(seen.source.get(name, "") == seen.target.get(name, "") for name in equal)
    )


def _related(rule: Mapping[str, Any], seen: Inhibition, external: Mapping[str, str]) -> bool:
    equal = [str(name) for name in rule.get("equal") or []]
    named = any(_names_one(matcher) for matcher in side_matchers(rule, "source"))
    return named or any(seen.source.get(name) and name not in external for name in equal)


def _names_one(matcher: Matcher) -> bool:
    return (
        matcher.label == "alertname" and matcher.op in ("=", "=~") and matcher.value not in (".*", ".+", "")
    )
