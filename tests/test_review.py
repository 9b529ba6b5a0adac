"""--sre-changed: only what changed is tested, and the summary reads like a review."""

from __future__ import annotations

from pathlib import Path

import pytest
from history import commit, git, start
from servers import NO_SERVERS, PAIRS, unavailable
from shop import Result, edit, run

from pytest_sre.model.finding import Location
from pytest_sre.model.observation import AlertObservation, FiredAlert, Notification, Observations
from pytest_sre.model.routing import Integration
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Scenario
from pytest_sre.report.review import Change, headline, review


@pytest.fixture
def committed(repo: Path) -> Path:
    """The example in a git repository, all of it committed."""
    start(repo.parent.parent)
    return repo


def against(repo: Path, *options: str) -> Result:
    if not PAIRS:
        unavailable(NO_SERVERS)
    return run(repo, PAIRS[0], "--sre-changed", *options)


def test_nothing_changed_is_success_without_any_server(committed: Path) -> None:
    edit(committed / "rules/platform.yml", "groups:\n", "groups: # all of them\n")
    result = against(committed)

    assert result.status == 0, result.output
    assert result.outcomes == {}
    assert "0 new, 0 changed, 0 removed alerts" in result.output
    assert "starting Prometheus" not in result.output


def test_an_slo_that_changed_is_asked_again(committed: Path) -> None:
    edit(committed / "sre.yaml", "objective: 99.9\n", "objective: 99.8\n")
    result = against(committed, "-k", "policy or resolves")

    assert result.status == 0, result.output
    assert set(result.outcomes) == {
        *(f"sre.yaml::checkout-availability::policy[{entry}]" for entry in ("1h page", "1d ticket")),
        *(f"rules/checkout.yml::CheckoutErrorBudgetBurn{one}::resolves" for one in ("Fast", "Slow")),
    }
    assert "CheckoutErrorBudgetBurnSlow: SLO checkout-availability" in result.output


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_the_summary_reads_like_a_review(committed: Path, options: tuple[str, ...]) -> None:
    git(committed, "checkout", "-q", "-b", "feature")
    rules = committed / "rules/platform.yml"
    edit(rules, "alert: ServiceDown", "alert: ServiceGone")
    edit(rules, "team: platform", "team: payments")
    edit(rules, "alert: ContainerRestarts", "alert: ContainersRestart")
    disk = rules.read_text().index("      - alert: DiskAlmostFull")
    memory = rules.read_text().index("      - alert: MemoryLow")
    rules.write_text(rules.read_text()[:disk] + rules.read_text()[memory:])
    edit(
        committed / "alertmanager.yml",
        "          receiver: email-platform",
        "          receiver: slack-tickets",
    )
    result = against(committed, *options)

    told = result.output.partition("- pytest-sre -")[2]
    for line in (
        "compared with main",
        "1 new, 3 changed, 2 removed alerts",
        "1 new alert pages audit-log, pagerduty-payments: ServiceGone",
        "1 removed alert paged audit-log, pagerduty-platform: ServiceDown",
        "3 changed alerts notify audit-log, slack-tickets (before: audit-log, email-platform): "
        "InstanceDown, MemoryLow, ContainersRestart",
        "1 removed alert notified audit-log, email-platform: DiskAlmostFull",
        "rules/platform.yml:5 ServiceGone: new",
        "rules/platform.yml:38 ContainersRestart: renamed from ContainerRestarts",
        "rules/platform.yml:16 InstanceDown: route alertmanager.yml:36",
    ):
        assert line in told, told
    alerts = {
        node.split("::")[1] for node in result.outcomes if node.startswith("rules/") and node.count("::") > 1
    }
    assert result.report["base"].startswith("main (")
    assert {one["alert"] for one in result.report["changed"]} == alerts
    assert [one["alert"] for one in result.report["removed"]] == ["ServiceDown", "DiskAlmostFull"]
    assert alerts == {"ServiceGone", "InstanceDown", "MemoryLow", "ContainersRestart"}


