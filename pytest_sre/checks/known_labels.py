"""Labels that expressions name and series do not have: in matchers, ``by``, ``on``, ``group_left``, ``label_replace``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_sre.model.finding import Finding, Location, Severity
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.promql.ast import Aggregate, Binary, Call, Expr, Matcher, String, VectorSelector, walk
from pytest_sre.promql.carried import Carried, Labels
from pytest_sre.promql.fold import is_scalar
from pytest_sre.promql.nearest import misspelt, nearest, slip
from pytest_sre.promql.printer import to_text

_NAME = "known"
_ALWAYS = frozenset({"__name__"})
_LONG = 120


def matched(snapshots: Snapshots, selector: VectorSelector, where: Location, who: str) -> Iterator[Finding]:
    """Labels by which raw series are matched, and that they have in no snapshot."""
    name = selector.name
    if snapshots.is_cut(name):
        return
    for matcher in selector.matchers:
        if matcher.label in _ALWAYS or snapshots.may_have(name, matcher.label):
            continue
        known = snapshots.labels[name] | snapshots.targets - {matcher.label}
        near = nearest(matcher.label, known) if _asks(matcher) else misspelt(matcher.label, known)
        if _asks(matcher) or near:
            yield _unmatched(matcher, name, snapshots.labels[name], near, where, who)


def slips(targets: frozenset[str], selector: VectorSelector, where: Location, who: str) -> Iterator[Finding]:
    """Labels by which series are matched of which no page tells, and that are target labels misspelt."""
    for matcher in selector.matchers:
        near = "" if matcher.label in targets else slip(matcher.label, targets)
        if near:
            yield _unmatched(matcher, selector.name or "series", targets, near, where, who)


def recorded(carried: Carried, selector: VectorSelector, where: Location, who: str) -> Iterator[Finding]:
    """Labels by which recorded series are matched, and that their rules drop."""
    for matcher in selector.matchers:
        if matcher.label not in _ALWAYS and _asks(matcher) and not carried.may(matcher.label):
            near = nearest(matcher.label, carried.names)
            yield _unmatched(matcher, selector.name, carried.names, near, where, who)


def _asks(matcher: Matcher) -> bool:
    """Whether a matcher refuses series without its label."""
    return not matcher.matches({})


def _unmatched(
    matcher: Matcher, name: str, has: frozenset[str], near: str, where: Location, who: str
) -> Finding:
    return Finding(
        _NAME,
        where,
        f"{who} matches {name} by {matcher.label}, a label that it does not have",
        expected=f"one of {', '.join(sorted(has)) or 'none'}",
        seen=f"{matcher.label}{matcher.op}{matcher.value!r}",
        next_step=f"did you mean {near}?"
        if near
        else "mend the matcher, take a new snapshot, or name a label that scraping adds in `target_labels` of sre.yaml",
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """A label that a part of an expression names although ``carried`` (what it is taken from) cannot have it."""

    label: str
    how: str
    part: Expr
    carried: Carried
    grave: bool
    """Whether the expression cannot work so; else the label is just of no use, unless it is misspelt."""


def named(labels: Labels, expr: Expr, snapshots: Snapshots, where: Location, who: str) -> Iterator[Finding]:
    """Labels that ``by``, ``on``, ``group_left`` and ``label_replace`` name, and that are not there to be named."""
    targets = snapshots.targets
    for node in walk(expr):
        for one in (*_named(labels, node), *_slipped(labels, node, targets)):
            near = nearest(one.label, targets if one.carried.open else one.carried.names)
            severity: Severity = "error" if one.grave or near else "warning"
            yield Finding(
                _NAME,
                where,
                f"{who} names {one.label} in `{one.how}`, a label that is not there",
                expected=f"one of {_shown(one, snapshots)}",
                seen=f"{one.how} over {_brief(one.part)}",
                next_step=f"did you mean {near}?"
                if near
                else "take the label out, or keep it where it is dropped",
                severity=severity,
            )


def _named(labels: Labels, node: Expr) -> Iterator[_Named]:
    if isinstance(node, Aggregate) and not node.without:
        yield from _by(labels, node)
    elif isinstance(node, Binary) and not (is_scalar(node.lhs) or is_scalar(node.rhs)):
        yield from _joined(labels, node)
    elif isinstance(node, Call) and node.name == "label_replace" and len(node.args) == 5:
        source, pattern = node.args[3], node.args[4]
        if isinstance(source, String) and isinstance(pattern, String) and source.value not in ("", *_ALWAYS):
            carried = labels.of(node.args[0])
            if not carried.may(source.value):
                grave = not Matcher("x", "=~", pattern.value).matches({})
                yield _Named(source.value, "label_replace", node.args[0], carried, grave)


def _slipped(labels: Labels, node: Expr, targets: frozenset[str]) -> Iterator[_Named]:
    """Labels that series might have for all that is known, but that are target labels misspelt."""
    if isinstance(node, Aggregate) and not node.without:
        inner = labels.of(node.expr)
        for label in node.labels if inner.open else ():
            if label not in targets and inner.may(label) and slip(label, targets):
                yield _Named(label, f"by ({', '.join(node.labels)})", node.expr, inner, True)


def _by(labels: Labels, node: Aggregate) -> Iterator[_Named]:
    inner = labels.of(node.expr)
    for label in node.labels:
        if label not in _ALWAYS and not inner.may(label):
            yield _Named(label, f"by ({', '.join(node.labels)})", node.expr, inner, False)


def _joined(labels: Labels, node: Binary) -> Iterator[_Named]:
    left, right = labels.of(node.lhs), labels.of(node.rhs)
    matching = node.matching
    for label in matching.on or ():
        lacking = [
            (side, part) for side, part in ((left, node.lhs), (right, node.rhs)) if not side.may(label)
        ]
        if lacking and label not in _ALWAYS:
            carried, part = lacking[0]
            yield _Named(label, f"on ({', '.join(matching.on or ())})", part, carried, len(lacking) == 1)
    if matching.group:
        one, part = (right, node.rhs) if matching.group == "left" else (left, node.lhs)
        for label in matching.include:
            if label not in _ALWAYS and not one.may(label):
                how = f"group_{matching.group} ({', '.join(matching.include)})"
                yield _Named(label, how, part, one, True)


def _shown(named: _Named, snapshots: Snapshots) -> str:
    """The labels that there are; of those that scraping may add only what pages show is listed."""
    carried = named.carried
    if carried.open:
        return f"the labels that are left, without {', '.join(sorted(carried.names))}"
    if not snapshots.targets <= carried.names:
        return ", ".join(sorted(carried.names)) or "none: it has no labels"
    read = [one.name for one in walk(named.part) if isinstance(one, VectorSelector)]
    shown = frozenset[str]().union(*(snapshots.labels.get(name, ()) for name in read))
    own = sorted(carried.names - (snapshots.targets - shown))
    return f"{', '.join(own)} and those that scraping adds" if own else "those that scraping adds"


def _brief(expr: Expr) -> str:
    text = to_text(expr)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
