"""A webhook's own payload, in both of its forms: as the receiver gets it, and of which alert it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers import Pair
from shop import run

RULES = """\
groups:
- name: shop
  rules:
  - {alert: A, expr: up == 0, labels: {severity: page}, annotations: {summary: it is down}}
  - {alert: B, expr: up < 1, labels: {severity: page}, annotations: {summary: it is gone}}
"""
RECEIVER = """\
route: {receiver: hook, group_by: [alertname]}
receivers:
- name: hook
  webhook_configs:
  - url: http://hook.example/x
    payload:PAYLOAD
"""
TEXT = """ '{"name": "{{ .CommonLabels.alertname }}", "text": "{{ .CommonAnnotations.summary }}", "number": 3}'"""
MAPPING = """
      name: '{{ .CommonLabels.alertname }}'
      text: '{{ .CommonAnnotations.summary }}'
      number: 3"""


@pytest.mark.parametrize("payload", [TEXT, MAPPING])
def test_it_belongs_to_its_alert_and_is_as_written(payload: str, tmp_path: Path, newest: Pair) -> None:
    for name, text in (
        ("pytest.ini", "[pytest]\n"),
        ("sre.yaml", "{}"),
        ("rules.yml", RULES),
        ("alertmanager.yml", RECEIVER.replace("PAYLOAD", payload)),
    ):
        (tmp_path / name).write_text(text)

    result = run(tmp_path, newest, "-k", "pages")

    assert result.outcomes == {f"rules.yml::{name}::pages": "PASSED" for name in "AB"}, result.output
    sent = [one["payload"] for alert in result.seen["alerts"] for one in alert["notifications"]]
    assert sent == [
        {"name": "A", "text": "it is down", "number": 3},
        {"name": "B", "text": "it is gone", "number": 3},
    ]
