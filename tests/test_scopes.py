"""Scopes and matrix: several pairs of servers in one run, each with a stack of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from servers import NO_SERVERS, PAIRS, unavailable
from shop import edit, run

RECORD = """\
groups:
- name: records
  rules:
  - record: job:errors:ratio_rate5m
    expr: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m]))
"""
ALERT = """\
groups:
- name: alerts
  rules:
  - alert: ManyErrors
    expr: job:errors:ratio_rate5m > 0.1
    labels: {severity: ticket}
"""
ALERTMANAGER = """\
route: {receiver: RECEIVER}
receivers:
- name: RECEIVER
  slack_configs: [{api_url: "https://hooks.slack.com/x", channel: "#x"}]
"""
SRE = """\
oncall:
- {match: {severity: ticket}, reaches: ["oncall-*"]}
rules: [shared.yml]
scopes:
- name: production
  folder: production
  rules: [rules.yml, ../shared.yml]
- name: staging
  folder: staging
"""


@pytest.fixture(scope="module", autouse=True)
def _servers() -> None:
    if not PAIRS:
        unavailable(NO_SERVERS)


@pytest.fixture
def scoped(tmp_path: Path) -> Path:
    """Two scopes: the alert is shared, the recording rule that it needs is in one of them only."""
    folder = tmp_path / "repo"
    for name in ("production", "staging"):
        (folder / name).mkdir(parents=True)
        (folder / name / "alertmanager.yml").write_text(ALERTMANAGER.replace("RECEIVER", f"oncall-{name}"))
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "sre.yaml").write_text(SRE)
    (folder / "shared.yml").write_text(ALERT)
    (folder / "production" / "rules.yml").write_text(RECORD)
    return folder


def test_each_scope_has_its_own_rules_and_its_own_oncall(scoped: Path) -> None:
    result = run(scoped, PAIRS[0])

    assert result.status == 0, result.output
    assert set(result.outcomes) == {
        *(
            f"shared.yml::ManyErrors::{check}[{scope}]"
            for check in ("fires", "pages", "quiet", "detects", "resolves", "steady", "runbook")
            for scope in SCOPES
        ),
        *(f"{scope}/alertmanager.yml::{one}[{scope}]" for scope in SCOPES for one in ("loads", "coverage")),
        *(f"shared.yml::loads[{scope}]" for scope in SCOPES),
        "production/rules.yml::loads[production]",
    }
    production, staging = result.seen
    assert [production["scope"], staging["scope"]] == ["production", "staging"]
    assert production["alerts"][0]["notifications"][0]["receiver"] == "oncall-production"
    assert staging["alerts"][0]["notifications"][0]["receiver"] == "oncall-staging"
    names = [
        {one["labels"]["__name__"] for one in seen["alerts"][0]["series"]} for seen in (production, staging)
    ]
    assert names == [{"errors_total", "requests_total"}, {"job:errors:ratio_rate5m"}]


SCOPES = ("production", "staging")


def test_only_the_selected_scope_has_a_stack(scoped: Path) -> None:
    result = run(scoped, PAIRS[0], "-k", "staging")

    assert result.status == 0, result.output
    assert result.seen["scope"] == "staging"


def test_a_broken_stack_costs_its_own_scope_only(scoped: Path) -> None:
    sre = scoped / "sre.yaml"
    sre.write_text(sre.read_text() + "  servers: {alertmanager: {feature_flags: [no-such-flag]}}\n")
    result = run(scoped, PAIRS[-1])

    assert result.status == 10
    of_staging = {outcome for node, outcome in result.outcomes.items() if "staging" in node}
    of_production = {outcome for node, outcome in result.outcomes.items() if "[production]" in node}
    assert of_production == {"PASSED"}
    assert "ERROR" in of_staging
    assert "no-such-flag" in result.output


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("name: staging", "name: production", "two scopes are called production"),
        ("name: staging", "name: 'a b'", "sre.yaml:8: scopes.1.name"),
        ("folder: staging", "folder: nowhere", "there is no folder"),
        ("folder: staging", "strict: true", "sre.yaml:9: scopes.1.strict: unknown key"),
    ],
)
def test_what_is_wrong_with_a_scope_is_told(scoped: Path, old: str, new: str, told: str) -> None:
    edit(scoped / "sre.yaml", old, new)
    result = run(scoped, PAIRS[0])

    assert result.status == 4
    assert told in result.output


def test_rules_on_the_command_line_need_no_scopes(scoped: Path) -> None:
    result = run(scoped, PAIRS[0], "--sre-rules=shared.yml")

    assert result.status == 4
    assert "sre.yaml has scopes" in result.output


def test_the_same_alerts_on_all_versions(repo: Path) -> None:
    others = [option for pair in PAIRS[1:] for option in pair.options]
    result = run(repo, PAIRS[0], *others, "-k", "MemoryLow or alertmanager")

    assert result.status == 0, result.output
    versions = [seen["label"] for seen in result.seen]
    assert len(set(versions)) == len(PAIRS)
    assert versions == ["+".join(seen["versions"].values()) for seen in result.seen]
    items = {
        f"rules/platform.yml::MemoryLow::{check}[{one}]"
        for check in ("fires", "pages", "quiet", "detects", "resolves", "steady")
        for one in versions
    }
    items |= {f"rules/platform.yml::MemoryLow::{check}" for check in ("runbook", "known")}
    items |= {f"alertmanager.yml::{name}[{one}]" for one in versions for name in ("loads", "coverage")}
    assert set(result.outcomes) == items
    assert set(result.outcomes.values()) == {"PASSED"}
    for one in versions:  # each stage once, although the stacks take turns
        assert (
            len(re.findall(rf"^sre: .* s  {re.escape(one)}: \d of 1 alerts fire$", result.output, re.M)) == 1
        )


def test_a_version_that_does_not_start_costs_only_its_own_tests(repo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "prometheus"
    broken.write_text("#!/bin/sh\nexec false\n")
    broken.chmod(0o755)
    shutil.copy(PAIRS[0].promtool, tmp_path / "promtool")
    result = run(
        repo, PAIRS[0], f"--sre-prometheus={broken}", "-k", "MemoryLow and fires", "--sre-backend=process"
    )

    assert result.status == 10
    assert sorted(result.outcomes.values()) == ["ERROR", "PASSED"]


def test_servers_that_do_not_pair_up_are_a_usage_error(repo: Path) -> None:
    pair = PAIRS[0]
    result = run(repo, pair, *pair.options, f"--sre-prometheus={pair.prometheus}")

    assert result.status == 4
    assert "--sre-prometheus 3 times" in result.output
