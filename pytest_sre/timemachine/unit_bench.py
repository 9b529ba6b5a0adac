"""One test of a file of unit tests, made ready for the engine: its own rules, those of them that matter, what they need."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from pytest_sre.model.rules import Rule, RuleFile
from pytest_sre.model.samples import Histogram, Value
from pytest_sre.model.scenario import Labels
from pytest_sre.model.timeline import Stretch
from pytest_sre.model.unittest import UnitFile, UnitGroup, UnitKey
from pytest_sre.promql import static
from pytest_sre.promql.ast import Expr
from pytest_sre.promql.parse import PromqlError, parse
from pytest_sre.promql.reach import reads
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.timemachine.slots import WEEK
from pytest_sre.timemachine.task import Program, Task
from pytest_sre.timemachine.unit_alive import alive

LOOKBACK = 300.0
"""Seconds: promtool's, whatever the server's is."""
_QUERY = re.compile(r"\bquery\b")
_NO_RULES = RuleIndex(())


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule of a test with what its group says of it; ``group`` is equal for rules in a fixed order."""

    rule: Rule
    group: Hashable
    offset: float
    limit: int


@dataclass(frozen=True, eq=False)
class Bench:
    """A test with rules of its own (the same file's rules are other objects in each test).

    ``prometheus`` is the version, major and minor. All times in seconds from the test's start.
    """

    unit: UnitFile
    group: UnitGroup
    prometheus: tuple[int, int]
    rules: tuple[Placed, ...]
    probes: tuple[Rule, ...] = field(default=())

    @property
    def key(self) -> UnitKey:
        """What it is called in observations."""
        return self.unit.path, self.group.index

    @property
    def last(self) -> float:
        """The last evaluation: promtool loads no samples after it."""
        return self.unit.tick(self.group.until)

    @cached_property
    def alive(self) -> tuple[Placed, ...]:
        """The rules that may have a result or an error: the others find no series."""
        kept = alive([one.rule for one in self.rules], [one.labels for one in self.group.series])
        return tuple(one for one in self.rules if one.rule in kept)

    @cached_property
    def expressions(self) -> tuple[Expr | None, ...]:
        """All that is evaluated, as trees; None for what our parser does not understand."""
        texts = [*(one.rule.expr for one in self.alive), *(case.expr for case in self.group.exprs)]
        return tuple(map(_tree, texts))

    @property
    def by_the_clock(self) -> bool:
        """Whether it must be at its own time, not just anywhere in the past."""
        trees = self.expressions
        return (
            self.has_histograms
            or any(tree is None or static.by_the_clock(tree) or static.looks_ahead(tree) for tree in trees)
            or any(
                not self._aligned(self.unit.evaluation_interval if step is None else step)
                for tree in trees
                if tree is not None
                for step in static.steps(tree)
            )
        )

    def _aligned(self, step: float) -> bool:
        """Whether a subquery's steps fall the same anywhere in the past, a number of weeks later."""
        return not WEEK % step and not self.group.start % step

    @property
    def looks_ahead(self) -> bool:
        """Whether rules read what is not there yet when they are evaluated."""
        return any(
            tree is not None and static.looks_ahead(tree) for tree in self.expressions[: len(self.alive)]
        )

    @property
    def asks_in_templates(self) -> bool:
        """Whether templates of its rules have queries."""
        texts = (text for one in self.alive for text in one.rule.annotations.values())
        return any("{{" in text and _QUERY.search(text) for text in texts)

    @property
    def default_step(self) -> bool:
        """Whether the server's own evaluation interval matters: subqueries take it as their step."""
        return any(None in static.steps(tree) for tree in self.expressions if tree is not None)

    @property
    def has_histograms(self) -> bool:
        """Whether its series hold native histograms."""
        return any(isinstance(value, Histogram) for one in self.group.series for value in one.values)

    @property
    def reach(self) -> float:
        """How far before its start its expressions look."""
        far = (read.reach for tree in self.expressions if tree is not None for read in reads(tree, _NO_RULES))
        return max(far, default=0.0) + LOOKBACK + max((one.offset for one in self.rules), default=0.0)

    def series(self, start: float) -> Iterator[tuple[Labels, Iterator[tuple[float, Value]]]]:
        """Its series from ``start`` on (seconds since the epoch), as far as promtool loads them."""
        spacing = self.group.spacing(self.unit.evaluation_interval, self.prometheus)
        for one in self.group.series:
            yield one.labels, ((start + at, value) for at, value in one.samples(spacing) if at <= self.last)

    def program(self, start: float) -> Program:
        """What is evaluated from ``start`` on (seconds since the epoch)."""
        span = (Stretch(start, start + self.last, self.unit.evaluation_interval),)
        tasks = [Task(one.rule, span, one.group, one.offset, one.limit) for one in self.alive]
        # Never evaluated: they say that what they read must be written.
        probes = [Task(rule, (), rule) for rule in self.probes]
        return Program((*tasks, *probes))

    def moment(self, start: float, eval_time: float) -> float:
        """The evaluation that an alert's ``eval_time`` looks at, in seconds since the epoch."""
        return round(start + self.unit.tick(eval_time), 3)


def bench(
    unit: UnitFile, group: UnitGroup, files: Mapping[str, RuleFile], prometheus: tuple[int, int]
) -> Bench:
    """Make a test ready; ``files`` has all of its rule files."""
    probes = [
        Rule("record", f"pytest_sre_expr_{i}", case.expr, case.location, case.location.line, "", i)
        for i, case in enumerate(group.exprs)
    ]
    rules = _placed([files[path] for path in unit.rule_files], unit.group_eval_order)
    return Bench(unit, group, prometheus, tuple(rules), tuple(probes))


def _placed(files: Sequence[RuleFile], order: Sequence[str]) -> list[Placed]:
    """Copies of all rules; groups that `group_eval_order` names are one in that order, the others come as they like."""
    found: list[tuple[int, Placed]] = []
    for file in files:
        for group in file.groups:
            named = group.name in order
            rank = order.index(group.name) if named else len(order)
            key: Hashable = "in order" if named else group
            found += [
                (rank, Placed(replace(rule), key, group.query_offset or 0.0, group.limit))
                for rule in group.rules
            ]
    return [one for _, one in sorted(found, key=lambda pair: pair[0])]


def _tree(text: str) -> Expr | None:
    try:
        return parse(text)
    except PromqlError:
        return None
