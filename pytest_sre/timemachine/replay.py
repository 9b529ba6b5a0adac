"""promtool's unit tests of rules, run on virtual time: all tests of a run on as few engines as they need."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pytest_sre.errors import StackError
from pytest_sre.model.observation import FileVerdict
from pytest_sre.model.unittest import UnitFile, UnitGroup, UnitKey, UnitObservation
from pytest_sre.settings import PrometheusServer
from pytest_sre.sources.unit_rules import UnitRules
from pytest_sre.stack.backend import Stack
from pytest_sre.timemachine import unit_lane, unit_seen
from pytest_sre.timemachine.labels import AlertLabels
from pytest_sre.timemachine.unit_bench import Bench, bench
from pytest_sre.timemachine.unit_lanes import Lane, lanes
from pytest_sre.timemachine.unit_support import unsupported

ENGINES = 2
"""Engines at the same time; each starts in a fraction of a second."""
_VERSION = re.compile(r"version (\d+)\.(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class UnitJob:
    """What is asked: these tests of files. ``verdicts`` are promtool's on the rule files, by path as shown."""

    settings: PrometheusServer
    tests: tuple[tuple[UnitFile, UnitGroup], ...]
    rules: UnitRules
    verdicts: Mapping[str, FileVerdict]
    tell: Callable[[str], None]


def replay(job: UnitJob, stack: Stack, folder: Path) -> dict[UnitKey, UnitObservation]:
    """What was seen of each test. Raises StackError."""
    folder.mkdir()
    prometheus = version(stack)
    found: dict[UnitKey, UnitObservation] = {}
    benches: list[Bench] = []
    for unit, group in job.tests:
        if trouble := broken(unit, job.rules, job.verdicts):
            found[unit.path, group.index] = UnitObservation(unloaded=trouble)
            continue
        one = bench(unit, group, job.rules.files, prometheus)
        if trouble := unsupported(one):
            found[one.key] = UnitObservation(known=unit_seen.known(one), unsupported=trouble)
            continue
        benches.append(one)
    external = {
        placed.rule: (one.group.external_labels, one.group.external_url)
        for one in benches
        for placed in one.rules
    }
    labels = AlertLabels(stack, special=external)
    given = _run(job, stack, folder, lanes(benches), labels)
    return {**found, **unit_seen.observations(stack, labels, given)}


def _run(
    job: UnitJob, stack: Stack, folder: Path, planned: Sequence[Lane], labels: AlertLabels
) -> list[unit_lane.Given]:
    total = sum(len(lane.places) for lane in planned)
    done = 0

    def run(pair: tuple[int, Lane]) -> list[unit_lane.Given]:
        nonlocal done
        number, lane = pair
        found = unit_lane.run(stack, job.settings, folder / f"engine-{number}", lane, labels.of)
        done += len(lane.places)
        job.tell(f"unit tests: {done} of {total}")
        return found

    with ThreadPoolExecutor(ENGINES, "sre-units") as pool:
        return [one for some in pool.map(run, enumerate(planned)) for one in some]


def broken(unit: UnitFile, rules: UnitRules, verdicts: Mapping[str, FileVerdict]) -> str:
    """Why promtool would not run a file: what is wrong with its rule files."""
    return "\n".join(_broken(unit, rules, verdicts))


def _broken(unit: UnitFile, rules: UnitRules, verdicts: Mapping[str, FileVerdict]) -> Iterator[str]:
    for path in unit.rule_files:
        verdict = rules.broken.get(path) or verdicts.get(path)
        if verdict is not None and verdict.error:
            yield f"{path}:{verdict.line}: {verdict.error}"


def version(stack: Stack) -> tuple[int, int]:
    """Major and minor version of the stack's promtool, and so of its Prometheus; raises StackError."""
    done = stack.promtool(["--version"], [])
    found = _VERSION.search(done.stdout + done.stderr)
    if not found:
        raise StackError(f"promtool --version says {done.stdout + done.stderr!r}")
    return int(found[1]), int(found[2])
