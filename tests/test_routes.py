"""Why an alert went where it went."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from servers import REPO

from pytest_sre.report.routes import explain_routes
from pytest_sre.sources.alertmanager import parse_routing

CORPUS = REPO.parent / "shared" / "corpora" / "alertmanager"
TEXT = """\
route:
  receiver: default
  routes:
    - receiver: deadman
      matchers: [alertname = Watchdog]
    - receiver: pagerduty-payments
      matchers: [team = payments, severity = page]
      routes:
        - receiver: database
          matchers: [component = db]
    - receiver: audit
      matchers: [team = payments]
      continue: true
    - receiver: payments
      matchers: [team = payments]
    - receiver: leftovers
      matchers: [team =~ "pay.*"]
receivers: [{name: default}, {name: deadman}, {name: pagerduty-payments}, {name: database}, {name: audit},
  {name: payments}, {name: leftovers}]
"""
ROOT = parse_routing("am.yml", "/", TEXT).root


def test_almost() -> None:
    trace = explain_routes(ROOT, {"alertname": "A", "team": "payments", "severity": "pgae"})
    assert trace.lines() == (
        "am.yml:11 receiver audit: matched (default > audit)",
        "am.yml:14 receiver payments: matched (default > payments)",
        "am.yml:16 receiver leftovers: matches too, but am.yml:14 (receiver payments) comes first and has no "
        "`continue: true`",
        'am.yml:6 receiver pagerduty-payments: almost, severity="page" but the alert has severity="pgae"',
        'am.yml:4 receiver deadman: almost, alertname="Watchdog" but the alert has alertname="A"',
    )
    assert len(trace.lines(shown=1)) == 4


def test_nested_and_missing_label() -> None:
    trace = explain_routes(ROOT, {"alertname": "A", "team": "payments", "severity": "page"})
    assert trace.lines()[0] == "am.yml:6 receiver pagerduty-payments: matched (default > pagerduty-payments)"
    assert [item.route.receiver for item in trace.shadowed] == ["audit", "payments", "leftovers"]
    (database,) = [item for item in trace.almost if item.route.receiver == "database"]
    assert database.seen is None
    assert any("no label component" in line for line in trace.lines())


def test_default() -> None:
    trace = explain_routes(ROOT, {"alertname": "A"})
    assert [item.route.receiver for item in trace.matched] == ["default"]
    assert not trace.shadowed


def test_expression_that_only_go_reads() -> None:
    text = 'route:\n  receiver: a\n  routes: [{matchers: ["b=~\\"\\\\\\\\pL+\\""]}]\nreceivers: [{name: a}]\n'
    trace = explain_routes(parse_routing("am.yml", "/", text).root, {"b": "x"})
    assert len(trace.matched) == 1


def test_agrees_with_the_server_on_public_trees() -> None:
    """`got` is what `amtool config routes test` answered."""
    if not CORPUS.is_dir():
        pytest.skip(f"no corpora at {CORPUS}")
    cases = json.loads((CORPUS / "giantswarm.routing-tests.json").read_text())
    for case in cases:
        path = Path(CORPUS, case["config"])
        root = parse_routing(path.name, str(path.parent), path.read_text()).root
        labels = dict(label.split("=", 1) for label in case["labels"])
        seen = [item.route.receiver for item in explain_routes(root, labels).matched]
        assert seen == case["got"], case["name"]
    assert len(cases) > 10
