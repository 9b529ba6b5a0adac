"""The time machine's part of a run: every alert through its scenarios on virtual time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_sre.model.export import Export
from pytest_sre.model.observation import TimedObservation
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Impossible, NotSynthesised
from pytest_sre.model.slo import PolicyEntry, Slo
from pytest_sre.model.timeline import Passage
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.promtool.document import Context
from pytest_sre.promtool.export import Exporter, export
from pytest_sre.settings import Settings
from pytest_sre.sources import duration
from pytest_sre.sources.discover import Inventory
from pytest_sre.stack import prometheus
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.prometheus import takes_any_order, with_histograms
from pytest_sre.synthesis.contrast import Contrast, contrast
from pytest_sre.synthesis.exposed import Exposed
from pytest_sre.synthesis.real import World
from pytest_sre.timemachine.ask import Machine, ask
from pytest_sre.timemachine.engine import open_engine
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.motion import motions
from pytest_sre.timemachine.question import Asker, Question
from pytest_sre.timemachine.schedule import Schedule

NO_ROOM = "the past since 1971 is not long enough for all scenarios; test fewer alerts at once"
NOT_NEAR = "Prometheus fires on the data that were made to lie just below the threshold"
MISTAKEN = (
    "native histograms are searched as classic ones, and Prometheus sees something else in what was found"
)
NO_EXPORT = "its series are native histograms, which are not exported"
Found = Contrast | NotSynthesised | Impossible
"""How an alert's series behave, or why that is not known."""
BY_HAND = "its series are given by hand: they say what fires it, not what is healthy"


@dataclass(frozen=True, slots=True, eq=False)
class TimeJob:
    """What is asked: these alerts, where ``plots`` are wanted the data for them, and their scenarios for ``export``.

    ``export`` is the folder that promtool's unit tests are going to lie in. ``unproven`` are the alerts for which no
    series were found: they are not searched once more.
    """

    settings: Settings
    inventory: Inventory
    index: RuleIndex
    alerts: tuple[Rule, ...]
    slos: tuple[Slo, ...]
    policy: tuple[PolicyEntry, ...]
    plots: bool
    tell: Callable[[str], None]
    export: Path | None = None
    unproven: Mapping[Rule, NotSynthesised | Impossible] = field(default_factory=dict)


def observe(job: TimeJob, stack: Stack, folder: Path) -> tuple[dict[Rule, TimedObservation], Export | None]:
    """What each alert did, and the export that was asked for. Raises StackError."""
    server = job.settings.file.servers.prometheus
    lookback = duration.seconds(server.lookback_delta)
    globals_ = job.inventory.prometheus.globals
    _check_interval(job, stack, folder)
    schedule = Schedule(job.inventory.rule_files, globals_, job.index)
    in_order = not takes_any_order(stack.versions)
    asker = Asker(schedule, lookback, float(int(time.time())), in_order)
    found = dict(_contrasts(job, asker))
    world = World(job.inventory.snapshots, asker.now)
    asked = [question for rule, one in found.items() for question in _questions(job, asker, rule, one, world)]
    asked += [
        question
        for rule, one in found.items()
        if isinstance(one, Contrast)
        for question in motions(asker, rule, one)
    ]
    passages = _asked(job, stack, folder, schedule, asked)
    seen: dict[Rule, list[Passage | None]] = {rule: [] for rule in found}
    real: dict[Rule, list[Passage]] = {rule: [] for rule in found}
    for question, passage in zip(asked, passages, strict=True):
        if question.kind != "snapshot":
            seen[question.rule].append(passage)
        elif passage is not None:
            real[question.rule].append(passage)
    timed = {
        rule: replace(_observed(rule, found[rule], some), snapshots=tuple(real[rule]))
        for rule, some in seen.items()
    }
    return timed, _exported(job, schedule, stack, folder, asked, timed) if job.export else None


def _asked(
    job: TimeJob, stack: Stack, folder: Path, schedule: Schedule, asked: Sequence[Question]
) -> list[Passage | None]:
    """What each alert did. Native histograms get an engine of their own: it takes samples in another way."""
    server, globals_ = job.settings.file.servers.prometheus, job.inventory.prometheus.globals
    lookback = duration.seconds(server.lookback_delta)
    labels = AlertLabels(stack, globals_.get("external_labels") or {}, server.external_url or "")
    found: list[Passage | None] = [None] * len(asked)
    for native in (False, True):
        mine = [i for i, one in enumerate(asked) if (one.contrast.native is not None) is native]
        if native and not mine:
            break
        settings = with_histograms(server) if native else server
        place = folder.with_name(f"{folder.name}-native") if native else folder
        with open_engine(stack, settings, place, place.name, globals_, any_time=native) as engine:
            machine = Machine(engine, schedule, labels, lookback, job.plots)
            passages = ask(
                machine,
                [asked[i] for i in mine],
                lambda done, of: job.tell(f"virtual time: {done} of {of} scenarios"),
            )
        for i, passage in zip(mine, passages, strict=True):
            found[i] = passage
    return found


