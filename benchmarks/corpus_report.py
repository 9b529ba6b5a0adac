"""The table of corpus.py, and its lists of what is not as it should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus_tally import CAUSES, OTHER, Expression, Tally

COLUMNS = (
    "corpus", "alerts", "expressions", "shapes", "fire", "quiet", "both", "impossible", "not synthesised",
    "always fire", "other", "share", "wall s", "CPU s", "ms per alert", "peak MiB",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run cost: wall and CPU time in seconds, memory in bytes of pytest and its servers."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.wall + other.wall, self.cpu + other.cpu, max(self.memory, other.memory))


def header() -> str:
    """The table's first lines."""
    return f"| {' | '.join(COLUMNS)} |\n|---|{'---:|' * (len(COLUMNS) - 1)}"


def row(found: Tally, spent: Spent) -> str:
    """A line of the table: numbers of distinct expressions, and what the run cost."""
    cells = (
        found.name,
        found.alerts,
        len(found.expressions),
        found.shapes,
        found.passed("fires"),
        found.passed("quiet"),
        *(found.count(cause) for cause in CAUSES),
        f"{100 * found.share:.1f} %",
        f"{spent.wall:.0f}",
        f"{spent.cpu:.0f}",
        f"{1000 * spent.wall / max(1, found.alerts):.0f}",
        f"{spent.memory / 2**20:.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def listed(found: Tally, causes: Sequence[str]) -> Iterator[str]:
    """The expressions that fall under these causes, with where they first stand and why."""
    for cause in causes:
        title = "something else" if cause == OTHER else cause
        yield from _group(title, [one for one in found.expressions if one.cause == cause])


def without_texts(found: Tally) -> Iterator[str]:
    """The expressions that fire, but a label or annotation of whose alert does not render."""
    yield from _group("a text does not render", found.without_texts)


def _group(title: str, some: Sequence[Expression]) -> Iterator[str]:
    if some:
        yield f"\n## {title}: {len(some)}\n"
    for reason, count in Counter(_reason(one) for one in some).most_common():
        yield f"{count} x {reason}"
        yield from (_expression(one) for one in some if _reason(one) == reason)


def _reason(one: Expression) -> str:
    return f"[{one.worst.check}] {' '.join(one.worst.reason.split())}".replace(one.worst.alert, "ALERT")


def _expression(one: Expression) -> str:
    worst, places = one.worst, len({(item.corpus, item.file, item.line) for item in one.items})
    part = " ".join(worst.part.split())
    folder = "" if worst.corpus == "all" else f"{worst.corpus}/"
    lines = [f"  {folder}{worst.file}:{worst.line} {worst.alert}" + f" (of {places})" * (places > 1)]
    lines += [f"    {one.text}"]
    lines += [f"    in {part}"] if part and part != one.text else []
    return "\n".join(lines)
