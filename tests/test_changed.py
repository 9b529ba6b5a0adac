"""`--sre-changed` on scripted histories: which alerts are selected, and why."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
import yaml
from history import changed, commit, git, settings_of, start
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from shop import edit

from pytest_sre.changed.compare import compare
from pytest_sre.changed.side import Side
from pytest_sre.sources.discover import discover

FAST, SLOW = "CheckoutErrorBudgetBurnFast", "CheckoutErrorBudgetBurnSlow"


@pytest.fixture
def shop(repo: Path, tmp_path: Path) -> Path:
    """The example shop as a repository; pytest's root is a folder deep in it."""
    start(tmp_path)
    return repo


@pytest.fixture
def aside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the repository."""
    return tmp_path_factory.mktemp("aside")


def test_nothing_changed(shop: Path, aside: Path) -> None:
    run = changed(shop, aside)

    assert (run.why, run.comparison.new, run.comparison.removed) == ({}, (), ())
    assert run.comparison.files == frozenset()
    assert len(run.comparison.previous) == 13


def test_a_reformatted_rule_is_the_same(shop: Path, aside: Path) -> None:
    path = shop / "rules/checkout.yml"
    document = yaml.safe_load(path.read_text())
    for group in document["groups"]:
        for rule in group["rules"]:
            rule["expr"] = f"( {' '.join(rule['expr'].split())} ) # so"
    path.write_text("# another comment\n" + yaml.safe_dump(document, width=60))

    assert changed(shop, aside).why == {}


def test_a_threshold(shop: Path, aside: Path) -> None:
    edit(shop / "rules/checkout.yml", "(3 * 0.001)", "(4 * 0.001)")

    run = changed(shop, aside)

    assert run.why == {SLOW: ["expression"]}
    assert run.comparison.files == {"rules/checkout.yml", "tests/checkout_test.yml"}


def test_for_and_labels_show_their_values(shop: Path, aside: Path) -> None:
    edit(shop / "rules/platform.yml", "for: 5m", "for: 10m")
    edit(shop / "rules/checkout.yml", "slo: checkout-latency\n", "slo: latency\n")

    why = changed(shop, aside).why

    assert ["for: 5m → 10m"] in why.values()
    assert "label slo: checkout-latency → latency" in why["CheckoutLatencyBudgetBurnFast"]


def test_a_recording_rule_and_one_two_levels_down(shop: Path, aside: Path) -> None:
    path = shop / "rules/levels.yml"
    path.write_text(
        "groups: [{name: g, rules: ["
        "{record: deep, expr: sum(a)}, {record: middle, expr: deep * 2}, {record: other, expr: sum(b)},"
        "{alert: Deep, expr: middle > 1}, {alert: Other, expr: other > 1}]}]"
    )
    commit(shop)
    edit(path, "sum(a)", "sum(c)")
    edit(shop / "rules/checkout.yml", 'code=~"5.."}[1d]', 'code=~"5..|429"}[1d]')

    run = changed(shop, aside)

    assert run.why == {
        "Deep": ["recording rule deep (2 levels down)"],
        SLOW: ["recording rule job:http_requests:error_ratio_rate1d"],
    }


def test_a_group_acts_through_its_settings(shop: Path, aside: Path) -> None:
    edit(shop / "prometheus.yml", "evaluation_interval: 30s", "evaluation_interval: 1m")

    why = changed(shop, aside).why

    assert "evaluation interval: 30s → 1m" in why[FAST]


def test_external_labels_concern_all(shop: Path, aside: Path) -> None:
    edit(shop / "prometheus.yml", "cluster: shop-eu-1", "cluster: shop-eu-2")

    why = changed(shop, aside).why

    assert len(why) == 13
    assert why[FAST] == ["external label cluster: shop-eu-1 → shop-eu-2"]


def test_a_route_concerns_those_that_take_it(shop: Path, aside: Path) -> None:
    edit(shop / "alertmanager.yml", "      group_wait: 10s\n", "      group_wait: 20s\n")

    run = changed(shop, aside)

    assert FAST in run.why
    assert SLOW not in run.why
    assert run.why[FAST] == ["route alertmanager.yml:28 (to pagerduty-checkout)"]
    assert run.comparison.files == {"alertmanager.yml"}


def test_a_route_for_somebody_else_concerns_only_them(shop: Path, aside: Path) -> None:
    edit(
        shop / "alertmanager.yml",
        '      routes:\n        - matchers: [team="checkout"]',
        '      routes:\n        - matchers: [alertname="PaymentsQueueBacklog"]\n          receiver: slack-tickets\n'
        '        - matchers: [team="checkout"]',
    )

    assert set(changed(shop, aside).why) <= {"PaymentsQueueBacklog"}


def test_a_receiver(shop: Path, aside: Path) -> None:
    edit(shop / "alertmanager.yml", "channel: '#shop-tickets'", "channel: '#tickets'")

    run = changed(shop, aside)

    assert run.why[SLOW] == ["receiver slack-tickets"]
    assert FAST not in run.why


def test_a_global_concerns_who_uses_it(shop: Path, aside: Path) -> None:
    edit(shop / "alertmanager.yml", "secrets/slack-url", "secrets/slack-other")

    run = changed(shop, aside)

    assert run.why[SLOW] == ["receiver slack-tickets"]
    assert FAST not in run.why


def test_a_template(shop: Path, aside: Path) -> None:
    path = shop / "templates/shop.tmpl"
    edit(path, "<h3>", "<h4>")

    run = changed(shop, aside)

    assert set(map(tuple, run.why.values())) == {("template shop.email.html",)}
    assert {rule.labels["team"] for rule in run.comparison.reasons} == {"platform"}
    assert run.comparison.files == {"alertmanager.yml"}


def test_a_comment_in_a_template_is_none(shop: Path, aside: Path) -> None:
    edit(
        shop / "templates/shop.tmpl",
        '{{ define "shop.text" -}}',
        '{{define   "shop.text" -}} {{- /* hm */ -}}',
    )

    run = changed(shop, aside)

    assert (run.why, run.comparison.files) == ({}, frozenset())


def test_a_runbook(shop: Path, tmp_path: Path, aside: Path) -> None:
    edit(tmp_path / "runbooks/checkout-burn.md", "Roll back", "Roll  back")

    page = ["runbook ../../runbooks/checkout-burn.md"]
    assert changed(shop, aside).why == {FAST: page, SLOW: page}


def test_an_inhibit_rule(shop: Path, aside: Path) -> None:
    edit(shop / "alertmanager.yml", "equal: [cluster, slo]", "equal: [slo, cluster]")
    assert changed(shop, aside).why == {}

    edit(shop / "alertmanager.yml", "equal: [slo, cluster]", "equal: [slo]")
    (aside / "2").mkdir()
    assert changed(shop, aside / "2").why[SLOW] == ["inhibit rule alertmanager.yml:42"]


def test_settings(shop: Path, aside: Path) -> None:
    edit(shop / "sre.yaml", "reaches: [pagerduty-payments, audit-log]", "reaches: [pagerduty-payments]")

    run = changed(shop, aside)

    assert {rule.labels["team"] for rule in run.comparison.reasons} == {"payments"}
    assert set(map(tuple, run.why.values())) == {("expectation in `oncall` of sre.yaml",)}


def test_server_settings_concern_all(shop: Path, aside: Path) -> None:
    with (shop / "sre.yaml").open("a") as file:
        file.write("servers: {prometheus: {lookback_delta: 3m}}\n")

    run = changed(shop, aside)

    assert len(run.why) == 13
    assert "alertmanager.yml" in run.comparison.files


AVAILABILITY, LATENCY, PAYMENTS = "checkout-availability", "checkout-latency", "payments-availability"


def test_an_slo_concerns_the_alerts_that_read_its_series(shop: Path, aside: Path) -> None:
    edit(shop / "sre.yaml", "objective: 99.9\n", "objective: 99.5\n")

    run = changed(shop, aside)

    assert run.why == {FAST: [f"SLO {AVAILABILITY}"], SLOW: [f"SLO {AVAILABILITY}"]}
    assert run.comparison.slos == {AVAILABILITY}
    assert run.comparison.files == frozenset()


def test_another_spelling_of_an_slo_is_the_same(shop: Path, aside: Path) -> None:
    edit(shop / "sre.yaml", "window: 30d", "window: 720h", 0)
    edit(shop / "sre.yaml", 'errors: \'http_requests_total{job="checkout",code=~"5.."}',
         'errors: \'http_requests_total{code=~"5..", job="checkout"}')  # fmt: skip

    run = changed(shop, aside)

    assert (run.why, run.comparison.slos) == ({}, frozenset())


def test_a_new_slo_and_one_that_is_gone(shop: Path, aside: Path) -> None:
    edit(shop / "sre.yaml", f"name: {LATENCY}", "name: checkout-speed")

    run = changed(shop, aside)

    assert list(run.why.values()) == [["SLO checkout-speed (new)", f"SLO {LATENCY} (no longer)"]] * 2
    assert run.comparison.slos == {"checkout-speed"}


def test_the_policy_concerns_all_slos(shop: Path, aside: Path) -> None:
    edit(shop / "sre.yaml", "before_spent: 10%", "before_spent: 5%")

    run = changed(shop, aside)

    assert len(run.why) == 6
    assert run.comparison.slos == {AVAILABILITY, LATENCY, PAYMENTS}


def test_severities_concern_the_alerts_that_they_make_something_else(shop: Path, aside: Path) -> None:
    with (shop / "sre.yaml").open("a") as file:
        file.write("severities: {page: [page], ticket: [low]}\n")

    run = changed(shop, aside)

    assert {rule.labels["severity"] for rule in run.comparison.reasons} == {"ticket"}
    assert set(map(tuple, run.why.values())) == {
        ("by `severities` of sre.yaml: ticket → neither page nor ticket",)
    }
    assert run.comparison.slos == {AVAILABILITY, LATENCY, PAYMENTS}


def test_the_policy_is_asked_again_where_an_alert_about_the_slo_changed_or_went(
    shop: Path, aside: Path
) -> None:
    edit(shop / "rules/checkout.yml", "(3 * 0.001)", "(4 * 0.001)")
    path = shop / "rules/payments.yml"
    document = yaml.safe_load(path.read_text())
    document["spec"]["groups"][0]["rules"].pop()
    path.write_text(yaml.safe_dump(document))

    run = changed(shop, aside)

    assert [rule.name for rule in run.comparison.removed] == ["PaymentsErrorBudgetBurnSlow"]
    assert run.comparison.slos == {AVAILABILITY, PAYMENTS}


def test_a_service_of_another_job_has_nothing_to_do_with_an_slo(shop: Path, aside: Path) -> None:
    rule = "groups: [{name: g, rules: [{alert: Other, expr: 'rate(http_requests_total{job=\"search\"}[5m]) > 5'}]}]"
    (shop / "rules/search.yml").write_text(rule)

    run = changed(shop, aside)

    assert run.why == {"Other": ["new"]}
    assert run.comparison.slos == frozenset()


def test_the_share_of_errors_while_all_is_well_concerns_all(shop: Path, aside: Path) -> None:
    with (shop / "sre.yaml").open("a") as file:
        file.write("healthy_error_share: 0.001\n")

    assert len(changed(shop, aside).why) == 13


def test_snapshots(shop: Path, tmp_path: Path, aside: Path) -> None:
    with (tmp_path / "fixtures/more.prom").open("w") as file:
        file.write('payments_queue_length{job="x",extra="y"} 1\n')

    why = changed(shop, aside).why

    assert set(why) == {"PaymentsQueueBacklog"}
    assert why["PaymentsQueueBacklog"] == ["metric payments_queue_length in the snapshots"]


def test_a_value_in_a_snapshot(shop: Path, tmp_path: Path, aside: Path) -> None:
    page = tmp_path / "fixtures/shop.prom"
    page.write_text(page.read_text().replace('queue="capture"} 14', 'queue="capture"} 15'))

    assert set(changed(shop, aside).why) == {"PaymentsQueueBacklog"}


def test_an_alert_renamed(shop: Path, aside: Path) -> None:
    edit(shop / "rules/checkout.yml", f"alert: {SLOW}", "alert: CheckoutBurnSlow")

    run = changed(shop, aside)

    assert run.why["CheckoutBurnSlow"][0] == f"renamed from {SLOW}"
    assert [(rule.name, old) for rule, old in run.comparison.renamed.items()] == [("CheckoutBurnSlow", SLOW)]
    assert (run.comparison.new, run.comparison.removed) == ((), ())


def test_new_and_removed(shop: Path, aside: Path) -> None:
    (shop / "rules/new.yml").write_text("groups: [{name: g, rules: [{alert: Fresh, expr: up == 0}]}]")
    git(shop, "rm", "--quiet", "rules/payments.yml")

    run = changed(shop, aside)

    assert run.why == {"Fresh": ["new"]}
    assert [rule.name for rule in run.comparison.new] == ["Fresh"]
    assert {rule.labels["team"] for rule in run.comparison.removed} == {"payments"}
    assert run.comparison.files == {"rules/new.yml"}


def test_a_moved_file_and_a_moved_rule(shop: Path, aside: Path) -> None:
    (shop / "rules/platform.yml").rename(shop / "rules/infra.yml")

    run = changed(shop, aside)

    assert (run.why, run.comparison.files) == ({}, frozenset())
    assert {old.location.path for old in run.comparison.moved.values()} == {"rules/platform.yml"}


def test_alerts_that_share_a_name_stay_apart(shop: Path, aside: Path) -> None:
    path = shop / "rules/twins.yml"
    one = "{{alert: Twin, expr: 'up < {}', labels: {{severity: {}}}}}"
    head = "groups: [{name: g, rules: ["
    path.write_text(head + one.format(1, "page") + "," + one.format(2, "ticket") + "]}]")
    commit(shop)
    path.write_text(head + one.format(3, "ticket") + "," + one.format(1, "page") + "]}]")

    run = changed(shop, aside)

    assert [(rule.labels["severity"], str(*why)) for rule, why in run.comparison.reasons.items()] == [
        ("ticket", "expression")
    ]


def test_main_moved_on_meanwhile(shop: Path, aside: Path) -> None:
    git(shop, "switch", "--quiet", "-c", "topic")
    edit(shop / "rules/checkout.yml", "(3 * 0.001)", "(4 * 0.001)")
    commit(shop)
    git(shop, "switch", "--quiet", "main")
    edit(shop / "rules/platform.yml", "for: 5m", "for: 10m")
    commit(shop)
    git(shop, "switch", "--quiet", "topic")

    assert changed(shop, aside).why == {SLOW: ["expression"]}


def test_a_base_without_any_of_the_files(shop: Path, tmp_path: Path, aside: Path) -> None:
    git(shop, "switch", "--quiet", "--orphan", "empty")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "empty")
    git(tmp_path, "checkout", "--quiet", "main", "--", ".")

    run = changed(shop, aside, "HEAD")

    assert len(run.comparison.new) == 13
    assert set(map(tuple, run.why.values())) == {("new",)}
    assert run.comparison.unreadable == ()


@pytest.mark.parametrize("name", ["sre.yaml", "prometheus.yml", "alertmanager.yml", "rules/checkout.yml"])
def test_a_base_with_broken_yaml(name: str, shop: Path, aside: Path) -> None:
    good = (shop / name).read_text()
    (shop / name).write_text("groups: [")
    commit(shop)
    (shop / name).write_text(good)

    run = changed(shop, aside)

    assert FAST in run.why
    assert name in run.why[FAST][0]
    assert "base" in run.why[FAST][0]
    assert name in run.comparison.unreadable[0]
    assert run.comparison.new == () or name.startswith("rules")


def test_what_is_broken_now_is_not_gone(shop: Path, aside: Path) -> None:
    (shop / "rules/payments.yml").write_text("groups: [")

    run = changed(shop, aside)

    assert run.comparison.removed == ()
    assert run.comparison.files == {"rules/payments.yml"}


def test_paths_from_the_command_line(shop: Path, aside: Path) -> None:
    settings = settings_of(
        shop, rules=(str(shop / "rules/*.yml"),), alertmanager=str(shop / "alertmanager.yml")
    )
    edit(shop / "rules/checkout.yml", "(3 * 0.001)", "(4 * 0.001)")

    assert changed(shop, aside, settings=settings).why == {SLOW: ["expression"]}


def test_unrelated_changes_select_nothing(shop: Path, tmp_path: Path, aside: Path) -> None:
    (tmp_path / "runbooks/unused.md").write_text("# Nobody links here\n")
    edit(
        shop / "alertmanager.yml",
        "receivers:\n",
        "receivers:\n  - name: nobody\n    webhook_configs: [{url: 'https://x.example'}]\n",
    )
    edit(
        shop / "alertmanager.yml",
        "      routes:\n",
        "      routes:\n        - {matchers: [alertname=X], receiver: nobody}\n",
    )
    with (shop / "templates/shop.tmpl").open("a") as file:
        file.write('{{ define "unused" }}x{{ end }}\n')

    run = changed(shop, aside)

    assert run.why == {}
    assert run.comparison.files == {"alertmanager.yml"}


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000), width=st.integers(20, 200), flow=st.booleans())
def test_any_order_and_layout_is_the_same(repo: Path, aside: Path, seed: int, width: int, flow: bool) -> None:
    place = aside / f"{seed}-{width}-{flow}"
    shutil.copytree(repo.parents[1], place, dirs_exist_ok=True)
    root, shuffle = place / "examples/shop", random.Random(seed).shuffle
    for path in (root / "rules").glob("*.yml"):
        document = yaml.safe_load(path.read_text())
        groups = document.get("groups") or document["spec"]["groups"]
        shuffle(groups)
        for group in groups:
            shuffle(group["rules"])
            group["rules"] = [dict(sorted(rule.items(), reverse=flow)) for rule in group["rules"]]
        path.write_text(yaml.safe_dump(document, width=width, default_flow_style=flow, sort_keys=False))
    old, new = settings_of(repo), settings_of(root)

    found = compare(Side(old, discover(old)), Side(new, discover(new)))

    assert (dict(found.reasons), found.files, dict(found.moved)) == ({}, frozenset(), {})
