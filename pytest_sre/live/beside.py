"""What runs beside the live stack, while that waits: the time machine and unit tests."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from pytest_sre.errors import StackError
from pytest_sre.live.job import Found, Job
from pytest_sre.model.observation import FileVerdict
from pytest_sre.model.scenario import Impossible, NotSynthesised
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.sources import unit_rules
from pytest_sre.stack.backend import Stack
from pytest_sre.timemachine import replay as replays
from pytest_sre.timemachine import run as timemachine
from pytest_sre.timemachine.replay import UnitJob
from pytest_sre.timemachine.run import TimeJob


@contextlib.contextmanager
def beside(job: Job, found: Found, index: RuleIndex, stack: Stack, folder: Path) -> Iterator[None]:
    """Let the time machine and unit tests run while the block does; in the end all are done. Raises StackError."""
    ending = threading.Event()

    def tell(text: str) -> None:
        if ending.is_set():
            raise StackError("the run is being ended")
        job.tell(text)

    with ThreadPoolExecutor(2, "sre-beside") as pool:
        answers = [pool.submit(part) for part in _parts(job, found, index, stack, folder, tell)]
        try:
            yield
            for answer in as_completed(answers):
                answer.result()
        except BaseException:
            ending.set()  # each ends where it next says how far it is
            raise


def _parts(
    job: Job, found: Found, index: RuleIndex, stack: Stack, folder: Path, tell: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """What there is to do; each part puts what it saw, and how long it took, into ``found``."""
    alerts = tuple(rule for rule in job.timed if not found.broken(rule))
    unproven = {
        rule: plan
        for rule, plan in ((rule, seen.plan) for rule, seen in found.alerts.items())
        if isinstance(plan, Impossible) or (isinstance(plan, NotSynthesised) and not plan.elsewhen)
    }
    asked = TimeJob(
        job.settings,
        job.inventory,
        index,
        alerts,
        job.slos,
        job.policy,
        job.plots,
        tell,
        job.export,
        unproven,
    )
    units = _unit_job(job, found, tell)

    def on_virtual_time() -> None:
        with _timed(found, "timed"):
            found.timed, found.exported = timemachine.observe(asked, stack, folder / "timemachine")

    def unit_tests() -> None:
        if units is not None:
            with _timed(found, "units"):
                found.units = replays.replay(units, stack, folder / "units")

    if alerts:
        yield on_virtual_time
    if units is not None:
        yield unit_tests


@contextlib.contextmanager
def _timed(found: Found, name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    found.seconds[name] = time.monotonic() - began


def _unit_job(job: Job, found: Found, tell: Callable[[str], None]) -> UnitJob | None:
    """What is asked of unit tests; the verdicts on their files are settled here."""
    rules = unit_rules.read([unit for unit, _ in job.units], job.inventory.root)
    for unit, _ in job.units:
        found.files[unit.path] = FileVerdict(unit.path, error=replays.broken(unit, rules, found.files))
    tests = tuple((unit, group) for unit, groups in job.units for group in groups)
    if not tests:
        return None
    return UnitJob(job.settings.file.servers.prometheus, tests, rules, dict(found.files), tell)
