"""The safe copy of prometheus.yml: an allow-list, and the sink as the only Alertmanager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from servers import Pair

from pytest_sre.errors import StackError, UserError
from pytest_sre.sources import yamlfile
from pytest_sre.sources.prometheus import is_prometheus, parse_prometheus
from pytest_sre.stack import prometheus
from pytest_sre.stack.process import ProcessStack

FULL = """\
global:
  scrape_interval: 15s
  evaluation_interval: 30s
  query_log_file: /var/log/q.log
  external_labels:
    cluster: eu
    replica: 1
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: real
    static_configs: [{targets: ["db.secret.example:9100"]}]
alerting:
  alert_relabel_configs:
    - {action: labeldrop, regex: replica}
  alertmanagers:
    - scheme: https
      basic_auth: {username: u, password: hunter2}
      static_configs: [{targets: ["am.secret.example:9093"]}]
    - path_prefix: /other
      kubernetes_sd_configs: [{role: pod}]
      alert_relabel_configs:
        - {source_labels: [severity], regex: info, action: drop}
remote_write: [{url: "https://write.secret.example/"}]
remote_read: [{url: "https://read.secret.example/"}]
tracing: {endpoint: "trace.secret.example:4317"}
storage: {tsdb: {out_of_order_time_window: 30m}}
"""


def written(text: str, folder: Path) -> tuple[Any, list[str]]:
    path, changes = prometheus.write_config(
        parse_prometheus("prometheus.yml", text), "127.0.0.1:4711", "p", folder
    )
    return yamlfile.load_all(path.read_text())[0].value, [
        f"{change.where}: {change.what}" for change in changes
    ]


def test_only_what_is_allowed_survives(tmp_path: Path) -> None:
    copy, changes = written(FULL, tmp_path)
    assert set(copy) == {"global", "rule_files", "alerting"}
    assert copy["global"] == {
        "evaluation_interval": "30s",
        "external_labels": {"cluster": "eu", "replica": "1"},
    }
    assert copy["rule_files"] == [str(tmp_path / "rules" / "*.yml")]
    assert copy["alerting"]["alert_relabel_configs"] == [{"action": "labeldrop", "regex": "replica"}]
    sink = [{"targets": ["127.0.0.1:4711"]}]
    drop = {"source_labels": ["severity"], "regex": "info", "action": "drop"}
    assert copy["alerting"]["alertmanagers"] == [
        {"path_prefix": "/p-0", "static_configs": sink},
        {"path_prefix": "/p-1", "static_configs": sink, "alert_relabel_configs": [drop]},
    ]
    for word in ("secret", "hunter2", "https", "query_log"):
        assert word not in (tmp_path / "prometheus.yml").read_text()
    for key in ("remote_write", "remote_read", "tracing", "scrape_configs", "storage"):
        assert f"{key}: left out" in changes
    assert "alerting.alertmanagers: the sink" in changes


@pytest.mark.parametrize(
    "text", ["", "global: {}\n", "global:\nalerting:\n", "alerting: {alertmanagers: []}\n"]
)
def test_little_is_enough(tmp_path: Path, text: str) -> None:
    copy, _ = written(text, tmp_path)
    assert copy["alerting"] == {
        "alertmanagers": [{"path_prefix": "/p-0", "static_configs": [{"targets": ["127.0.0.1:4711"]}]}]
    }


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("global: 5\n", 1, "`global` must be a mapping"),
        ("global: {}\nalerting: []\n", None, None),
        ("global: {}\nalerting: [a]\n", 2, "`alerting` must be a mapping"),
        ("alerting:\n  alertmanagers: {a: b}\n", 2, "`alertmanagers` must be a list"),
        ("alerting:\n  alert_relabel_configs: x\n", 2, "must be a list"),
        ("- a\n", 1, "expected a Prometheus configuration"),
        ("global: [\n", 2, "not valid YAML"),
    ],
)
def test_what_is_broken_says_where(text: str, where: int | None, what: str | None) -> None:
    if where is None:
        assert parse_prometheus("p.yml", text).globals == {}
        return
    with pytest.raises(UserError, match=what) as caught:
        parse_prometheus("p.yml", text)
    assert str(caught.value).startswith(f"p.yml:{where}: ")


def test_what_is_a_prometheus_configuration() -> None:
    assert is_prometheus(yamlfile.load_all(FULL)[0].value)
    assert not is_prometheus({"services": {"prometheus": {}}})
    assert not is_prometheus(None)


def test_promtool_accepts_the_copy(pair: Pair, stack: ProcessStack, tmp_path: Path) -> None:
    text = (
        FULL
        if pair.name != "bookworm"
        else FULL.replace("      alert_relabel_configs:\n        - {source", "      #\n        #")
    )
    config = parse_prometheus("prometheus.yml", text)
    path, _ = prometheus.write_config(config, "127.0.0.1:4711", "p", tmp_path)
    assert prometheus.check_config(stack, config, path) is None


def test_promtool_refuses_with_the_users_line(stack: ProcessStack, tmp_path: Path) -> None:
    config = parse_prometheus("conf/prometheus.yml", FULL.replace("action: labeldrop", "action: labeldorp"))
    path, _ = prometheus.write_config(config, "127.0.0.1:4711", "p", tmp_path)
    with pytest.raises(StackError, match="labeldorp") as caught:
        prometheus.check_config(stack, config, path)
    assert str(caught.value).startswith("conf/prometheus.yml: Prometheus does not load this configuration")
    assert str(tmp_path) not in str(caught.value)
