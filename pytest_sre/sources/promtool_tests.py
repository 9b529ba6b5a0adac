"""promtool's unit tests of rules → model: files with ``rule_files`` and ``tests``.

Sources: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/ and Prometheus'
cmd/promtool/unittest.go.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.unittest import (
    EVALUATION_INTERVAL,
    AlertCase,
    ExpectedAlert,
    ExpectedSample,
    ExprCase,
    InputSeries,
    UnitFile,
    UnitGroup,
)
from pytest_sre.sources import histograms, notation, promtool_shape, yamlfile
from pytest_sre.sources.promtool_series import load
from pytest_sre.sources.rulefile import Broken, Skip, is_helm
from pytest_sre.sources.yamlfile import line_of

CHECK = "unit"
NONE = "no unit tests for promtool"
# Fields that not every version knows, and the last one tried that refuses them.
_NEWER = {"fuzzy_compare": "2.53", "start_timestamp": "3.5"}


def looks_like_unit_tests(text: str) -> bool:
    """A quick look, before any parsing: could this be a file of unit tests?"""
    return all(
        re.search(rf"""^\s*["']?{key}["']?\s*:|"{key}"\s*:""", text, re.M) for key in ("rule_files", "tests")
    )


def parse_unit_tests(path: str, text: str, file: Path, root: Path) -> UnitFile:
    """A file of unit tests; ``path`` is how ``file`` is shown, rule files are relative to ``root``.

    Raises Skip for what isn't one, and Broken (with the line) for what promtool would not run either.
    """
    try:
        documents = yamlfile.load_all(text)
    except yamlfile.YamlError as error:
        if is_helm(text):
            raise Skip("a Helm template; render it first (helm template)") from None
        raise Broken(error.line, f"not valid YAML: {error}") from None
    top = documents[0].value if documents else None
    if not isinstance(top, Mapping) or not isinstance(top.get("tests"), list) or "rule_files" not in top:
        raise Skip(NONE)
    if "groups" in top:
        raise Skip(NONE)
    if any(isinstance(item, Mapping) and "metricsql_expr_test" in item for item in top["tests"]):
        raise Skip("unit tests for vmalert-tool (MetricsQL)")
    try:
        shape = promtool_shape.File.model_validate(top)
    except ValidationError as error:
        raise _broken(top, error.errors()[0]) from None
    return _Reader(path, top, shape, len(documents) > 1).read(file.parent, root)


def _broken(top: Any, error: Any) -> Broken:
    names: list[str] = []
    line, where = 1, top
    for key in error["loc"]:
        line = line_of(where, key, line)
        names.append(f"{names.pop()}[{key}]" if isinstance(key, int) and names else str(key))
        try:
            where = where[key]
        except (KeyError, IndexError, TypeError):
            break
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "unknown field; promtool refuses a file with fields that it does not know"
    return Broken(line, f"{'.'.join(names)}: {message}")


