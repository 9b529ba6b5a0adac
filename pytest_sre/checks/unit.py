"""Does a unit test of promtool's get what it expects?"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_sre.checks.case import Skipped, Verdict
from pytest_sre.checks.unit_pairs import Both, differences, label_set, unmatched
from pytest_sre.model.finding import Finding
from pytest_sre.model.near import nearest
from pytest_sre.model.samples import Histogram, ShownHistogram
from pytest_sre.model.unittest import (
    AlertCase,
    Case,
    ExprCase,
    SeenAlert,
    SeenSample,
    UnitFile,
    UnitGroup,
    UnitObservation,
)
from pytest_sre.promql.printer import number
from pytest_sre.sources import duration, histograms

NAME = "unit"
_LISTED = 10
_ALERT = "alertname"


def judge(
    file: UnitFile, group: UnitGroup, case: Case, seen: UnitObservation | None, *, partial: bool
) -> Verdict:
    """Pass when what is expected was seen; what promtool would let pass is a warning."""
    if seen is None:
        return Skipped("nothing was run")
    if seen.unsupported:
        return Skipped(seen.unsupported)
    if seen.unloaded:
        return (_unloaded(case, seen.unloaded),)
    if seen.error and (not isinstance(case, AlertCase) or file.tick(case.eval_time) >= seen.error_at):
        return failed(case, seen.error)
    if isinstance(case, AlertCase):
        active = [one for one in seen.alerts[case.eval_time] if one.labels.get("alertname") == case.alertname]
        return (
            *judge_alerts(case, active, seen.known, partial=partial),
            *_warnings(group, case, seen),
        )
    result = seen.results[group.exprs.index(case)]
    if isinstance(result, str):
        return failed(case, result)
    return judge_samples(case, result, fuzzy=file.fuzzy_compare, partial=partial)


def _warnings(group: UnitGroup, case: AlertCase, seen: UnitObservation) -> Iterator[Finding]:
    """The test's warnings that belong to this case."""
    firing = {at: [one for one in some if one.state == "firing"] for at, some in seen.alerts.items()}
    for one in passed_over(group, firing, seen.known):
        if one.location == case.location:
            yield one


def _unloaded(case: Case, error: str) -> Finding:
    return replace(
        failed(case, error)[0],
        expected="rule files that Prometheus loads",
        next_step="mend the rule file; promtool runs no test of a file whose rules do not load",
    )


def judge_alerts(
    case: AlertCase, seen: Sequence[SeenAlert], known: Collection[str], *, partial: bool = False
) -> tuple[Finding, ...]:
    """Pass when the alerts of that name that fire are those expected, by labels and annotations.

    ``seen`` are all active alerts of that name, ``known`` all alert names of the rule files. With ``partial``,
    labels and annotations that are not expected don't matter, but each alert must still be expected.
    """
    expected = sorted(case.expected, key=lambda one: label_set(one.labels))
    firing = sorted((one for one in seen if one.state == "firing"), key=lambda one: label_set(one.labels))

    def lines(one: int, other: int) -> list[str]:
        wanted, got = expected[one], firing[other]
        return [
            *differences("label", wanted.labels, got.labels, partial),
            *differences("annotation", wanted.annotations, got.annotations, partial),
        ]

    apart = unmatched(len(expected), len(firing), lambda one, other: len(lines(one, other)))
    if not apart:
        return ()
    wanted = [label_set(one.labels, _ALERT) for one in expected]
    got = [label_set(one.labels, _ALERT) for one in firing]
    places = [f"{text} (line {one.location.line})" for text, one in zip(wanted, expected, strict=True)]
    waiting = [label_set(one.labels, _ALERT) for one in seen if one.state != "firing"]
    details = [*_details(apart, places, got, lines), *(f"pending     {one}" for one in waiting[:_LISTED])]
    next_step = _unknown(case, known) or "mend the rule, or expect what is seen"
    return (_finding(case, case.alertname, apart, wanted, got, details, next_step),)


def judge_samples(
    case: ExprCase, seen: Sequence[SeenSample], *, fuzzy: bool = False, partial: bool = False
) -> tuple[Finding, ...]:
    """Pass when the expression's result has the expected samples and no others; NaN never equals NaN, as there.

    ``fuzzy`` lets the last bit differ; with ``partial``, labels that are not expected don't matter. Counter-reset
    hints of histograms are not compared: Prometheus' API does not show them.
    """

    expected = sorted(case.expected, key=lambda one: label_set(dict(one.labels)))
    seen = sorted(seen, key=lambda one: label_set(one.labels))

    def lines(one: int, other: int) -> list[str]:
        wanted, got = expected[one], seen[other]
        found = list(differences("label", dict(wanted.labels), got.labels, partial))
        if not same_value(wanted.value, got.value, fuzzy):
            found.append(f"value: expected {_value(wanted.value)}, seen {_value(got.value)}")
        return found

    apart = unmatched(len(expected), len(seen), lambda one, other: len(lines(one, other)))
    if not apart:
        return ()
    wanted = [f"{label_set(dict(one.labels))} {_value(one.value)}" for one in expected]
    got = [f"{label_set(one.labels)} {_value(one.value)}" for one in seen]
    nan = any(one.value != one.value for one in case.expected)
    next_step = (
        "NaN equals nothing, not even NaN: test `expression != expression` instead"
        if nan
        else "mend the rule or the expression, or expect what is seen"
    )
    return (
        _finding(case, case.expr.strip(), apart, wanted, got, _details(apart, wanted, got, lines), next_step),
    )


