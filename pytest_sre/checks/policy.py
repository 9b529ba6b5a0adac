"""Is somebody told before a fast burn has taken more of the error budget than the policy allows?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_sre.checks.case import PAGING_KINDS, Skipped, Verdict, index_of
from pytest_sre.model.finding import Finding
from pytest_sre.model.observation import Observations
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import Notify, PolicyEntry, Slo, least_objective
from pytest_sre.promql.printer import duration
from pytest_sre.report.figures import percent, span, times
from pytest_sre.settings import Severities
from pytest_sre.sources.discover import Inventory

NAME = "policy"
_FAST = 14.4
"""The burn rate of the Workbook's first page: one hour of it takes 2 % of the budget of 30 days."""
_EARLY = "fires before the burn already"
_TELLS = {"page": "pages", "ticket": "raises a ticket"}


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """An alert that reads the SLO's series, and when it fired at the entry's error ratio.

    ``after`` is in seconds from the onset, None: never, as it was watched until all that it reads was burning.
    ``early``: it fired before, while all was well. ``kind`` None is neither page nor ticket.
    """

    rule: Rule
    kind: Notify | None
    after: float | None
    early: bool = False


def kind_of_alert(rule: Rule, severities: Severities, notified: Iterable[str] | None = None) -> Notify | None:
    """Whether an alert pages or raises a ticket: as its labels say, else by the integrations that it ``notified``.

    Labels count first: a page that reaches no pager is what the check `pages` finds. Integrations are kinds
    (``slack``), None where nothing was delivered.
    """
    said = severities.kind_of(rule.labels)
    if said is not None or notified is None:
        return said
    kinds = set(notified)
    # A webhook may be anything: it is no proof that somebody is woken.
    return "page" if kinds & (PAGING_KINDS - {"webhook"}) else ("ticket" if kinds else None)


def label(entry: PolicyEntry) -> str:
    """How an entry is told from the others in test ids: ``1h page``."""
    return f"{duration(entry.gone_within)} {entry.notify}"


def serves(kind: Notify | None, entry: PolicyEntry) -> bool:
    """Whether an alert of a kind is what the entry asks for. A page does for a ticket: somebody is told, and sooner."""
    return kind == "page" or kind == entry.notify


def detections(slo: Slo, entry: PolicyEntry, seen: Observations, severities: Severities) -> list[Detection]:
    """What the alerts about an SLO did at an entry's error ratio."""
    found = []
    for rule, timed in seen.timed.items():
        for one in timed.passages:
            if one.slo == slo.name and one.factor is None and one.error_ratio == entry.ratio(slo):
                notified = seen.alerts[rule].notifications if rule in seen.alerts else ()
                kinds = {notification.integration.kind for notification in notified} or None
                kind = kind_of_alert(rule, severities, kinds)
                found.append(Detection(rule, kind, one.fired, one.early is not None))
    return found


def untold(
    slo: Slo, entry: PolicyEntry, seen: Observations, inventory: Inventory, severities: Severities
) -> tuple[str, ...]:
    """What might be an alert that the entry asks for, and why nothing is known of it."""
    verdicts = {file.path: seen.files.get(file.path) for file in inventory.rule_files}
    lost = [path for path, verdict in verdicts.items() if verdict and verdict.error]
    found = [f"{path} does not load" for path in (*lost, *(file.path for file in inventory.broken))]
    # Of an alert that can never fire all is known: `fires` says so, and it is no help here.
    unknown = [one for one in seen.timed.values() if one.reason and not one.passages and not one.never]
    for one in unknown:
        meant = serves(severities.kind_of(one.rule.labels) or entry.notify, entry)
        if meant and {slo.part.name, slo.total.name} & index_of(inventory).raw_names(one.rule):
            found.append(f"{one.rule.name}: {one.reason}")
    return tuple(found)


def judge(
    slo: Slo, entry: PolicyEntry, detections: Sequence[Detection], untold: Sequence[str] = ()
) -> Verdict:
    """Pass when some alert of the kind fires before too much is spent; ``untold`` are reasons why others are not known."""
    serving = [one for one in detections if serves(one.kind, entry)]
    if any(one.after is not None and _spent(slo, entry, one.after) < entry.before_spent for one in serving):
        return ()
    if untold:
        return Skipped(f"not all alerts were put through virtual time: {'; '.join(untold)}")
    if not detections:
        return (_unwatched(slo, entry),)
    ratio = entry.ratio(slo)
    return (
        Finding(
            NAME,
            slo.location,
            f"{slo.name}: no alert {_TELLS[entry.notify]} before {percent(entry.before_spent)} of the error budget is spent",
            expected=f"a {entry.notify} within {span(entry.deadline(slo))} when {percent(ratio)} of the requests fail "
            f"({times(slo.burn_rate(ratio))} burn, budget gone in {span(slo.gone_after(ratio))})",
            seen=_nearest(slo, entry, serving or detections),
            details=tuple(_row(slo, entry, one) for one in sorted(detections, key=_rank)),
            next_step=_advice(slo, entry, detections),
        ),
    )


