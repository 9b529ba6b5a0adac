"""The flow of an export: scenarios on promtool's clock, promtool's own word on what fires, files."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_sre.model.export import Export, LeftOut
from pytest_sre.model.rules import Rule
from pytest_sre.promtool import probe
from pytest_sre.promtool.document import Alert, Context, Look, document, dump, test
from pytest_sre.promtool.fragile import is_fragile
from pytest_sre.promtool.grid import grid
from pytest_sre.promtool.rules import HEADER, RuleSource, Together, flat, rule_source
from pytest_sre.promtool.scenario import Scenario, TooLong, scenario
from pytest_sre.sources import duration
from pytest_sre.sources.discover import Inventory
from pytest_sre.stack.backend import Stack
from pytest_sre.synthesis.shape import Shape
from pytest_sre.timemachine.question import Question
from pytest_sre.timemachine.schedule import Schedule

_FRAGILE = (
    "# Where an annotation prints a computed value in full, ALERTS is compared instead of the annotations:",
    "# versions of Prometheus differ in its last digits.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Exporter:
    """What all files have in common; they are going to lie in ``target``, ``scratch`` is for trials."""

    stack: Stack
    inventory: Inventory
    schedule: Schedule
    context: Context
    target: Path
    scratch: Path
    tell: Callable[[str], None]


@dataclass(slots=True, eq=False)
class _File:
    """One test file in the making: ``tests`` by number, with what is looked at in each."""

    name: str
    path: str
    evaluation: float
    source: RuleSource
    tests: dict[int, Scenario] = field(default_factory=dict)
    looks: dict[int, list[Look]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


def export(one: Exporter, questions: Sequence[Question], missing: Mapping[Rule, str]) -> Export:
    """Questions as test files; ``missing`` are alerts that have none, and why. Raises StackError."""
    one.tell(f"promtool looks at {len(questions)} scenarios to export")
    one.scratch.mkdir()
    shapes = {question.rule: question.contrast.shape for question in questions}
    left_out = [LeftOut(rule.location.path, rule.name, "", reason) for rule, reason in missing.items()]
    files = _files(one, questions, left_out)
    for file in files:
        seen = _run(one, file)
        for number, what in seen.items():
            _settle(file, number, what, shapes)
        _prove(one, file)
    return _export(one, files, left_out)


def _files(one: Exporter, questions: Sequence[Question], left_out: list[LeftOut]) -> list[_File]:
    by_path: dict[str, list[Question]] = {}
    for question in questions:
        by_path.setdefault(question.rule.location.path, []).append(question)
    files: dict[tuple[str, float], _File] = {}
    number = 0
    for path, some in by_path.items():
        by_rule = _by_rule(one, some, left_out)
        source = rule_source(one.inventory.rule_files, by_rule, one.schedule, one.inventory.root)
        grids = {rule: grid(mine, source.late) for rule, mine in by_rule.items()}
        for question in (each for mine in by_rule.values() for each in mine):
            on = grids[question.rule]
            try:
                made = scenario(question, on, one.schedule.rules.depth(question.rule))
            except TooLong as error:
                left_out.append(LeftOut(path, question.rule.name, question.name, str(error)))
                continue
            name = f"{flat(path)}.{duration.text(on.evaluation)}.test.yml"
            file = files.setdefault((path, on.evaluation), _File(name, path, on.evaluation, source))
            file.tests[number] = made
            file.looks[number] = [Look(moment.at) for moment in made.moments]
            number += 1
    return list(files.values())


def _by_rule(
    one: Exporter, questions: Sequence[Question], left_out: list[LeftOut]
) -> dict[Rule, list[Question]]:
    """The questions of each alert of one file, as far as promtool can order the rules."""
    found: dict[Rule, list[Question]] = {}
    for question in questions:
        found.setdefault(question.rule, []).append(question)
    together = Together(one.inventory.rule_files, one.schedule)
    for rule in list(found):
        if reason := together.clash(rule):
            left_out += [
                LeftOut(each.rule.location.path, rule.name, each.name, reason) for each in found.pop(rule)
            ]
    return found


def _run(one: Exporter, file: _File) -> dict[int, probe.Seen]:
    """Run all tests of a file as they are."""
    if not file.tests:
        return {}
    own = [one.inventory.root / path for path in file.source.own]
    copies = [one.scratch / name for name in file.source.copies]
    for path, text in zip(copies, file.source.copies.values(), strict=True):
        path.write_text(text, "utf-8")
    tests = [
        probe.watched(
            test("", made, file.looks[number], one.context), number, duration.text(made.moments[-1].at)
        )
        for number, made in file.tests.items()
    ]
    written = document([str(path) for path in (*own, *copies)], file.evaluation, file.source.order, tests)
    path = one.scratch / file.name
    path.write_text(dump(written), "utf-8")
    return probe.run(one.stack, path, [*own, *copies], list(file.tests))


def _settle(file: _File, number: int, seen: probe.Seen, shapes: Mapping[Rule, Shape]) -> None:
    """Expect what promtool has seen, or leave the scenario out."""
    made = file.tests[number]
    reason = seen.error or _other(made, seen.alerts)
    if reason:
        _leave_out(file, number, reason)
        return
    looks = []
    for look in file.looks[number]:
        alerts = seen.alerts.get(look.at, [])
        exact = not is_fragile(shapes[made.rule], alerts)
        looks.append(Look(look.at, tuple(alerts), exact or not alerts))
    file.looks[number] = looks


def _other(made: Scenario, alerts: Mapping[float, Sequence[Alert]]) -> str:
    """Why a scenario does not do on promtool's clock what it is meant to; other alerts may have the same name."""
    fixed = {name: text for name, text in made.rule.labels.items() if "{{" not in text}
    for moment in made.moments:
        mine = [one for one in alerts.get(moment.at, ()) if fixed.items() <= one.labels.items()]
        if moment.fires is not None and bool(mine) != moment.fires:
            what = "does not fire" if moment.fires else "fires"
            return f"with samples every {duration.text(made.grid.interval)} it {what} at {duration.text(moment.at)}"
    return ""


