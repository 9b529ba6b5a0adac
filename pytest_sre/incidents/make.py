"""Jobs for incidents, and what the observations say of each alert."""

from __future__ import annotations

from collections.abc import Callable

from pytest_sre.checks.case import index_of
from pytest_sre.checks.policy import Detection, detections, kind_of_alert
from pytest_sre.errors import UserError
from pytest_sre.incidents.incident import Told, unknown
from pytest_sre.live.job import Job
from pytest_sre.model.incident import Incident
from pytest_sre.model.observation import AlertObservation, Observations
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Impossible, NotSynthesised
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.settings import Settings, Severities
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.incidents import rules_of


def quiet_tell(text: str) -> None:
    """A test's own run tells no progress: pytest is in the middle of a line."""


def entry_at(slo: Slo, error_ratio: float) -> PolicyEntry:
    """The entry of a policy whose burn has this error ratio (0 to 1)."""
    return PolicyEntry(slo.gone_after(error_ratio), "page", 1.0)


def watching(slo: Slo, inventory: Inventory) -> tuple[Rule, ...]:
    """The alerts that read an SLO's series, themselves or through recording rules."""
    index = index_of(inventory)
    names = {slo.part.name, slo.total.name}
    return tuple(rule for rule in inventory.rules if rule.kind == "alert" and names & index.raw_names(rule))


def burn_job(settings: Settings, inventory: Inventory, slo: Slo, error_ratio: float) -> Job:
    """All alerts about an SLO, delivered for real, and on virtual time at an error ratio."""
    rules = watching(slo, inventory)
    entry = entry_at(slo, error_ratio)
    return Job(
        settings, inventory, rules, bool(rules), True, quiet_tell, rules, (slo,), (entry,)
    )  # fmt: skip


def fire_job(settings: Settings, inventory: Inventory, rules: tuple[Rule, ...]) -> Job:
    """Some alerts, delivered for real."""
    return Job(settings, inventory, rules, True, True, quiet_tell)


def together_job(settings: Settings, inventory: Inventory, incident: Incident) -> Job:
    """Alerts that fire together, those of the rule files on data made for them; raises UserError for one there is not."""
    __tracebackhide__ = True
    found: dict[Rule, None] = {}
    for one in incident.alerts:
        rules = rules_of(one.alert, inventory.rules)
        if one.alert and not rules:
            raise UserError(unknown("alert", one.alert, names(inventory)))
        found.update(dict.fromkeys(rules))
    alerts = tuple(found)
    return Job(
        settings,
        inventory,
        alerts,
        bool(alerts),
        True,
        quiet_tell,
        incidents=(incident,),
        together=frozenset(alerts),
    )


def burnt(
    job: Job, seen: Observations, decoded: Callable[[AlertObservation], AlertObservation]
) -> tuple[Told, ...]:
    """What each alert did at the job's error ratio; an alert that does not read the SLO's own series did nothing."""
    severities = job.settings.file.severities
    found: dict[Rule, Detection] = {}
    for slo, entry in zip(job.slos, job.policy, strict=True):
        found |= {one.rule: one for one in detections(slo, entry, seen, severities)}
    return tuple(
        _told(rule, seen, severities, decoded, found.get(rule), True)
        for rule in job.alerts
        if rule in found or _unknown(rule, seen)
    )


def _unknown(rule: Rule, seen: Observations) -> bool:
    """Whether an alert may well be about the SLO, and was not put through virtual time."""
    return rule not in seen.timed or bool(seen.timed[rule].reason)


def lit(
    job: Job, seen: Observations, decoded: Callable[[AlertObservation], AlertObservation]
) -> tuple[Told, ...]:
    """What became of alerts that were fired without a burn."""
    severities = job.settings.file.severities
    return tuple(_told(rule, seen, severities, decoded, None, False) for rule in job.alerts)


def _told(
    rule: Rule,
    seen: Observations,
    severities: Severities,
    decoded: Callable[[AlertObservation], AlertObservation],
    found: Detection | None,
    burning: bool,
) -> Told:
    alert = decoded(seen.alerts[rule]) if rule in seen.alerts else None
    sent = alert.notifications if alert else ()
    kind = kind_of_alert(rule, severities, {one.integration.kind for one in sent} or None)
    live = alert is not None and alert.state == "firing"
    fired = found is not None and found.after is not None if burning else live
    return Told(
        rule.name,
        str(rule.location),
        kind,
        fired,
        found.after if found else None,
        alert.fired if alert else (),
        sent,
        _why(rule, seen, alert, found, burning),
    )


def _why(
    rule: Rule, seen: Observations, alert: AlertObservation | None, found: Detection | None, burning: bool
) -> str:
    """Why an alert did not fire, or why nothing is known of its notifications; empty where all is known."""
    broken = seen.files.get(rule.location.path)
    if broken is not None and broken.error:
        return f"its file does not load: {broken.error}"
    if burning and found is None:
        return f"was not put through virtual time: {seen.timed[rule].reason}"
    if found is not None and found.after is None:
        return "fires before the burn already" if found.early else "does not fire at this error ratio"
    if alert is None or alert.state == "firing":
        return ", ".join(alert.send_errors) if alert and not alert.notifications else ""
    if isinstance(alert.plan, (NotSynthesised, Impossible)):
        return f"no data could be made that fire it, so nothing was sent: {alert.plan.reason}"
    return f"it was not sent, as Prometheus has it {alert.state} on the data made for it"


def names(inventory: Inventory) -> tuple[str, ...]:
    """The names of all alerts."""
    return tuple(rule.name for rule in inventory.rules if rule.kind == "alert")
