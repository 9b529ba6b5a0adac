"""Does the real Prometheus fire the alert?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pytest_sre.checks import fires_texts
from pytest_sre.checks.case import Case, Skipped, Verdict, index_of
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.scenario import Impossible, NotSynthesised, Scenario
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.printer import to_text
from pytest_sre.promql.resolve import ALERTS, selectors
from pytest_sre.synthesis.never import Never, misuses, unscraped

NAME = "fires"
NEEDS = "fire"


def judge(case: Case) -> Verdict:
    """Pass when at least one alert of the rule is firing; skip what no series could be made for."""
    verdict = _fired(case)
    return (
        verdict
        if isinstance(verdict, Skipped) or case.broken_file
        else (*verdict, *_unscraped(case), *_misused(case))
    )


def _fired(case: Case) -> Verdict:
    if case.broken_file:
        return (not_loaded(case, NAME),)
    if case.alert is None:
        return Skipped("nothing was run")
    plan = case.alert.plan
    if isinstance(plan, NotSynthesised):
        return _not_synthesised(case, plan)
    if isinstance(plan, Impossible):
        return (_impossible(case, plan),)
    if case.alert.error:
        return (_unevaluable(case, case.alert.error),)
    if case.alert.state == "firing":
        return (*_texts(case), *fires_texts.lost(case))
    if plan.source == "synthesised" and _fires_in_time(case):
        return Skipped(
            f"the series made for it did not fire it live (state {case.alert.state}); on virtual time it fires, see detects"
        )
    return (_silent(case, plan, case.alert.state),)


def _not_synthesised(case: Case, plan: NotSynthesised) -> Verdict:
    if plan.unlike:
        return (_unlike(case, plan),)
    if plan.elsewhen:
        return _elsewhen(case, plan)
    return Skipped(f"no series could be made: {plan.reason}" + (f": {plan.part}" if plan.part else ""))


def _impossible(case: Case, plan: Impossible) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} can never fire",
        expected="some realistic data fires the alert",
        seen=plan.reason,
        details=_in(plan.part) if plan.part else (),
        next_step=plan.next_step,
    )


def _unevaluable(case: Case, error: str) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"Prometheus cannot evaluate {case.rule.name}",
        expected="an evaluation without error",
        seen=error,
        next_step=_itself(case) or "mend the expression; the error is Prometheus' own",
    )


def _silent(case: Case, plan: Scenario, state: str) -> Finding:
    names = sorted({dict(series.labels)["__name__"] for series in plan.series})
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} did not fire",
        expected=f"firing on the series {plan.source} for it ({', '.join(names)})",
        seen=f"state {state}",
        details=("series    " + "; ".join(_brief(series.labels) for series in plan.series[:6]),),
        next_step="check labels and recording rules that the expression reads; --sre-json=FILE lists all series, "
        "`series:` in sre.yaml gives your own",
    )


def _in(part: str) -> tuple[str, ...]:
    return (f"in        {part}",)


def _fires_in_time(case: Case) -> bool:
    """Whether it fired on virtual time, with its real windows: then the live data are to blame, not the rule."""
    burns = [one for one in case.timed.passages if one.kind == "burn" and not one.slo] if case.timed else []
    return any(one.fired is not None for one in burns)


def _unlike(case: Case, plan: NotSynthesised) -> Finding:
    return Finding(
        NAME,
        case.rule.expression,
        f"{case.rule.name} does not fire on series like the real ones",
        expected=f"some data fire it, on series with the labels and buckets of {', '.join(case.inventory.snapshots.paths)}",
        seen=plan.unlike,
        details=("note      with other labels it fires", *_because(case)),
        next_step="compare what it matches, groups by and joins on with the labels of the real series; if the pages are "
        "out of date, take new ones",
    )


def _because(case: Case) -> tuple[str, ...]:
    """What scraped series lack, where that can be told from the expression."""
    found = _lacking(case)
    return (f"because   {found.reason}", *_in(found.part)) if found else ()


def _lacking(case: Case) -> Never | None:
    """Why no scraped series fire the alert, which all have ``job`` and ``instance``; None where some may."""
    with suppress(PromqlError):
        return unscraped(parse(case.rule.expr), index_of(case.inventory), case.inventory.snapshots)
    return None


def _itself(case: Case) -> str:
    """What to do where an alert reads the ALERTS that it writes itself; empty where it does not."""
    assert case.alert is not None
    own = [
        {**alert.labels, "alertname": case.rule.name, "alertstate": "firing"} for alert in case.alert.fired
    ]
    own = own or [{**case.rule.labels, "alertname": case.rule.name, "alertstate": "firing"}]
    for selector in selectors(case.rule.expr):
        if selector.name == ALERTS and any(all(m.matches(one) for m in selector.matchers) for one in own):
            return f'once it fires it reads its own ALERTS: add alertname!="{case.rule.name}" to {to_text(selector)}'
    return ""


def _elsewhen(case: Case, plan: NotSynthesised) -> Verdict:
    """Now is not the time at which an alert can fire: what it did on virtual time counts, whatever the hour."""
    passages = case.timed.passages if case.timed is not None else ()
    if any(one.kind == "burn" and one.fired is not None for one in passages):
        return ()
    why = "see detects" if passages else "only virtual time can show that (detects)"
    return Skipped(f"not fired now: {plan.reason}; {why}")


def _texts(case: Case) -> tuple[Finding, ...]:
    """Templates in labels and annotations must have rendered."""
    assert case.alert is not None
    bad = {
        f"{kind} {name}: {text}"
        for alert in case.alert.fired
        for kind, texts in (("label", alert.labels), ("annotation", alert.annotations))
        for name, text in texts.items()
        if "<error expanding template" in text
    }
    return tuple(
        Finding(
            NAME,
            case.rule.location,
            f"a template of {case.rule.name} does not render",
            expected="texts that render",
            seen=one,
            next_step="mend the template; the error is Prometheus' own",
        )
        for one in sorted(bad)
    )


def _unscraped(case: Case) -> Iterator[Finding]:
    """A warning where only series without ``job`` or ``instance`` fire the alert: scraped ones have both."""
    found = _lacking(case)
    if found is not None:
        yield Finding(
            NAME,
            case.rule.expression,
            f"{case.rule.name} never fires on scraped series",
            expected="it fires on series that have job and instance, as all scraped ones do",
            seen=found.reason,
            details=_in(found.part),
            next_step=found.next_step,
            severity="warning",
        )


def _misused(case: Case) -> Iterator[Finding]:
    """Warnings about functions that do not fit the type of their metric: they fire, but on numbers without meaning."""
    index = index_of(case.inventory)
    facts = case.inventory.snapshots
    for rule in (case.rule, *index.closure(case.rule)):
        try:
            found = misuses(parse(rule.expr), index, facts)
        except PromqlError:
            continue
        for one in found:
            yield Finding(
                NAME,
                rule.expression,
                f"{rule.name}: {one.reason}",
                seen=one.part,
                next_step=one.next_step,
                severity="warning",
            )


def not_loaded(case: Case, check: str) -> Finding:
    """The finding for an alert whose file Prometheus refuses."""
    verdict = case.broken_file
    assert verdict is not None
    return Finding(
        check,
        Location(verdict.path, verdict.line),
        "Prometheus does not load this file, so none of its alerts exists",
        seen=verdict.error,
        next_step=f"mend {verdict.path} (see {verdict.path}::loads)",
    )


def _brief(labels: tuple[tuple[str, str], ...]) -> str:
    pairs = ",".join(f'{name}="{value}"' for name, value in labels if name != "__name__")
    return f"{dict(labels)['__name__']}{{{pairs}}}"
