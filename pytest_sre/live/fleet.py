"""All stacks of a run side by side: each scope on each version has its own."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from pytest_sre.errors import StackError
from pytest_sre.live.job import Job
from pytest_sre.live.run import observe
from pytest_sre.model.observation import Observations
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.folder import run_folder

Results = Mapping[str, Observations | StackError]
"""What came out of each stack, by its label."""


@dataclass(slots=True)
class _Fleet:
    """The stacks that are open; once it ends, none may open any more."""

    open: list[Stack] = field(default_factory=list)
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, stack: Stack) -> None:
        with self.lock:
            self.open.append(stack)
            ended = self.ended
        if ended:
            stack.close()

    def end(self) -> None:
        with self.lock:
            self.ended = True
            stacks = list(self.open)
        for stack in stacks:
            stack.close()


def observe_all(jobs: Mapping[str, Job], *, keep: bool, check: Callable[[], None]) -> Results:
    """Run each job on a stack of its own, as many at a time as there are processors; in the end nothing is left.

    A broken stack is its job's result. ``check`` is called twice a second. What it raises, or what interrupts the
    calling thread, ends all stacks and is raised again.
    """
    fleet = _Fleet()
    with run_folder(keep) as folder, ThreadPoolExecutor(os.cpu_count() or 1, "sre-stack") as pool:
        futures: dict[str, Future[Observations]] = {}
        with _ended_by_interrupts(fleet, pool):
            for number, (label, job) in enumerate(jobs.items()):
                mine = folder / f"stack-{number}"
                mine.mkdir()
                futures[label] = pool.submit(observe, job, mine, fleet.add)
            while wait(futures.values(), timeout=0.5).not_done:
                check()
        return {label: _result(future) for label, future in futures.items()}


@contextlib.contextmanager
def _ended_by_interrupts(fleet: _Fleet, pool: ThreadPoolExecutor) -> Iterator[None]:
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        fleet.end()
        raise


def _result(future: Future[Observations]) -> Observations | StackError:
    try:
        return future.result()
    except StackError as error:
        return error