def _leave_out(file: _File, number: int, reason: str) -> None:
    made = file.tests.pop(number)
    file.left_out.append(LeftOut(file.path, made.rule.name, made.name, reason))


def _prove(one: Exporter, file: _File) -> None:
    """Run what is complete once more: only what passes is written."""
    for number, seen in _run(one, file).items():
        if seen.failed or seen.error:
            _leave_out(file, number, seen.error or "promtool sees something else each time it looks")


def _export(one: Exporter, files: Sequence[_File], left_out: Sequence[LeftOut]) -> Export:
    """All texts; of a rule file's test files the first tells what is left out."""
    lost: dict[str, list[LeftOut]] = {}
    for each in (*left_out, *(each for file in files for each in file.left_out)):
        lost.setdefault(each.path, []).append(each)
    texts: dict[str, str] = {}
    untold = dict(lost)
    for file in sorted(files, key=lambda file: file.evaluation):
        if file.tests:
            texts |= file.source.copies
            texts[file.name] = _text(one, file, untold.pop(file.path, ()))
    for path, some in untold.items():
        texts[f"{flat(path)}.test.yml"] = "\n".join(
            [*_head(path, some), dump({"rule_files": [], "tests": []})]
        )
    count = sum(len(file.tests) for file in files)
    return Export(tuple(sorted(texts.items())), count, tuple(each for some in lost.values() for each in some))


def _text(one: Exporter, file: _File, left_out: Iterable[LeftOut]) -> str:
    own = [
        Path(os.path.relpath(one.inventory.root / path, one.target)).as_posix() for path in file.source.own
    ]
    tests = [
        test(name, made, file.looks[number], one.context)
        for name, (number, made) in zip(_names(file.tests.values()), file.tests.items(), strict=True)
    ]
    fragile = any(not look.exact for looks in file.looks.values() for look in looks)
    body = document([*own, *file.source.copies], file.evaluation, file.source.order, tests)
    return "\n".join([*_head(file.path, left_out), *(_FRAGILE if fragile else ()), dump(body)])


def _head(path: str, left_out: Iterable[LeftOut]) -> Iterator[str]:
    yield f"{HEADER}: scenarios of the alerts in {path}, for promtool test rules."
    for lost in left_out:
        name = f"{lost.alert}: {lost.scenario}" if lost.scenario else lost.alert
        yield f"# Left out: {name}: {' '.join(lost.reason.split())}"


def _names(tests: Iterable[Scenario]) -> Iterator[str]:
    """Names as of the items; where alerts have the same name, a number tells them apart."""
    seen: Counter[str] = Counter()
    for made in tests:
        name = f"{made.rule.name}: {made.name}"
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} ({seen[name]})"
