"""Test files as promtool reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from pytest_sre.model.scenario import Labels
from pytest_sre.promtool.scenario import Scenario
from pytest_sre.sources import duration, notation


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that fires: labels without ``alertname``, annotations as rendered."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for all tests of a run."""

    external_labels: Mapping[str, str]
    external_url: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What fires at a moment (seconds); without ``exact`` only labels are compared."""

    at: float
    alerts: tuple[Alert, ...] = ()
    exact: bool = True


def document(
    rule_files: Sequence[str], evaluation: float, order: Sequence[str], tests: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """A whole file."""
    return {
        "rule_files": list(rule_files),
        "evaluation_interval": duration.text(evaluation),
        "group_eval_order": list(order),
        "tests": list(tests),
    }


def test(name: str, one: Scenario, looks: Iterable[Look], context: Context) -> dict[str, Any]:
    """One scenario's test."""
    alerts, exprs = [], []
    for look in looks:
        if look.exact:
            alerts.append(_alert_test(one.rule.name, look))
        else:
            exprs.append(_expr_test(one.rule.name, look))
    made: dict[str, Any] = {
        "name": name,
        "interval": duration.text(one.grid.interval),
        "input_series": [{"series": metric(labels), "values": values} for labels, values in one.series],
    }
    if context.external_labels:
        made["external_labels"] = dict(context.external_labels)
    if context.external_url:
        made["external_url"] = context.external_url
    if alerts:
        made["alert_rule_test"] = alerts
    if exprs:
        made["promql_expr_test"] = exprs
    return made


def _alert_test(name: str, look: Look) -> dict[str, Any]:
    expected = [
        {"exp_labels": dict(one.labels), "exp_annotations": dict(one.annotations)} for one in look.alerts
    ]
    return {"eval_time": duration.text(look.at), "alertname": name, "exp_alerts": expected}


def _expr_test(name: str, look: Look) -> dict[str, Any]:
    """``ALERTS`` has the alerts' labels, and no annotations."""
    own = {"__name__": "ALERTS", "alertname": name, "alertstate": "firing"}
    expected = [
        {"labels": metric(tuple(sorted({**one.labels, **own}.items()))), "value": 1} for one in look.alerts
    ]
    expr = f'ALERTS{{alertname={notation.quote(name)},alertstate="firing"}}'
    return {"expr": expr, "eval_time": duration.text(look.at), "exp_samples": expected}


def metric(labels: Labels) -> str:
    """A series as people write it: ``up{job="api"}``."""
    name = dict(labels).get("__name__", "")
    if not notation.METRIC.fullmatch(name):
        return notation.write_series(labels)
    rest = tuple(pair for pair in labels if pair[0] != "__name__")
    return name + (notation.write_series(rest) if rest else "")


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as they are."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def dump(value: Mapping[str, Any]) -> str:
    """YAML in block style."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)