class _Reader:
    """Maps one validated file; its raw YAML knows the lines."""

    def __init__(self, path: str, top: Any, shape: promtool_shape.File, more: bool) -> None:
        self.path, self.top, self.shape = path, top, shape
        self.notes: list[Finding] = []
        if more:
            self._note(1, "several YAML documents", "promtool reads the first alone", "split the file")
        self._newer(top)

    def read(self, folder: Path, root: Path) -> UnitFile:
        order = self.shape.group_eval_order
        for i, name in enumerate(order):
            if name in order[:i]:
                raise Broken(
                    line_of(self.top["group_eval_order"], i),
                    f"group_eval_order has {name} twice; name it once",
                )
        raw = self.top["tests"]
        groups = tuple(self._group(i, one, raw[i]) for i, one in enumerate(self.shape.tests))
        return UnitFile(
            path=self.path,
            rule_files=tuple(self._rule_files(folder, root)),
            groups=groups,
            evaluation_interval=self.shape.evaluation_interval or EVALUATION_INTERVAL,
            group_eval_order=order,
            fuzzy_compare=self.shape.fuzzy_compare,
            notes=tuple(self.notes),
        )

    def _rule_files(self, folder: Path, root: Path) -> Iterator[str]:
        seen = set()
        for i, pattern in enumerate(self.shape.rule_files):
            matches = sorted(glob.glob(os.path.join(glob.escape(str(folder)), pattern)))
            if not matches:
                self._note(
                    line_of(self.top["rule_files"], i),
                    f"no file matches {pattern}",
                    "promtool goes on without it",
                    f"the path is relative to {os.path.dirname(self.path) or '.'}/; mend it",
                )
            for match in matches:
                shown = Path(os.path.relpath(match, root)).as_posix()
                if shown not in seen:
                    seen.add(shown)
                    yield shown

    def _group(self, index: int, shape: promtool_shape.Group, raw: Any) -> UnitGroup:
        self._newer(raw)
        lines = [
            (one.series, one.values, line_of(raw["input_series"], i))
            for i, one in enumerate(shape.input_series)
        ]
        loaded = load(lines)
        for line, trouble in loaded.trouble:
            self._note(line, trouble, "promtool passes it over in silence", "mend the series")
        return UnitGroup(
            index=index,
            name=shape.name,
            interval=shape.interval,
            series=tuple(InputSeries(one.labels, one.values, self._at(one.line)) for one in loaded.series),
            alerts=tuple(
                self._alert(one, raw["alert_rule_test"], i) for i, one in enumerate(shape.alert_rule_test)
            ),
            exprs=tuple(
                self._expr(one, raw["promql_expr_test"], i) for i, one in enumerate(shape.promql_expr_test)
            ),
            location=self._at(line_of(self.top["tests"], index)),
            external_labels=shape.external_labels,
            external_url=shape.external_url,
            start=shape.start_timestamp,
        )

    def _alert(self, shape: promtool_shape.AlertTest, raw: Any, index: int) -> AlertCase:
        line = line_of(raw, index)
        if not shape.alertname:
            raise Broken(line, "this alert_rule_test has no alertname; say which alert it is about")
        expected = raw[index].get("exp_alerts")
        return AlertCase(
            alertname=shape.alertname,
            eval_time=shape.eval_time,
            expected=tuple(
                ExpectedAlert(
                    {**one.exp_labels, "alertname": shape.alertname},
                    one.exp_annotations,
                    self._at(line_of(expected, i)),
                )
                for i, one in enumerate(shape.exp_alerts)
            ),
            location=self._at(line),
        )

    def _expr(self, shape: promtool_shape.ExprTest, raw: Any, index: int) -> ExprCase:
        expected = raw[index].get("exp_samples")
        return ExprCase(
            expr=shape.expr,
            eval_time=shape.eval_time,
            expected=tuple(
                self._sample(one, line_of(expected, i)) for i, one in enumerate(shape.exp_samples)
            ),
            location=self._at(line_of(raw, index)),
        )

    def _sample(self, shape: promtool_shape.Sample, line: int) -> ExpectedSample:
        try:
            labels = notation.parse_metric(shape.labels)
            value = histograms.parse(shape.histogram.strip()) if shape.histogram else shape.value
        except ValueError as error:
            raise Broken(line, f"exp_samples: {error}") from None
        return ExpectedSample(labels, value, self._at(line))

    def _newer(self, raw: Any) -> None:
        for name, version in _NEWER.items():
            if name in raw:
                self._note(
                    line_of(raw, name),
                    f"promtool {version} does not know {name}",
                    "it refuses the whole file",
                    "leave it out where that version must read the file",
                )

    def _at(self, line: int) -> Location:
        return Location(self.path, line)

    def _note(self, line: int, summary: str, seen: str, next_step: str) -> None:
        self.notes.append(
            Finding(CHECK, self._at(line), summary, seen=seen, next_step=next_step, severity="warning")
        )