def _unwatched(slo: Slo, entry: PolicyEntry) -> Finding:
    return Finding(
        NAME,
        slo.location,
        f"{slo.name}: no alert reads the series of this SLO",
        expected=f"an alert that {_TELLS[entry.notify]} and reads {slo.part} and {slo.total}",
        seen="none does, neither itself nor through recording rules",
        next_step="write one, or mend the selectors: labels and values must be those that the alerts select by",
    )


def _spent(slo: Slo, entry: PolicyEntry, after: float) -> float:
    return slo.spent(entry.ratio(slo), after)


def _rank(one: Detection) -> tuple[bool, float, str]:
    """Earliest first, those that never fired last."""
    return one.after is None, one.after or 0.0, one.rule.name


def _nearest(slo: Slo, entry: PolicyEntry, detections: Sequence[Detection]) -> str:
    best = min(detections, key=_rank)
    what = "" if serves(best.kind, entry) else f", but is {_named(best.kind)}"
    if best.after is None:
        return f"{best.rule.name} {_EARLY if best.early else 'never fires at this error ratio'}{what}"
    return f"{best.rule.name} comes nearest: it fires after {_told(slo, entry, best.after)}{what}"


def _named(kind: Notify | None) -> str:
    return f"a {kind}" if kind else "neither page nor ticket"


def _told(slo: Slo, entry: PolicyEntry, after: float) -> str:
    return f"{span(after)}, with {percent(_spent(slo, entry, after))} spent"


def _row(slo: Slo, entry: PolicyEntry, one: Detection) -> str:
    never = f"{_EARLY} (see quiet)" if one.early else "never"
    result = never if one.after is None else f"after {_told(slo, entry, one.after)}"
    return f"{one.kind or '-':<10}{one.rule.location} {one.rule.name}: {result}"


def _advice(slo: Slo, entry: PolicyEntry, detections: Sequence[Detection]) -> str:
    """What would help: no `for`, another label, a threshold that can be reached, or a faster alert."""
    held = [one for one in detections if serves(one.kind, entry) and _waits(slo, entry, one)]
    if held:
        best = min(held, key=_rank)
        at_once = span((best.after or 0.0) - best.rule.hold)
        return f"without `for: {duration(best.rule.hold)}` {best.rule.name} would fire after {at_once}"
    intime = [
        one.rule.name
        for one in sorted(detections, key=_rank)
        if one.after is not None and _spent(slo, entry, one.after) < entry.before_spent
    ]
    if intime:
        soon = f"{intime[0]} is soon enough: label it"
        if len(intime) > 1:
            soon = f"{', '.join(intime[:-1])} and {intime[-1]} are soon enough: label one of them"
        return f"{soon} as a {entry.notify}, or name its severity in `severities:`"
    if slo.most_burn < _FAST and any(one.after is None for one in detections):
        return (
            f"at {slo.objective:g} % the burn rate is at most {times(slo.most_burn)}; one of {times(_FAST)} needs an "
            f"objective of at least {least_objective(_FAST):.2f} %: alert on a lower one"
        )
    burn, most = slo.burn_rate(entry.ratio(slo)), entry.before_spent * slo.window
    return (
        f"add an alert whose burn rate is below {times(burn)}, and whose burn rate times long window is below "
        f"{span(most)} ({percent(entry.before_spent)} of {duration(slo.window)}); for instance "
        f"{_example(burn, most)}"
    )


def _waits(slo: Slo, entry: PolicyEntry, one: Detection) -> bool:
    """Whether it is only its `for` that makes an alert late."""
    return one.after is not None and _spent(slo, entry, one.after - one.rule.hold) < entry.before_spent


def _example(burn: float, most: float) -> str:
    """The slowest of the Workbook's recommended alerts that would do."""
    for factor, long, short in (
        (1.0, "3d", "6h"),
        (3.0, "1d", "2h"),
        (6.0, "6h", "30m"),
        (_FAST, "1h", "5m"),
    ):
        hours = {"3d": 72, "1d": 24, "6h": 6, "1h": 1}[long]
        if factor < burn and factor * hours * 3600 < most:
            return f"{times(factor)} over {long} and {short}"
    return "a shorter long window than the usual 1h"
