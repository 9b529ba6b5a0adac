"""Texts that name a label which the alert cannot have: it renders as nothing, and the on-call reads a gap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from pytest_sre.checks.case import Case, index_of
from pytest_sre.model.finding import Finding
from pytest_sre.promql.carried import Carried, Labels
from pytest_sre.promql.nearest import nearest
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.sources.discover import Inventory

_NAME = "fires"
_ACTION = re.compile(r"\{\{-?(.*?)-?\}\}", re.S)
_LABEL = re.compile(r"\$labels\.([A-Za-z_]\w*)")
_TESTED = re.compile(r"^\s*(?:else\s+)?(?:if|with)\b|\b(?:or|and|not|default)\b")
_ALWAYS = frozenset({"__name__"})


def lost(case: Case) -> Iterator[Finding]:
    """A finding for each label that texts name, that the expression drops, and that no alert had which fired.

    Not where a text asks whether the label is there (``if``, ``with``, ``or``).
    """
    assert case.alert is not None
    named = dict(_named(case.rule.labels, "label")) | dict(_named(case.rule.annotations, "annotation"))
    if not named:
        return
    try:
        expr = parse(case.rule.expr)
    except PromqlError:
        return
    carried = _labels(case.inventory).of(expr)
    for label, place in named.items():
        shown = any(alert.labels.get(label, case.rule.labels.get(label)) != case.rule.labels.get(label) for alert in case.alert.fired)  # fmt: skip
        if label not in _ALWAYS and not carried.may(label) and not shown:
            near = nearest(label, carried.names) if not carried.open else ""
            yield Finding(
                _NAME,
                case.rule.location,
                f"a text of {case.rule.name} names the label {label}, which the alert does not have",
                expected=f"one of {_shown(carried)}",
                seen=f"{place}: nothing stands for {{{{ $labels.{label} }}}}",
                details=(f"in        {to_text(expr)}",),
                next_step=_next(case, label, near),
                severity="warning",
            )


@lru_cache(maxsize=4)
def _labels(inventory: Inventory) -> Labels:
    return Labels(index_of(inventory))


def _named(texts: Mapping[str, str], kind: str) -> Iterator[tuple[str, str]]:
    """(label, where) of labels that a text shows without asking for them first."""
    for name, text in texts.items():
        actions = _ACTION.findall(text)
        tested = {label for one in actions if _TESTED.search(one) for label in _LABEL.findall(one)}
        for one in actions:
            for label in _LABEL.findall(one):
                if label not in tested:
                    yield label, f"{kind} {name}"


def _next(case: Case, label: str, near: str) -> str:
    if near:
        return f"did you mean {near}?"
    if label in case.rule.labels:
        return "a label that the rule itself sets is not in $labels: write its value"
    return "keep the label in `by`, `on` or `group_left`, or take it out of the text"


def _shown(carried: Carried) -> str:
    if carried.open:
        return f"the labels that are left, without {', '.join(sorted(carried.names))}"
    return ", ".join(sorted(carried.names)) or "none: it has no labels"
