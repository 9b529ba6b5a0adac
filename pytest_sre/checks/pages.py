"""Does the notification reach the receivers that it should, with texts that render?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_sre.checks import fires, inhibition, pages_hours, pages_read, pages_resolved
from pytest_sre.checks.case import Case, Skipped, Verdict, calls_itself_a_page
from pytest_sre.checks.oncall import meant_for, unmet
from pytest_sre.checks.pages_texts import unrendered
from pytest_sre.checks.unloaded import unusable
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import AlertObservation, FiredAlert
from pytest_sre.model.scenario import NotSynthesised
from pytest_sre.report.chain import chain
from pytest_sre.settings import Oncall
from pytest_sre.sources.alertmanager import parse_matchers

NAME = "pages"
NEEDS = "deliver"


def judge(case: Case) -> Verdict:
    """Pass when every receiver that should get it got it, none that must not, and all texts rendered."""
    rule, alert = case.rule, case.alert
    if case.broken_file:
        return (fires.not_loaded(case, NAME),)
    if broken := _alertmanager_broken(case):
        return (broken,)
    if case.inventory.routing is None:
        return Skipped("no Alertmanager configuration was found; name it with `alertmanager:` in sre.yaml")
    if alert is None:
        return Skipped("nothing was run")
    if isinstance(alert.plan, NotSynthesised):
        return Skipped(f"it was not fired: {alert.plan.reason}")
    if alert.state != "firing":
        seen = "it does not fire"
        return (
            Finding(
                NAME, rule.location, f"{rule.name} pages nobody", seen=seen, next_step="see its item `fires`"
            ),
        )
    return (
        *_receivers(case, alert),
        *_unsent(case, alert),
        *unrendered(
            case,
            alert.notifications,
            NAME,
            "the text",
            "mend the template, or give the alert the label or annotation that it reads",
        ),
        *pages_resolved.ended(case, alert, NAME),
        *pages_read.unreadable(case, alert, NAME),
        *pages_hours.wrong(case, alert, NAME),
        *inhibition.unrelated(case, alert, NAME),
    )


def _alertmanager_broken(case: Case) -> Finding | None:
    verdict = unusable(case.inventory, case.files)
    if verdict is None:
        return None
    return Finding(
        NAME,
        Location(verdict.path, verdict.line),
        "Alertmanager does not run with this configuration, so nobody is paged",
        seen=verdict.error,
        next_step=f"mend {verdict.path} (see {verdict.path}::loads)",
    )


def _receivers(case: Case, alert: AlertObservation) -> Iterator[Finding]:
    """Each firing alert of the rule must meet the expectation for its labels."""
    told: set[tuple[str, ...]] = set()
    for fired in alert.fired:
        got = sorted(
            {n.integration for n in alert.notifications if n.integration.receiver in fired.receivers}, key=str
        )
        if fired.inhibited_by or fired.sent_labels is None:
            got = []
        expectation = _expectation(case, fired.sent_labels or fired.labels)
        if expectation is None:
            yield _unexpected(case, alert, fired)
            return
        missing, wrong = unmet(expectation, got)
        no_one = not got and not expectation.reaches and not _silent(expectation)
        key = (*missing, *wrong, str(no_one))
        if not (missing or wrong or no_one) or key in told:
            continue
        told.add(key)
        wanted = " and ".join(missing) or "some receiver with an integration"
        yield Finding(
            NAME,
            case.rule.location,
            f"{case.rule.name} reaches {'a receiver that it must not' if wrong and not missing else 'not the right receiver'}",
            expected=f"none of {', '.join(expectation.never)}" if wrong and not missing else f"{wanted}",
            seen=", ".join(map(str, got)) or "nobody was notified",
            details=chain(case.inventory.routing, alert, fired),
            next_step="follow the chain above: mend the first step that is not as you want it",
        )


def _silent(expectation: Oncall) -> bool:
    """An expectation that names only `never` may be met by notifying nobody."""
    return bool(expectation.never) and not expectation.reaches and bool(expectation.match)


def _expectation(case: Case, labels: Mapping[str, str]) -> Oncall | None:
    """The first of `oncall:` that matches; None where there are some and none does; without any, the default."""
    entries = _at_any_time(case)
    if entries:
        return next((oncall for oncall in entries if meant_for(oncall, labels)), None)
    return (
        Oncall(reaches=("<paging>",))
        if calls_itself_a_page(case.rule, case.settings.severities)
        else Oncall()
    )


def _at_any_time(case: Case) -> list[Oncall]:
    """The entries of `oncall:` that don't speak of one time."""
    return [oncall for oncall in case.settings.oncall if oncall.at is None]


def _unexpected(case: Case, alert: AlertObservation, fired: FiredAlert) -> Finding:
    labels = fired.sent_labels or fired.labels
    near = min(
        (
            [m for text in oncall.match for m in parse_matchers(text) if not m.matches(labels)]
            for oncall in _at_any_time(case)
        ),
        key=len,
    )
    return Finding(
        NAME,
        case.rule.location,
        f"no expectation in `oncall:` is meant for {case.rule.name}",
        expected=f"labels that match one of them; nearest: {', '.join(map(str, near))}",
        seen=", ".join(f'{m.label}="{labels.get(m.label, "")}"' for m in near),
        details=chain(case.inventory.routing, alert, fired),
        next_step="mend the alert's labels, or add an expectation (`match: {}` matches all)",
    )


def _unsent(case: Case, alert: AlertObservation) -> Iterator[Finding]:
    """Every integration of every receiver that the alert was routed to must have sent."""
    assert case.inventory.routing is not None
    got = {notification.integration for notification in alert.notifications}
    routed = {name for fired in alert.fired if not fired.inhibited_by for name in fired.receivers}
    for integration in case.inventory.routing.integrations:
        # An e-mail whose template fails half-way is sent all the same, cut off, and logged as failed.
        why = [error for error in alert.send_errors if error.startswith(f"{integration}:")]
        if integration.receiver in routed and (integration not in got or why):
            yield Finding(
                NAME,
                case.rule.location,
                f"Alertmanager could not send {case.rule.name} to {integration}",
                expected=f"a notification through {integration}",
                seen=why[0] if why else "it was routed there, and nothing was sent",
                next_step=f"mend the texts or templates of {integration} in {case.inventory.routing.path}"
                if why
                else f"check {integration} in {case.inventory.routing.path}",
            )
