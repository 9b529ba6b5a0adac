"""What is known of real metrics beyond what an expression says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Facts(Protocol):
    """Facts about metrics, from snapshots or metadata; all of them may be missing. Equal ones say the same."""

    def type(self, name: str) -> str:
        """The type of the metric that a sample name belongs to (counter, gauge, histogram, …); "" if not known."""

    def bounds(self, name: str) -> tuple[float, ...]:
        """The ``le`` values of the histogram whose buckets are named so, rising; empty if not known.

        All of them: a value that is left out makes verdicts wrong.
        """


_NONE: Mapping[str, str] = {}


class KnownTypes:
    """Facts where only types are known."""

    def __init__(self, types: Mapping[str, str] | None = None) -> None:
        """``types`` maps sample names to metric types."""
        self._types = _NONE if types is None else types

    def __eq__(self, other: object) -> bool:
        """Whether both are about the same mapping."""
        return isinstance(other, KnownTypes) and self._types is other._types

    __hash__ = None  # type: ignore[assignment]

    def type(self, name: str) -> str:
        """The type of a metric; "" if not known."""
        return self._types.get(name, "")

    def bounds(self, name: str) -> tuple[float, ...]:
        """Not known."""
        return ()


NO_FACTS = KnownTypes()
