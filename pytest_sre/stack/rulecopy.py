"""Copies of rule files: verbatim for `promtool check rules`, trimmed and quickened for the run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_sre.errors import StackError
from pytest_sre.model.observation import Change, FileVerdict
from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.sources import yamlfile
from pytest_sre.stack.backend import Stack

_GROUP_RULE = re.compile(r'group "((?:[^"\\]|\\.)*)", rule (\d+)')
_REPEATED = re.compile(r'groupname: "(.*)" is repeated')
_PLACE = re.compile(r"(\d+):(\d+): (.*)", re.S)


@dataclass(frozen=True, slots=True)
class RuleCopies:
    """Where each selected alert is in the copies: (file name, group, place among that group's alerts)."""

    places: Mapping[tuple[str, str, int], Rule]
    intervals: Mapping[Rule, float]
    changes: tuple[Change, ...] = field(default=())


def check(
    stack: Stack, files: Iterable[RuleFile], feature_flags: Collection[str], folder: Path
) -> list[FileVerdict]:
    """What the real promtool says of each file, unchanged; errors are told with the user's own lines."""
    target = folder / "check"
    target.mkdir()
    sources: dict[str, tuple[str, list[RuleGroup], list[int]]] = {}
    verdicts: dict[str, FileVerdict] = {}
    for file in files:
        verdicts[file.path] = FileVerdict(file.path)
        for part in sorted({group.part for group in file.groups}):
            groups = [group for group in file.groups if group.part == part]
            text, lines = yamlfile.dump({"groups": [group.document for group in groups]})
            path = target / f"{len(sources):05}.yml"
            path.write_text(text, "utf-8")
            sources[str(path)] = (file.path, groups, lines)
    flags = [f"--enable-feature={flag}" for flag in feature_flags]
    done = stack.promtool(["check", "rules", "--lint=none", *flags, *sources], [target])
    output = done.stdout + "\n" + done.stderr
    for path_text, message in _messages(output, sources):
        user_path, groups, lines = sources[path_text]
        line, told = _locate(groups, lines, message)
        known = verdicts[user_path]
        error = f"{known.error}\n{told}" if known.error else told
        verdicts[user_path] = FileVerdict(user_path, known.line if known.error else line, error)
    if done.returncode and not any(verdict.error for verdict in verdicts.values()):
        raise StackError(f"promtool check rules failed:\n{output.strip()[-2000:]}")
    return list(verdicts.values())


def _messages(output: str, sources: Mapping[str, object]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for line in output.splitlines():
        path, _, message = line.strip().partition(": ")
        if path in sources:
            found.append((path, message))
        elif found and line.startswith("  line ") and "FAILED" not in line:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{line.strip()}")
    return found


def _locate(groups: list[RuleGroup], lines: list[int], message: str) -> tuple[int, str]:
    place = _PLACE.match(message)
    if place:
        message = place[3]
    named = _GROUP_RULE.search(message)
    repeated = _REPEATED.search(message)
    line = 1
    if repeated:  # its place is the end of the list
        line = [group.location.line for group in groups if group.name == repeated[1]][-1]
    elif place and 0 < int(place[1]) <= len(lines):
        line = _source(lines, int(place[1]))
    elif named:
        rules = [rule for group in groups if group.name == named[1] for rule in group.rules]
        line = next((rule.location.line for rule in rules if rule.index + 1 == int(named[2])), line)
    message = re.sub(r"line (\d+): ", lambda m: f"line {_source(lines, int(m[1]))}: ", message)
    inner = re.search(r"^line (\d+): ", message, re.M)
    return (int(inner[1]) if inner and line == 1 else line), message.replace("\n", " ")


def _source(lines: list[int], line: int) -> int:
    """The user's line for a line of the copy, or for the nearest one before it that has one."""
    return next((one for one in reversed(lines[:line]) if one), 1)


def write(
    files: Iterable[RuleFile],
    selected: Collection[Rule],
    needed: Collection[Rule],
    intervals: Mapping[Rule, float],
    folder: Path,
) -> RuleCopies:
    """Write the copies that run: only the selected alerts and the rules that they need.

    Alerts that are needed by others alone, for their ``ALERTS``, fire without ``for``.

    ``intervals`` gives each rule the interval (seconds) that its group needs at least.
    """
    folder.mkdir()
    places: dict[tuple[str, str, int], Rule] = {}
    real: dict[Rule, float] = {}
    changes: list[Change] = []
    selected = set(selected)
    keep = selected | set(needed)
    count = 0
    for file in files:
        for part in sorted({group.part for group in file.groups}):
            documents = []
            name = f"{count:05}.yml"
            for group in file.groups:
                rules = [rule for rule in group.rules if rule in keep]
                if group.part != part or not rules:
                    continue
                interval = max([1.0, *(intervals.get(rule, 1.0) for rule in rules)])
                documents.append(_group(group, rules, interval, changes, selected))
                alerts = [rule for rule in rules if rule.kind == "alert"]
                for i, rule in enumerate(alerts):
                    if rule in selected:
                        places[name, group.name, i] = rule
                        real[rule] = interval
            if documents:
                (folder / name).write_text(yamlfile.dump({"groups": documents})[0], "utf-8")
                count += 1
    return RuleCopies(places, real, tuple(changes))


def _group(
    group: RuleGroup, rules: list[Rule], interval: float, changes: list[Change], selected: Collection[Rule]
) -> dict[str, Any]:
    where = f"group {group.name}"
    changes.append(Change(group.location.path, where, f"interval {interval:g}s"))
    left_out = sum(rule.kind == "alert" for rule in group.rules) - sum(rule.kind == "alert" for rule in rules)
    if left_out:
        changes.append(
            Change(group.location.path, where, f"{left_out} alerts that are not selected left out")
        )
    document = {key: value for key, value in group.document.items() if key not in ("interval", "rules")}
    return {
        **document,
        "interval": f"{interval:g}s",
        "rules": [_rule(group, rule, changes, rule in selected) for rule in rules],
    }


def _rule(group: RuleGroup, rule: Rule, changes: list[Change], selected: bool) -> Any:
    document = group.document["rules"][rule.index]
    if rule.kind == "alert" and not selected:
        what = "here only for its ALERTS, which others read, without `for`"
        changes.append(Change(rule.location.path, f"alert {rule.name}", what))
        return {**document, "for": "0s"}
    if rule.kind == "alert" and rule.hold and templated(rule):
        what = (
            "`for: 0s` (its labels are templates, whose state Prometheus 2.53 to 3.10 cannot restore; "
            "the time machine proves its `for`)"
        )
        changes.append(Change(rule.location.path, f"alert {rule.name}", what))
        return {**document, "for": "0s"}
    return document


def templated(rule: Rule) -> bool:
    """Whether labels of a rule are made by templates, so that only Prometheus knows them."""
    return any("{{" in value for value in rule.labels.values())
