"""Routing tests of sre.yaml: label sets and their receivers, as items, on real servers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from servers import PAIRS, REPO, Pair
from shop import edit, run

ALERTMANAGER = """\
route:
  receiver: default
  routes:
    - matchers: [severity="page"]
      receiver: pager
      routes:
        - matchers: [team="payments"]
          receiver: payments
          continue: true
        - matchers: [tier="1"]
          receiver: boss
    - matchers: [team="payments"]
      receiver: tickets
receivers:
  - name: default
  - name: pager
    pagerduty_configs: [{routing_key: 00000000000000000000000000000000}]
  - name: payments
    slack_configs: [{api_url: "https://hooks.slack.com/x", channel: "#x"}]
  - name: boss
    webhook_configs: [{url: "https://boss.example/x"}]
  - name: tickets
"""
SRE = """\
routing:
  - labels: {severity: page, team: payments, tier: 1}
    receivers: [boss, payments]
  - name: nobody's alerts
    labels: {team: ""
      , app: x}
    receivers: [default]
  - name: pages [of payments]
    labels: {severity: pages, team: payments}
    receivers: [pager]
"""


@pytest.fixture
def routed(tmp_path: Path) -> Path:
    """A repository with routing tests, and no rules."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "sre.yaml").write_text(SRE)
    (folder / "alertmanager.yml").write_text(ALERTMANAGER)
    return folder


def test_label_sets_reach_exactly_the_receivers_stated(routed: Path, pair: Pair) -> None:
    result = run(routed, pair, "-k", "routing")

    assert result.outcomes == {
        "sre.yaml::routing::severity=page,team=payments,tier=1": "PASSED",
        "sre.yaml::routing::nobody's alerts": "PASSED",
        "sre.yaml::routing::pages (of payments)": "FAILED",
    }
    told = result.message("sre.yaml::routing::pages (of payments)").strip("_ \n").splitlines()
    assert "\n".join(told) in (REPO / "docs" / "routing.md").read_text()
    assert told == [
        "sre.yaml:8: pages [of payments] does not reach exactly the receivers stated [routing]",
        "  expected: pager",
        "  seen:     tickets",
        '  alert     {severity="pages", team="payments"}',
        '  route     alertmanager.yml:1 (all) > alertmanager.yml:12 team="payments" → tickets',
        '  not       alertmanager.yml:4 receiver pager: almost, severity="page" but the alert has severity="pages"',
        "  next:     mend the first route above that is not as you want it in alertmanager.yml, or `receivers` here",
    ]


def test_a_receiver_that_does_not_exist_is_the_users_mistake(routed: Path) -> None:
    edit(routed / "sre.yaml", "[pager]", "[pagers]")

    result = run(routed, PAIRS[0])

    assert result.status == 4
    assert (
        'sre.yaml:8: routing: alertmanager.yml has no receiver "pagers"; did you mean "pager"?'
        in result.output
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{severity: pages, team: payments}", "{}", "sre.yaml:9: routing.2.labels: needs a label"),
        ("[pager]", "[]", "sre.yaml:10: routing.2.receivers: "),
        (
            "name: pages [of payments]",
            "name: nobody's alerts",
            "two routing tests are called nobody's alerts",
        ),
        ("receivers: [pager]", "receiver: [pager]", "routing.2.receiver: unknown key"),
    ],
)
def test_what_is_wrong_in_a_routing_test_is_said_with_its_line(
    routed: Path, old: str, new: str, message: str
) -> None:
    edit(routed / "sre.yaml", old, new)

    result = run(routed, PAIRS[0])

    assert (result.status, message in result.output) == (4, True), result.output


def test_a_configuration_that_does_not_load_fails_the_test_with_its_place(routed: Path) -> None:
    edit(routed / "alertmanager.yml", "channel:", "chanel:")

    result = run(routed, PAIRS[-1], "-k", "nobody")

    assert result.outcomes == {"sre.yaml::routing::nobody's alerts": "FAILED"}
    assert "  seen:     alertmanager.yml:19: " in result.output, result.output


def test_with_changed_those_that_are_new_are_asked_and_all_where_the_configuration_changed(
    routed: Path,
) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(routed)]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "base"]):
        subprocess.run([*git, *command], check=True)
    edit(routed / "sre.yaml", "[pager]", "[tickets]")

    result = run(routed, PAIRS[0], "--sre-changed=HEAD")
    assert result.outcomes == {"sre.yaml::routing::pages (of payments)": "PASSED"}, result.output

    edit(
        routed / "sre.yaml",
        "    receivers: [boss, payments]",
        "    receivers: [boss, payments]\n    at: 2026-12-25T03:00:00Z",
    )
    result = run(routed, PAIRS[0], "--sre-changed=HEAD")
    assert "sre.yaml::routing::severity=page,team=payments,tier=1" in result.outcomes, result.output

    edit(routed / "alertmanager.yml", 'tier="1"', 'tier="2"')
    result = run(routed, PAIRS[0], "--sre-changed=HEAD", "-k", "routing")
    assert result.failed() == {"sre.yaml::routing::severity=page,team=payments,tier=1"}, result.output
    assert result.outcomes["sre.yaml::routing::nobody's alerts"] == "PASSED"


def test_without_a_configuration_nothing_is_proven(routed: Path) -> None:
    (routed / "alertmanager.yml").unlink()

    result = run(routed, PAIRS[0])

    assert set(result.outcomes.values()) == {"SKIPPED"}
    assert "no Alertmanager configuration was found" in run(routed, PAIRS[0], "-rs").output


def test_labels_that_this_version_does_not_take_cost_no_other_test(routed: Path, pair: Pair) -> None:
    edit(routed / "sre.yaml", "labels: {severity: pages,", "labels: {service.name: x, severity: pages,")
    result = run(routed, pair, "-k", "routing")

    assert result.outcomes["sre.yaml::routing::severity=page,team=payments,tier=1"] == "PASSED"
    said = result.message("sre.yaml::routing::pages (of payments)")
    assert ("is no alert to this Alertmanager" in said) == (pair.name == "bookworm")
    assert result.status == 1
