"""Do the metrics and labels that an alert reads exist in the snapshots of real metrics pages?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import lru_cache

from pytest_sre.checks.case import Case, Verdict
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.rules import Rule
from pytest_sre.promql.resolve import RuleIndex, selectors
from pytest_sre.sources.discover import Inventory

NAME = "known"
NEEDS = ""
_MADE_BY_PROMETHEUS = re.compile("ALERTS|ALERTS_FOR_STATE|up|scrape_.*")
_TARGET_LABELS = frozenset({"job", "instance", "__name__"})


def judge(case: Case) -> Verdict:
    """Pass when every selector, recording rules resolved, names a metric and labels that a snapshot or rule has."""
    index = _index(case.inventory)
    seen: set[str] = set()
    findings = []
    for rule in (case.rule, *index.closure(case.rule)):
        for finding in _rule(case, rule, index):
            if finding.summary not in seen:
                seen.add(finding.summary)
                findings.append(finding)
    return tuple(findings)


@lru_cache(maxsize=1)
def _index(inventory: Inventory) -> RuleIndex:
    return RuleIndex(inventory.rules)


def _rule(case: Case, rule: Rule, index: RuleIndex) -> Iterator[Finding]:
    labels = case.inventory.snapshots.labels
    where = Location(rule.location.path, rule.expr_line)
    reader = (
        rule.name if rule is case.rule else f"the recording rule {rule.name}, which {case.rule.name} needs,"
    )
    for selector in selectors(rule.expr):
        name = selector.name
        if not name or _MADE_BY_PROMETHEUS.fullmatch(name) or index.recording(name):
            continue
        if name not in labels:
            recorded = [one.name for one in case.inventory.rules if one.kind == "record"]
            near = difflib.get_close_matches(name, {*labels, *recorded}, 1, 0.6)
            yield Finding(
                NAME,
                where,
                f"{reader} reads {name}, which nothing exposes or records",
                expected=f"a metric of {', '.join(case.inventory.snapshots.paths)} or a recording rule",
                seen=name,
                next_step=f"did you mean {near[0]}?" if near else "mend the name, or take a new snapshot",
            )
            continue
        for matcher in selector.matchers:
            if (
                matcher.label not in labels[name] | _TARGET_LABELS
                and matcher.op in ("=", "=~")
                and matcher.value
            ):
                near = difflib.get_close_matches(matcher.label, labels[name], 1, 0.6)
                yield Finding(
                    NAME,
                    where,
                    f"{reader} matches {name} by {matcher.label}, a label that it does not have",
                    expected=f"one of {', '.join(sorted(labels[name])) or 'none'}",
                    seen=f"{matcher.label}{matcher.op}{matcher.value!r}",
                    next_step=f"did you mean {near[0]}?"
                    if near
                    else "mend the matcher, or take a new snapshot",
                )
