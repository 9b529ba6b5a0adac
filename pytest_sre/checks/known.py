"""Do the metrics, labels and label values that an alert reads exist in the snapshots of real metrics pages?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from pytest_sre.checks import known_labels, known_values
from pytest_sre.checks.case import Case, Skipped, Verdict, index_of
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.rules import Rule
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.promql.ast import VectorSelector
from pytest_sre.promql.carried import ANY, Carried, Labels
from pytest_sre.promql.nearest import nearest
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.sources.discover import Inventory
from pytest_sre.synthesis.native import classic

NAME = "known"
NEEDS = ""
_MADE_BY_PROMETHEUS = re.compile("ALERTS|ALERTS_FOR_STATE|up|scrape_.*")


def judge(case: Case) -> Verdict:
    """Pass when every selector, recording rules resolved, names a metric, labels and values that exist.

    While a page could not be read, what others lack may be on it.
    """
    facts = _facts(case.inventory)
    findings: dict[str, Finding] = {}
    for rule in (case.rule, *facts.rules.closure(case.rule)):
        who = (
            rule.name
            if rule is case.rule
            else f"the recording rule {rule.name}, which {case.rule.name} needs,"
        )
        for finding in _rule(facts, rule, who):
            findings.setdefault(finding.summary, finding)
    unread = facts.snapshots.unread
    if unread and any(one.severity == "error" for one in findings.values()):
        return Skipped(
            f"not all pages could be read, see {', '.join(f'{one.path}::loads' for one in unread)}"
        )
    return tuple(findings.values())


def asks(rule: Rule, inventory: Inventory) -> bool:
    """Whether there is something to compare an alert with: snapshots, or recorded names for one that nothing records."""
    if inventory.snapshots:
        return True
    facts = _facts(inventory)
    names = {one.name for text in facts.rules.texts(rule) for one in selectors(text)}
    return bool(facts.recorded) and any(":" in name and name not in facts.recorded for name in names)


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a repository's metrics."""

    inventory: Inventory

    @property
    def snapshots(self) -> Snapshots:
        """The pages."""
        return self.inventory.snapshots

    @property
    def rules(self) -> RuleIndex:
        """The recording rules."""
        return index_of(self.inventory)

    @cached_property
    def recorded(self) -> frozenset[str]:
        """The names that rules record."""
        return frozenset(rule.name for rule in self.inventory.rules if rule.kind == "record")

    @cached_property
    def labels(self) -> Labels:
        """The labels that parts of expressions may carry."""
        return Labels(self.rules, self.raw)

    def as_shown(self, selector: VectorSelector) -> VectorSelector | None:
        """How pages show a native histogram: as a classic one. None where nothing reads it as such, or none has it."""
        buckets = f"{selector.name}_bucket"
        shown = buckets in self.snapshots.labels and selector.name in classic(self.rules).names
        return replace(selector, name=buckets) if shown else None

    def raw(self, selector: VectorSelector) -> Carried:
        """The labels that a selector's series may carry, were they scraped as usual."""
        seen = self.snapshots.labels.get(selector.name)
        return (
            ANY
            if seen is None or self.snapshots.is_cut(selector.name)
            else Carried(seen | self.snapshots.targets)
        )


@lru_cache(maxsize=4)
def _facts(inventory: Inventory) -> Facts:
    return Facts(inventory)


def _rule(facts: Facts, rule: Rule, who: str) -> Iterator[Finding]:
    where = rule.expression
    for selector in selectors(rule.expr):
        name = selector.name
        if not name or _MADE_BY_PROMETHEUS.fullmatch(name):
            if name not in facts.snapshots.labels:
                yield from known_labels.slips(facts.snapshots.targets, selector, where, who)
            continue
        if name not in facts.recorded and name not in facts.snapshots.labels:
            shown = facts.as_shown(selector)
            if shown is None:
                yield from _missing(facts, name, where, who)
            else:
                yield from known_labels.matched(facts.snapshots, shown, where, who)
                yield from known_values.matched(facts.snapshots, shown, where, who)
        elif facts.rules.recording(name):
            yield from known_labels.recorded(facts.labels.of(selector), selector, where, who)
        else:
            yield from known_labels.matched(facts.snapshots, selector, where, who)
            yield from known_values.matched(facts.snapshots, selector, where, who)
    try:
        expr = parse(rule.expr)
    except PromqlError:
        return
    yield from known_labels.named(facts.labels, expr, facts.snapshots, where, who)


def _missing(facts: Facts, name: str, where: Location, who: str) -> Iterator[Finding]:
    """A metric that nothing exposes or records. What rules record may be recorded elsewhere, where no name is near."""
    near = nearest(name, facts.recorded if ":" in name else {*facts.snapshots.labels, *facts.recorded})
    if not near and (":" in name or not facts.snapshots):
        return
    pages = ", ".join(facts.snapshots.paths)
    yield Finding(
        NAME,
        where,
        f"{who} reads {name}, which nothing {'records' if ':' in name else 'exposes or records'}",
        expected="a recorded name" if ":" in name else f"a metric of {pages} or a recording rule",
        seen=name,
        next_step=f"did you mean {near}?" if near else "mend the name, or take a new snapshot",
    )