def _check_interval(job: TimeJob, stack: Stack, folder: Path) -> None:
    """Let promtool judge what the engine takes over, so that a mistake is told with the user's own file."""
    config = job.inventory.prometheus
    if "evaluation_interval" in config.globals:
        beside = folder.with_name(f"{folder.name}-config")
        beside.mkdir()
        path, _ = prometheus.write_config(config, stack.sink.address, "config", beside)
        prometheus.check_config(stack, config, path)


def _exported(
    job: TimeJob,
    schedule: Schedule,
    stack: Stack,
    folder: Path,
    asked: Sequence[Question],
    timed: Mapping[Rule, TimedObservation],
) -> Export:
    assert job.export
    external = job.inventory.prometheus.globals.get("external_labels") or {}
    url = job.settings.file.servers.prometheus.external_url or ""
    context = Context({name: str(value) for name, value in external.items()}, url)
    exporter = Exporter(
        stack, job.inventory, schedule, context, job.export, folder.with_name("promtool"), job.tell
    )
    missing = {rule: one.reason for rule, one in timed.items() if one.reason and not one.passages}
    missing |= {one.rule: NO_EXPORT for one in asked if one.contrast.native}
    plain = [one for one in asked if one.kind != "snapshot" and not one.turns and one.rule not in missing]
    return export(exporter, plain, missing)


def _contrasts(job: TimeJob, asker: Asker) -> Iterator[tuple[Rule, Found]]:
    real = Exposed(job.inventory.snapshots)
    for number, rule in enumerate(job.alerts, 1):
        job.tell(f"virtual time: making data for alert {number} of {len(job.alerts)}")
        yield rule, _contrast(job, rule, str(number), asker, real)


def _contrast(job: TimeJob, rule: Rule, serial: str, asker: Asker, real: Exposed) -> Found:
    by_hand = {entry.alert for entry in job.settings.file.series}
    if by_hand & {rule.name, f"{rule.location.path}::{rule.name}"}:
        return NotSynthesised(rule, BY_HAND)
    if rule in job.unproven:
        return job.unproven[rule]
    return contrast(
        rule,
        job.index,
        types=job.inventory.snapshots.types,
        now=asker.now,
        lookback=asker.lookback,
        serial=serial,
        error_share=job.settings.file.healthy_error_share,
        real=real,
    )


def _mistaken(passage: Passage) -> bool:
    """Whether what was searched on classic histograms is not so on native ones: no verdict may rest on it."""
    if passage.slo or passage.error or passage.kind != "burn":
        return False
    return passage.early is not None or passage.fired is None


def _questions(job: TimeJob, asker: Asker, rule: Rule, found: Found, world: World) -> Iterator[Question]:
    if isinstance(found, Contrast):
        yield from asker.plain(rule, found)
        for slo in job.slos:
            yield from asker.about_slo(rule, found, slo, job.policy)
    yield from asker.about_snapshots(rule, world)


def _observed(rule: Rule, found: Found, passages: Sequence[Passage | None]) -> TimedObservation:
    if not isinstance(found, Contrast):
        part = f": {found.part}" if found.part and found.part != rule.expr else ""
        return TimedObservation(rule, reason=found.reason + part, never=isinstance(found, Impossible))
    kept = [passage for passage in passages if passage is not None]
    if len(kept) < len(passages):
        return TimedObservation(rule, reason=NO_ROOM)  # the others would prove less than they seem to
    if found.native and any(map(_mistaken, kept)):
        return TimedObservation(rule, reason=MISTAKEN)
    moves = tuple(one for one in kept if one.kind in ("hover", "moving"))
    missed = [one for one in kept if one.kind == "near" and not one.slo and one.early is not None]
    # Prometheus is right: what our search took for the threshold lies above it. No verdict rests on that.
    near_reason = NOT_NEAR if missed else found.near_reason
    others = tuple(one for one in kept if one not in (*missed, *moves))
    return TimedObservation(rule, others, near_reason=near_reason, moves=moves)
