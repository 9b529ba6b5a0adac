"""One observation for all workers of a run (pytest-xdist): the first one makes it, the others read it.

The kernel drops a worker's lock with the worker, whatever kills it; then the next one makes the observation.
"""

from __future__ import annotations

import fcntl
import io
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Series

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Share:
    """A folder that all processes of a run know, and the rules that all of them collected in the same order."""

    folder: Path
    rules: Sequence[Rule]

    def get(self, make: Callable[[], T], name: str = "observations") -> T:
        """What the first caller of all processes made; ``name`` tells one thing from another."""
        with (self.folder / f"making-{name}").open("w") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            found = self.read(name)
            if found is not None:
                return cast(T, found[0])
            made = make()
            self._write(made, name)
            return made

    def read(self, name: str = "observations") -> tuple[Any] | None:
        """What was made, in a tuple; None when nothing was."""
        try:
            text = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return (_Unpickler(io.BytesIO(text), self.rules).load(),)

    def first(self, name: str) -> bool:
        """Whether no other process asked the same before."""
        try:
            (self.folder / f"first-{name}").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def asked(self, name: str) -> bool:
        """Whether some process has asked whether it is the first."""
        return (self.folder / f"first-{name}").exists()

    def _write(self, made: object, name: str) -> None:
        buffer = io.BytesIO()
        _Pickler(buffer, {rule: number for number, rule in enumerate(self.rules)}).dump(made)
        draft = self.folder / f"{name}-{os.getpid()}"
        draft.write_bytes(buffer.getvalue())
        draft.rename(self.folder / name)


class _Pickler(pickle.Pickler):
    """Rules are told apart by identity: their place stands for them."""

    def __init__(self, file: io.BytesIO, places: Mapping[Rule, int]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.places = places

    def persistent_id(self, obj: Any) -> int | None:
        return self.places.get(obj) if isinstance(obj, Rule) else None

    def reducer_override(self, obj: Any) -> Any:
        # No check looks at samples, and they are most of the bytes.
        return (Series, (obj.labels, obj.samples[-1:])) if isinstance(obj, Series) else NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, rules: Sequence[Rule]) -> None:
        super().__init__(file)
        self.rules = rules

    def persistent_load(self, pid: Any) -> Rule:
        return self.rules[cast(int, pid)]