def test_a_new_alert_in_a_new_file(committed: Path) -> None:
    expr = "expr: up == 0\n      labels: {severity: page, team: payments}\n"
    (committed / "rules/new.yml").write_text(
        f"groups:\n- name: new\n  rules:\n    - alert: Fresh\n      {expr}"
    )
    result = against(committed, "-k", "not runbook")

    assert result.status == 0, result.output
    assert "1 new alert pages audit-log, pagerduty-payments: Fresh" in result.output
    assert "rules/new.yml::loads" in result.outcomes


def test_a_base_that_does_not_fire_is_no_verdict(committed: Path) -> None:
    edit(committed / "alertmanager.yml", "receiver: slack-low-priority", "receiver: nobody-knows")
    commit(committed, "broken")
    edit(committed / "alertmanager.yml", "receiver: nobody-knows", "receiver: slack-low-priority")
    result = against(committed, "-k", "MemoryLow")

    assert result.status == 0, result.output
    assert "notifies audit-log, email-platform (before: not known): MemoryLow" in result.output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--sre-changed=no-such-branch",), "no-such-branch"),
        (("--sre-changed", "rules/platform.yml"), "name the revision as --sre-changed=BASE"),
    ],
)
def test_a_wrong_base_is_a_usage_error(committed: Path, options: tuple[str, ...], told: str) -> None:
    result = against(committed, *options)

    assert result.status == 4
    assert told in result.output
    assert "Traceback" not in result.output


def test_without_a_repository(repo: Path) -> None:
    result = against(repo)

    assert result.status == 4
    assert "git" in result.output


# The wording


def rule(name: str, severity: str = "page") -> Rule:
    return Rule("alert", name, "x", Location("r.yml", 1), 1, "g", 0, {"severity": severity})


def seen(**receivers: tuple[Rule, tuple[str, ...]]) -> Observations:
    alerts = {
        rule: AlertObservation(
            rule,
            Scenario(rule, (), ()),
            "firing",
            fired=(FiredAlert({}, {}, "1", "", {}, "f"),),
            notifications=tuple(
                Notification(Integration(one, "slack", 0), "", 0, 200, {}, "", "f") for one in names
            ),
        )
        for rule, names in receivers.values()
    }
    return Observations(alerts, {}, (), {})


def test_new_alerts_with_the_same_receivers_share_a_line() -> None:
    a, b, c = rule("A"), rule("B"), rule("C", "ticket")
    change = Change(
        "eu",
        {a: ["new"], b: ["new"], c: ["new"]},
        {},
        (),
        (),
        seen(a=(a, ("x",)), b=(b, ("x",)), c=(c, ())),
        None,
    )

    assert review([change])[:2] == ["eu: 2 new alerts page x: A, B", "eu: 1 new alert notifies nobody: C"]
    assert headline([change, change]) == "6 new, 0 changed, 0 removed alerts"


def test_what_was_not_seen_is_not_claimed() -> None:
    old, new, gone = rule("A"), rule("A"), rule("G")
    change = Change("", {new: ["for: 5m → 10m"]}, {new: old}, (gone,), ("remark",), None, None)

    assert review([change]) == [
        "1 changed alert was not seen to page anybody: A",
        "1 removed alert, not seen to fire: G",
        "r.yml:1 A: for: 5m → 10m",
        "r.yml:1 G: removed",
        "remark",
    ]


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (("x",), ("x",), "still pages x"),
        (("x",), (), "no longer pages anybody (before: x)"),
        ((), ("x", "y"), "pages x, y (before: nobody)"),
    ],
)
def test_before_and_after(was: tuple[str, ...], now: tuple[str, ...], told: str) -> None:
    old, new = rule("A"), rule("A")
    change = Change("", {new: ["route"]}, {new: old}, (), (), seen(a=(new, now)), seen(a=(old, was)))

    assert review([change])[0] == f"1 changed alert {told}: A"
