"""prometheus.yml → the few settings that change verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_sre.errors import UserError
from pytest_sre.sources import yamlfile
from pytest_sre.sources.yamlfile import line_of

GLOBAL_KEYS = ("external_labels", "evaluation_interval", "rule_query_offset")


@dataclass(frozen=True, slots=True, eq=False)
class PrometheusConfig:
    """The allow-list: what of a user's prometheus.yml goes into the copy. Everything else is left out."""

    path: str = ""
    globals: Mapping[str, Any] = field(default_factory=dict)
    alert_relabel_configs: tuple[Any, ...] = ()
    alertmanager_relabel_configs: tuple[tuple[Any, ...], ...] = ()
    dropped: tuple[str, ...] = ()


def is_prometheus(value: Any) -> bool:
    """Whether a document is a Prometheus server's configuration."""
    return isinstance(value, Mapping) and (
        "scrape_configs" in value or ("alerting" in value and "global" in value)
    )


def parse_prometheus(path: str, text: str) -> PrometheusConfig:
    """Read a prometheus.yml; raises UserError with file and line."""
    try:
        documents = yamlfile.load_all(text)
    except yamlfile.YamlError as error:
        raise UserError(f"{path}:{error.line}: not valid YAML: {error}") from None
    if not documents:
        return PrometheusConfig(path)
    top = documents[0].value
    if not isinstance(top, Mapping):
        raise UserError(f"{path}:1: expected a Prometheus configuration (a mapping)")
    alerting = _mapping(path, top, "alerting")
    managers = alerting.get("alertmanagers") or []
    if not isinstance(managers, list) or not all(isinstance(item, Mapping) for item in managers):
        raise UserError(
            f"{path}:{line_of(alerting, 'alertmanagers')}: `alertmanagers` must be a list of mappings"
        )
    settings = _mapping(path, top, "global")
    return PrometheusConfig(
        path=path,
        globals={key: settings[key] for key in GLOBAL_KEYS if settings.get(key) is not None},
        alert_relabel_configs=_list(path, alerting, "alert_relabel_configs"),
        alertmanager_relabel_configs=tuple(_list(path, item, "alert_relabel_configs") for item in managers),
        dropped=tuple(sorted(str(key) for key in top if key not in ("global", "rule_files", "alerting")))
        + (("alerting.alertmanagers",) if managers else ()),
    )


def _mapping(path: str, owner: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = owner.get(key) or {}
    if not isinstance(value, Mapping):
        raise UserError(f"{path}:{line_of(owner, key)}: `{key}` must be a mapping")
    return value


def _list(path: str, owner: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    value = owner.get(key) or []
    if not isinstance(value, list):
        raise UserError(f"{path}:{line_of(owner, key)}: `{key}` must be a list")
    return tuple(value)
