"""What promtool says of scenarios: which alerts fire when, with which labels and annotations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_sre.promtool.document import Alert
from pytest_sre.sources import duration
from pytest_sre.stack.backend import Stack
from pytest_sre.stack.templates import go_labels

_END = "pytest_sre_end"
_NAME = re.compile(r"\s*name: (\d+),$")
_ALERT = re.compile(r"\s*alertname: (.*), time: (\S+), $")
_SET = re.compile(r"\s*(Labels|Annotations):(\{.*\}),?\s*")
_ERROR = re.compile(r"\s*rule: (.*), time: (\S+), err: (.*)")
_EXPR = re.compile(r"\s*expr: ")


@dataclass(slots=True)
class Seen:
    """One scenario: by moment (seconds) the alerts that fire where others were expected.

    ``failed`` tells whether any expectation failed, ``error`` why there was no end.
    """

    alerts: dict[float, list[Alert]] = field(default_factory=dict)
    failed: bool = False
    error: str = ""


def watched(test: Mapping[str, Any], number: int, end: str) -> dict[str, Any]:
    """A test whose last expectation always fails: it tells that all before it was evaluated without an error."""
    last = {"eval_time": end, "alertname": _END, "exp_alerts": [{"exp_labels": {}}]}
    return {**test, "name": str(number), "alert_rule_test": [*test.get("alert_rule_test", ()), last]}


def run(stack: Stack, path: Path, rules: Sequence[Path], numbers: Sequence[int]) -> dict[int, Seen]:
    """Run a file of watched tests, ``numbers`` in their order, which reads ``rules``. Raises StackError."""
    done = stack.promtool(["test", "rules", str(path)], [path, *rules])
    return _Reader(list(numbers)).read(done.stderr)


class _Reader:
    """Each test ends with its own last line, or with the error of an evaluation, which does not tell its name."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.seen = {number: Seen() for number in numbers}
        self.ended: set[int] = set()
        self.current = Seen()
        self.at = 0.0
        self.labels: dict[str, str] = {}
        self.error = ""

    def read(self, told: str) -> dict[int, Seen]:
        for line in told.split("\n"):
            self._line(line)
        rest = self.error or " ".join(told.split())[-300:] or "promtool said nothing of it"
        self._broken(self.numbers, rest)
        return self.seen

    def _line(self, line: str) -> None:
        if name := _NAME.match(line):
            number = int(name[1])
            self.current = self.seen[number]
            if self.error:
                self._broken(self.numbers[: self.numbers.index(number)], self.error)
                self.error = ""
        elif error := _ERROR.match(line):
            self.error = f"{error[1]}: {error[3]}"
        elif alert := _ALERT.match(line):
            self._alert(alert[1], duration.seconds(alert[2]))
        elif part := _SET.fullmatch(line):
            self._set(part[1], part[2])
        elif _EXPR.match(line):
            self.current.failed = True

    def _alert(self, name: str, at: float) -> None:
        self.at = at
        if name == _END:
            self.ended.add(next(number for number, one in self.seen.items() if one is self.current))
        else:
            self.current.failed = True
            self.current.alerts[at] = []

    def _set(self, what: str, text: str) -> None:
        """Of what was got; what was expected comes first, and is dropped with the next list."""
        if what == "Labels":
            self.labels = go_labels(text)
        elif self.labels.pop("alertname", "") != _END:
            self.current.alerts.setdefault(self.at, []).append(Alert(self.labels, go_labels(text)))

    def _broken(self, numbers: Sequence[int], error: str) -> None:
        for number in numbers:
            if number not in self.ended and not self.seen[number].error:
                self.seen[number].error = error
