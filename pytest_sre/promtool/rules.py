"""The rule files of a test file: the user's own where promtool can read them, else copies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.promql.parse import parse
from pytest_sre.promql.reach import record_reads
from pytest_sre.sources import yamlfile
from pytest_sre.timemachine.order import distinct
from pytest_sre.timemachine.schedule import Schedule

HEADER = "# Written by pytest-sre --sre-export-promtool"
"""Files that begin so may be overwritten."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleSource:
    """What one test file needs to know of the rules.

    ``own`` are paths of the user's files, relative to the root; ``copies`` texts by file name; ``order`` all groups'
    names, those that record before those that read; ``late`` whether a rule reads what is recorded after it.
    """

    own: tuple[str, ...]
    copies: Mapping[str, str]
    order: tuple[str, ...]
    late: bool


def flat(path: str) -> str:
    """A path as a file name: ``rules__checkout.yml``."""
    return re.sub(r"[/\\]", "__", path.replace("../", "up__"))


class Together:
    """The alerts of one rule file that promtool can test with the same rule files, as it finds them."""

    def __init__(self, files: Sequence[RuleFile], schedule: Schedule) -> None:
        self._files, self._schedule = files, schedule
        self._paths: frozenset[str] = frozenset()
        self._known: dict[frozenset[str], str] = {}

    def clash(self, alert: Rule) -> str:
        """Why an alert cannot be one of them; empty where it now is.

        promtool evaluates groups of one name in any order. Where they record the same series, what it sees changes
        from run to run.
        """
        paths = self._paths | _needed(alert, self._schedule)
        if paths not in self._known:
            groups = [group for file in self._files if file.path in paths for group in file.groups]
            self._known[paths] = _clash(groups)
        if not self._known[paths]:
            self._paths = paths
        return self._known[paths]


def _needed(alert: Rule, schedule: Schedule) -> frozenset[str]:
    return frozenset(rule.location.path for rule in (alert, *schedule.rules.closure(alert)))


def _clash(groups: Sequence[RuleGroup]) -> str:
    seen: dict[tuple[str, str], list[tuple[RuleGroup, Rule]]] = {}
    for group in groups:
        for rule in group.rules:
            alike = seen.setdefault((group.name, rule.name), [])
            for owner, other in alike if rule.kind == "record" else ():
                if owner is not group and other.kind == "record" and not distinct(rule, other):
                    places = f"{owner.location.path} and {group.location.path}"
                    return f"groups called {group.name} in {places} record the same series, in any order"
            alike.append((group, rule))
    return ""


def rule_source(
    files: Sequence[RuleFile], alerts: Iterable[Rule], schedule: Schedule, root: Path
) -> RuleSource:
    """What the tests of some alerts of one file need."""
    rules = [each for alert in alerts for each in (alert, *schedule.rules.closure(alert))]
    paths = dict.fromkeys(rule.location.path for rule in rules)
    needed = [file for file in files if file.path in paths]
    own = tuple(file.path for file in needed if is_plain(root / file.path))
    copies = {name: text for file in needed if file.path not in own for name, text in _copies(file)}
    groups = [group for file in needed for group in file.groups]
    pairs = _reading(dict.fromkeys(rules), schedule)
    order = _order(groups, pairs, schedule)
    return RuleSource(own, copies, order, _late(groups, order, pairs, schedule))


def is_plain(path: Path) -> bool:
    """Whether promtool reads a file as it is: one document with ``groups`` at the top."""
    documents = yamlfile.load_all(path.read_text("utf-8-sig"))
    top = documents[0].value if len(documents) == 1 else None
    return isinstance(top, Mapping) and set(top) == {"groups"}


def _copies(file: RuleFile) -> Iterable[tuple[str, str]]:
    """A copy for each object of a file: two may use the same group name. Not ``.yml``, or it would be tested as well."""
    parts = sorted({group.part for group in file.groups})
    for number, part in enumerate(parts, 1):
        documents = [group.document for group in file.groups if group.part == part]
        text = f"{HEADER}: the rules of {file.path}\n" + yamlfile.dump({"groups": documents})[0]
        yield f"{flat(file.path)}{f'.{number}' if len(parts) > 1 else ''}.rules", text


def _reading(rules: Iterable[Rule], schedule: Schedule) -> list[tuple[Rule, Rule]]:
    """Who reads what whom records."""
    return [(rule, read.rule) for rule in rules for read in record_reads(parse(rule.expr), schedule.rules)]


def _order(
    groups: Sequence[RuleGroup], pairs: Iterable[tuple[Rule, Rule]], schedule: Schedule
) -> tuple[str, ...]:
    graph: TopologicalSorter[str] = TopologicalSorter()
    for group in groups:
        graph.add(group.name)
    for reader, writer in pairs:
        one, other = schedule.group(reader).name, schedule.group(writer).name
        if one != other:
            graph.add(one, other)
    try:
        return tuple(graph.static_order())
    except CycleError:
        return tuple(dict.fromkeys(group.name for group in groups))


def _late(
    groups: Sequence[RuleGroup], order: Sequence[str], pairs: Iterable[tuple[Rule, Rule]], schedule: Schedule
) -> bool:
    names = [group.name for group in groups]
    places = {name: place for place, name in enumerate(order)}
    for reader, writer in pairs:
        one, other = schedule.group(reader), schedule.group(writer)
        if one is other:
            if writer.index >= reader.index:
                return True
        elif places[other.name] >= places[one.name] or names.count(one.name) + names.count(other.name) > 2:
            return True
    return False