def failed(case: Case, error: str) -> tuple[Finding, ...]:
    """The finding when the engine could not evaluate the rules or the expression."""
    what = case.alertname if isinstance(case, AlertCase) else case.expr.strip()
    return (
        Finding(
            NAME,
            case.location,
            f"{what} at {duration.text(case.eval_time)}: it cannot be evaluated",
            expected="an evaluation without error",
            seen=error,
            next_step="mend the expression; the error is Prometheus' own",
        ),
    )


def _finding(
    case: Case,
    what: str,
    apart: Sequence[Both],
    wanted: Sequence[str],
    got: Sequence[str],
    details: Iterable[str],
    next_step: str,
) -> Finding:
    kind = "firing alert" if isinstance(case, AlertCase) else "sample"
    return Finding(
        NAME,
        case.location,
        f"{what} at {duration.text(case.eval_time)}: {_counted(apart)}",
        expected=_listed(wanted, kind),
        seen=_listed(got, kind),
        details=tuple(details),
        next_step=next_step,
    )


def _counted(apart: Sequence[Both]) -> str:
    different = sum(None not in both for both in apart)
    missing = sum(both.seen is None for both in apart)
    counts = {"different": different, "missing": missing, "unexpected": len(apart) - different - missing}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _listed(texts: Sequence[str], kind: str) -> str:
    more = [f"… and {len(texts) - _LISTED} more"] if len(texts) > _LISTED else []
    return "\n".join([*texts[:_LISTED], *more]) or f"no {kind}"


def _details(
    apart: Sequence[Both], wanted: Sequence[str], got: Sequence[str], lines: Callable[[int, int], list[str]]
) -> Iterator[str]:
    for expected, seen in apart[:_LISTED]:
        if expected is None:
            assert seen is not None
            yield f"unexpected  {got[seen]}"
        elif seen is None:
            yield f"missing     {wanted[expected]}"
        else:
            yield f"different   {wanted[expected]}"
            yield from ("            " + line for line in lines(expected, seen))


def same_value(expected: float | Histogram, seen: float | ShownHistogram, fuzzy: bool = False) -> bool:
    """Whether a value is the expected one; ``fuzzy`` allows the neighbouring floats, as ``fuzzy_compare`` does."""
    if isinstance(expected, Histogram):
        return isinstance(seen, ShownHistogram) and _same_histogram(histograms.shown(expected), seen)
    if isinstance(seen, ShownHistogram):
        return False
    near = (seen, math.nextafter(seen, -math.inf), math.nextafter(seen, math.inf)) if fuzzy else (seen,)
    return expected in near and expected == expected


def _same_histogram(one: ShownHistogram, other: ShownHistogram) -> bool:
    if (one.count, one.sum, len(one.buckets)) != (other.count, other.sum, len(other.buckets)):
        return False
    # Bounds are powers of roots of two: Go and Python may round them differently.
    return all(
        left[2] == right[2]
        and all(math.isclose(*ends, rel_tol=1e-9) for ends in zip(left[:2], right[:2], strict=True))
        for left, right in zip(one.buckets, other.buckets, strict=True)
    )


def _value(value: float | Histogram | ShownHistogram) -> str:
    if isinstance(value, Histogram):
        value = histograms.shown(value)
    if isinstance(value, ShownHistogram):
        buckets = ", ".join(f"({low:g}, {high:g}]: {count:g}" for low, high, count in value.buckets)
        return f"a histogram of count {value.count:g}, sum {value.sum:g}" + (
            f", {buckets}" if buckets else ""
        )
    return number(value)


def _unknown(case: AlertCase, known: Collection[str]) -> str:
    if case.alertname in known:
        return ""
    near = nearest(case.alertname, known)
    return f"no rule file has an alert {case.alertname}; " + (
        f"did you mean {near}?" if near else "mend the name"
    )


def notes(file: UnitFile) -> tuple[Finding, ...]:
    """Warnings about a file as a whole: what promtool passes over in silence."""
    return (*file.notes, *(one for group in file.groups for one in _empty(group)))


def passed_over(
    group: UnitGroup, firing: Mapping[float, Sequence[SeenAlert]], known: Collection[str]
) -> tuple[Finding, ...]:
    """Warnings: what promtool lets pass. ``firing`` has all firing alerts of all names by ``eval_time``."""
    unknown = [
        Finding(
            NAME,
            case.location,
            f"{case.alertname} is no alert of the rule files",
            next_step=told,
            severity="warning",
        )
        for case in group.alerts
        if (told := _unknown(case, known)) and not case.expected
    ]
    return (*unknown, *_unlisted(group, firing), *_empty(group))


def _unlisted(group: UnitGroup, firing: Mapping[float, Sequence[SeenAlert]]) -> Iterator[Finding]:
    """One for each alert, at the first case of the first time at which it fires unasked."""
    asked = {(case.eval_time, case.alertname) for case in group.alerts}
    unasked: dict[str, dict[float, list[str]]] = {}
    for at in sorted({at for at, _ in asked}):
        for one in firing.get(at, ()):
            name = one.labels.get(_ALERT, "")
            if (at, name) not in asked:
                unasked.setdefault(name, {}).setdefault(at, []).append(label_set(one.labels, _ALERT))
    for name, times in sorted(unasked.items()):
        first, *more = times
        when = duration.text(first) + (" and later" if more else "")
        yield Finding(
            NAME,
            next(case.location for case in group.alerts if case.eval_time == first),
            f"{name} fires at {when}, and no alert_rule_test asks about it then",
            seen=_listed(times[first], "firing alert"),
            next_step=f"add an alert_rule_test for {name} at {duration.text(first)}, with what it should do",
            severity="warning",
        )


def _empty(group: UnitGroup) -> Iterator[Finding]:
    if not group.alerts and not group.exprs:
        yield Finding(
            NAME,
            group.location,
            "this test asks nothing",
            next_step="add alert_rule_test or promql_expr_test",
            severity="warning",
        )
