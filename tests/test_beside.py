"""What runs beside the live stack ends with it, and with each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_sre.errors import StackError
from pytest_sre.live import beside as module
from pytest_sre.live.job import Found, Job

Part = Callable[[], None]
Tell = Callable[[str], None]
SAFETY = 20.0
"""Seconds after which a part ends whatever happens."""


class Parts:
    """Two parts: one goes on until it is told to end, the other does what it is made to do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, other: Part) -> None:
        self.other = other
        self.ended = threading.Event()
        monkeypatch.setattr(module, "_parts", self._parts)
        job = cast(Job, type("Told", (), {"tell": staticmethod(lambda text: None)}))
        unused = cast(Any, None)
        self.open = module.beside(job, Found(), unused, unused, Path())

    def _parts(self, *others: object) -> Iterator[Part]:
        tell = cast(Tell, others[-1])
        yield lambda: self._go_on(tell)
        yield self.other

    def _go_on(self, tell: Tell) -> None:
        pause = threading.Event()
        for _ in range(int(SAFETY / 0.02)):
            try:
                tell("going on")
            except StackError:
                self.ended.set()
                raise
            pause.wait(0.02)


def broken() -> None:
    raise StackError("the engine is gone")


def test_a_part_that_breaks_ends_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch, broken)
    with pytest.raises(StackError, match="the engine is gone"), parts.open:
        pass
    assert parts.ended.is_set()


def test_what_breaks_in_the_block_ends_both(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = Parts(monkeypatch, lambda: None)
    with pytest.raises(StackError, match="the live stack is gone"), parts.open:
        raise StackError("the live stack is gone")
    assert parts.ended.is_set()
