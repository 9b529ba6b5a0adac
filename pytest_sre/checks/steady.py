"""Does the alert keep its state and its identity while its value moves?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from pytest_sre.checks import timed
from pytest_sre.checks.case import Case, Verdict
from pytest_sre.model.finding import Finding
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.ast import Aggregate, walk
from pytest_sre.promql.parse import parse
from pytest_sre.report.figures import span

NAME = "steady"
NEEDS = "time"
MOST = 15
"""Alerts an hour, one every four minutes; what a window of five minutes smooths has fewer."""
_HOUR = 3600.0


def judge(case: Case) -> Verdict:
    """Pass when it neither comes and goes with a value that hovers, nor becomes another alert with each value."""
    unasked = timed.unasked(case, NAME)
    if unasked is not None:
        return unasked
    assert case.timed is not None
    moves = case.timed.moves
    return (
        *timed.failed(case, NAME, moves),
        *(_renamed(case, one) for one in moves if len(one.faces) > 1),
        *(_flaps(case, one) for one in moves if one.kind == "hover" and _an_hour(one) >= MOST),
    )


def _an_hour(one: Passage) -> float:
    return one.firings / max(1.0, (one.end - one.start) / _HOUR)


def _flaps(case: Case, one: Passage) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} comes and goes while its value hovers around the threshold",
        expected=f"fewer than {MOST} alerts an hour",
        seen=f"{one.firings} alerts within {span(one.end - one.start)}; the value was above the threshold for 1 to 3 minutes, "
        "then just below it, and so on",
        next_step="give it `for: 5m`, or compare what changes less, such as an average or a rate over 5m; where it must fire "
        "at once, `keep_firing_for: 5m` holds it",
        severity="warning",
    )


def _renamed(case: Case, one: Passage) -> Finding:
    rule = case.rule
    faces = [dict(face) for face in one.faces]
    names = sorted({name for face in faces for name in face if len({other.get(name) for other in faces}) > 1})
    ours = [name for name in names if name in rule.labels]
    ranked = not ours and _ranks(rule.expr)
    never = bool(rule.hold) and not one.firings
    return Finding(
        NAME,
        rule.location if ours else case.rule.expression,
        f"{rule.name} becomes another alert whenever {'the order of values' if ranked else 'its value'} changes"
        + (", so it never fires" if never else ""),
        expected="the same labels as long as the same thing is wrong",
        seen=f"{_values(faces, names[0])}; {_outcome(case, one, never)}",
        next_step=_mended(ours, names, ranked),
        severity="warning" if ranked else "error",
    )


def _ranks(text: str) -> bool:
    """Whether an expression gives the first of several series."""
    return any(isinstance(node, Aggregate) and node.op in ("topk", "bottomk") for node in walk(parse(text)))


def _values(faces: Sequence[Mapping[str, str]], name: str) -> str:
    """What a label was, one after the other."""
    values = (f'{name}="{value}"' for value in dict.fromkeys(face.get(name, "") for face in faces))
    return ", then ".join(islice(values, 3))


def _outcome(case: Case, one: Passage, never: bool) -> str:
    if never:
        return (
            f"none was pending for longer than {span(one.lasted)} of the {span(case.rule.hold)} of its `for`"
        )
    return (
        "each is another alert, with a notification of its own, while the one before is told to be resolved"
    )


def _mended(ours: Sequence[str], names: Sequence[str], ranked: bool) -> str:
    if ours:
        return f"write {_listed(ours)} as an annotation, which may change with the value"
    if ranked:
        return "leave the choice out: an alert for each series that is beyond the threshold; grouping is what keeps them together"
    return f"aggregate the expression such that {_listed(names)} is gone"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"the label {name}" for name in names)
