"""Can what a step leaves open be filled in from the alert's labels, where it asks for one of them?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from pytest_sre.checks.runbooks.alert_case import Together
from pytest_sre.checks.runbooks.case import Hit
from pytest_sre.checks.runbooks.names import set_on
from pytest_sre.model.rules import Rule
from pytest_sre.promql.nearest import misspelt, slip
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.queries import matched_labels
from pytest_sre.promql.resolve import selectors
from pytest_sre.sources.runbook_placeholders import Placeholder, label_of, placeholders

ID = "RB404"
_NO_STEP = frozenset(
    ["yaml", "yml", "json", "go", "toml", "ini", "hcl", "diff", "xml", "html", "markdown", "md"]
)


def judge(together: Together) -> Iterator[Hit]:
    """One hit for each name that no label has.

    ``{{ $labels.x }}`` says that it is a label; ``<x>`` and ``$X`` ask for anything, so only a slip is told.
    """
    fired = together.labels
    labels = fired or _named(together.case.rule)
    own = set_on(together.runbook)
    told: set[tuple[int, str]] = set()
    for text, line in _steps(together):
        for one in placeholders(text):
            at = line + text.count("\n", 0, one.start)
            if one.name in own or not one.name or label_of(one, labels) or (at, one.text) in told:
                continue
            near = _near(one, labels)
            if near or (one.explicit and fired):
                told.add((at, one.text))
                yield _hit(one, at, near, together)


def _near(placeholder: Placeholder, labels: Mapping[str, str]) -> str:
    if placeholder.explicit:
        return misspelt(placeholder.name, labels) or slip(placeholder.name, labels)
    plain = {name.lower().replace("_", ""): name for name in labels}
    return next((plain[near] for name in placeholder.names() if (near := slip(name, plain))), "")


def _hit(placeholder: Placeholder, line: int, near: str, together: Together) -> Hit:
    rule, fired = together.case.rule, together.labels
    return Hit(
        line,
        f"{placeholder.text} cannot be filled in: {rule.name} has no label {placeholder.name}",
        f"did you mean {near}?" if near else "take a label that the alert has",
        expected="one of the labels that it fired with" if fired else "one of the alert's labels",
        seen="labels: " + ", ".join(sorted(fired or _named(rule))),
    )


def _steps(together: Together) -> Iterator[tuple[str, int]]:
    """Code that somebody may run, with the line of its beginning."""
    for block in together.runbook.blocks:
        if block.line in together.section and block.language not in _NO_STEP:
            yield block.content, block.first_line
    for code in together.runbook.code:
        if code.line in together.section:
            yield code.text, code.line


def _named(rule: Rule) -> dict[str, str]:
    """The labels that an alert's rule names; it may have more."""
    names = ["alertname", *rule.labels, *(m.label for one in selectors(rule.expr) for m in one.matchers)]
    with contextlib.suppress(PromqlError):
        names += matched_labels([parse(rule.expr)])
    return dict.fromkeys(names, "")
