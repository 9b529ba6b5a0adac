"""The example, whole and broken in one place at a time, on the real servers of every version pair."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from servers import PAIRS, Pair
from shop import SUMMARY, Result, command, edit, run

FAST = "rules/checkout.yml::CheckoutErrorBudgetBurnFast"
UNIT = "tests/checkout_test.yml::outage::alert CheckoutErrorBudgetBurnFast at 10m"
UNIT_OF_RECORD = "tests/checkout_test.yml::outage::expr job:http_requests:error_ratio_rate5m at 10m"
INCIDENT = "sre.yaml::incidents::checkout outage"
SLOW = "rules/checkout.yml::CheckoutErrorBudgetBurnSlow"


def test_everything_in_the_example_is_proven(repo: Path, pair: Pair) -> None:
    proxy = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    result = run(repo, pair, "--sre-strict", env=proxy)

    assert result.status == 0, result.output
    assert set(result.outcomes.values()) == {"PASSED"}
    assert re.search(SUMMARY, result.output)
    alerts = {alert["alert"]: alert for alert in result.seen["alerts"]}
    assert len(alerts) == len({node.split("::")[1] for node in result.outcomes if node.endswith("::fires")})
    fast = alerts["CheckoutErrorBudgetBurnFast"]
    assert fast["fired"][0]["sent_labels"]["cluster"] == "shop-eu-1"
    assert "replica" not in fast["fired"][0]["sent_labels"]
    page = next(n for n in fast["notifications"] if n["receiver"] == "pagerduty-checkout")
    assert page["destination"] == "https://events.pagerduty.com/v2/enqueue"
    assert "CheckoutErrorBudgetBurnFast" in str(page["texts"])
    assert "sretag" not in str(result.seen)
    mail = next(n for n in alerts["MemoryLow"]["notifications"] if n["integration"] == "email")
    assert mail["destination"] == "smtp://smtp.shop.example:587 -> platform@shop.example"


def wrong_severity(repo: Path) -> None:
    edit(repo / "rules/checkout.yml", "severity: page", "severity: pgae")


def wrong_receiver(repo: Path) -> None:
    edit(
        repo / "alertmanager.yml",
        "          receiver: pagerduty-checkout",
        "          receiver: pagerduty-payments",
    )


def missing_continue(repo: Path) -> None:
    edit(repo / "alertmanager.yml", "      continue: true\n", "")


def wide_inhibition(repo: Path) -> None:
    edit(repo / "alertmanager.yml", ', slo=~".+"]', "]")
    edit(repo / "alertmanager.yml", "    equal: [cluster, slo]\n", "")


def broken_template(repo: Path) -> None:
    edit(
        repo / "templates/shop.tmpl",
        "{{ .Annotations.description }}",
        "{{ .Annotations.description.nothing }}",
    )


def misspelt_metric(repo: Path) -> None:
    rate5m = 'rate(http_requests_total{job="checkout", code=~"5.."}[5m])'
    edit(repo / "rules/checkout.yml", rate5m, rate5m.replace("requests", "request"))


def unreachable_threshold(repo: Path) -> None:
    rule = """      - alert: CheckoutErrorBudgetBurnFast
        expr: job:http_requests:error_ratio_rate1h > (20 * 0.05) and job:http_requests:error_ratio_rate5m > (20 * 0.05)
        labels:"""
    path = repo / "rules/checkout.yml"
    text, count = re.subn(
        r"      - alert: CheckoutErrorBudgetBurnFast\n.*?        labels:",
        rule,
        path.read_text(),
        count=1,
        flags=re.S,
    )
    assert count == 1
    path.write_text(text)


def tickets(result: Result) -> set[str]:
    return {
        f"{alert['file']}::{alert['alert']}::pages"
        for alert in result.seen["alerts"]
        if any(one["labels"]["severity"] == "ticket" for one in alert["fired"])
    }


def everything(result: Result) -> set[str]:
    return {node for node in result.outcomes if node.endswith("::pages")} | {INCIDENT}


MISTAKES = (
    wrong_severity,
    wrong_receiver,
    missing_continue,
    wide_inhibition,
    broken_template,
    misspelt_metric,
    unreachable_threshold,
)
LIVE = "loads or fires or pages or known or runbook or incidents or coverage"


@pytest.mark.parametrize(
    ("break_it", "fails", "hints"),
    [
        (wrong_severity, lambda _: {f"{FAST}::pages", "sre.yaml::checkout-availability::policy[1h page]", UNIT, INCIDENT}, (FAST.split("::")[0] + ":", 'severity="pgae"', "alertmanager.yml:")),
        (wrong_receiver, lambda _: {f"{FAST}::pages", "rules/checkout.yml::CheckoutLatencyBudgetBurnFast::pages", INCIDENT},
         ("expected:", "pagerduty-checkout", "pagerduty-payments")),
        (missing_continue, everything, ("audit-log", "continue")),
        (wide_inhibition, tickets, ("is inhibited by", "alertmanager.yml:", "equal")),
        (broken_template, everything, ("template", "description")),
        (misspelt_metric, lambda _: {f"{FAST}::known", UNIT_OF_RECORD}, ("http_request_total", "did you mean http_requests_total?")),
        (unreachable_threshold, lambda _: {f"{FAST}::fires", f"{FAST}::pages", "sre.yaml::checkout-availability::policy[1h page]", UNIT, INCIDENT}, ("20", "95 %")),
    ],
    ids=lambda value: value.__name__ if callable(value) and value.__name__ != "<lambda>" else "",
)  # fmt: skip
def test_a_mistake_fails_just_what_it_breaks(
    repo: Path,
    pair: Pair,
    break_it: Callable[[Path], None],
    fails: Callable[[Result], set[str]],
    hints: tuple[str, ...],
) -> None:
    break_it(repo)
    # Virtual time, which takes most of a run, is asked of one version, of another for each mistake.
    whole = pair is PAIRS[MISTAKES.index(break_it) % len(PAIRS)]
    result = run(repo, pair, *([] if whole else ["-k", LIVE]))

    expected = fails(result) if whole else fails(result) & set(result.outcomes)
    assert expected
    assert whole or not [node for node in result.outcomes if "policy" in node or node.endswith("::steady")]
    assert result.failed() == expected, result.output
    assert result.status == 1
    message = result.message(sorted(expected)[0])
    for hint in hints:
        assert hint in message, message


def test_only_what_is_selected_is_fired(repo: Path, pair: Pair) -> None:
    result = run(repo, pair, f"{FAST}::fires", "rules/platform.yml::MemoryLow")

    assert result.status == 0, result.output
    assert {alert["alert"] for alert in result.seen["alerts"]} == {"CheckoutErrorBudgetBurnFast", "MemoryLow"}


def test_verdicts_do_not_depend_on_the_hour(repo: Path, pair: Pair) -> None:
    never = "time_intervals:\n  - name: always\n    time_intervals: [{times: [{start_time: 00:00, end_time: 24:00}]}]\n\n"
    edit(repo / "alertmanager.yml", "inhibit_rules:", never + "inhibit_rules:")
    edit(
        repo / "alertmanager.yml",
        "      repeat_interval: 1h\n",
        "      repeat_interval: 1h\n      mute_time_intervals: [always]\n",
    )
    result = run(repo, pair, "-k", "BurnFast and pages")

    assert result.status == 0, result.output
    assert FAST + "::pages" in result.outcomes
    assert any("mute_time_intervals" in change["where"] for change in result.seen["changes"])


def test_broken_files_cost_nobody_else_their_tests(repo: Path, pair: Pair) -> None:
    (repo / "rules/yaml.yml").write_text("groups:\n- name: a\n  rules: [\n")
    (repo / "rules/promql.yml").write_text("groups:\n- name: a\n  rules:\n  - alert: A\n    expr: up ==\n")
    edit(repo / "alertmanager.yml", "slack_configs:\n      - channel", "slack_configs:\n      - chanel")
    result = run(repo, pair, *([] if pair is PAIRS[0] else ["-k", LIVE]))

    assert result.status == 1
    assert "Traceback" not in result.output
    assert {
        "rules/yaml.yml::loads",
        "rules/promql.yml::loads",
        "rules/promql.yml::A::fires",
    } <= result.failed()
    assert "rules/promql.yml:5" in result.output
    assert "alertmanager.yml::loads" in result.failed()
    assert "chanel" in result.message("alertmanager.yml::loads")
    assert result.outcomes[f"{FAST}::fires"] == "PASSED"
    assert result.outcomes[f"{FAST}::pages"] == "FAILED"


def test_a_server_that_does_not_start_is_told_once(repo: Path, pair: Pair) -> None:
    bad = repo.parent / "prometheus"
    bad.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo prometheus, version 9.9.9;; *) echo no disk; exit 3;; esac\n'
    )
    bad.chmod(0o755)
    result = run(repo, pair, f"--sre-prometheus={bad}", "-k", "BurnFast")

    assert result.status == 10
    assert result.output.count("no disk") == 1
    assert len(re.findall(r"proven, 1 NOT proven \(error\)", result.output)) == 1
    assert not re.search(r"proven, \d+ failed", result.output)
    assert "Traceback" not in result.output


def test_nothing_is_left_behind(repo: Path, pair: Pair, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {"TMPDIR": str(temporary)}
    assert run(repo, pair, "-k", "MemoryLow", env=env).status == 0
    assert ours(temporary) == []

    killed = subprocess.Popen(command(pair), cwd=repo, env={**os.environ, **env}, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not servers_of(temporary):
        time.sleep(0.05)
    assert servers_of(temporary)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    while time.monotonic() < deadline and servers_of(temporary):
        time.sleep(0.05)
    assert servers_of(temporary) == []
    assert run(repo, pair, "-k", "MemoryLow", env=env).status == 0
    assert ours(temporary) == []


def ours(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def servers_of(folder: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        if any(f"={folder}" in word for word in process.info["cmdline"] or ()):
            found.append(process.info["pid"])
    return found


def test_keep_leaves_the_stack_up(repo: Path, pair: Pair) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        result = run(repo, pair, "-k", "MemoryLow", "--sre-keep", env={"TMPDIR": temporary})
        pids = [int(pid) for pid in re.findall(r"\(pid (\d+)\)", result.output)]
        try:
            assert result.status == 0, result.output
            assert len(pids) == 2
            assert all(psutil.pid_exists(pid) for pid in pids)
            assert "http://127.0.0.1:" in result.output
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)


def test_a_template_file_that_is_missing_is_told_with_its_line(repo: Path, pair: Pair) -> None:
    edit(repo / "alertmanager.yml", "templates/*.tmpl", "texts/*.tmpl")
    result = run(repo, pair, "-k", "BurnFast and (fires or pages) or loads")

    assert result.outcomes["alertmanager.yml::loads"] == "FAILED"
    assert "alertmanager.yml:10: this file does not load" in result.message("alertmanager.yml::loads")
    assert "no file matches texts/*.tmpl" in result.output
    assert result.outcomes[f"{FAST}::fires"] == "PASSED"


def test_templates_of_production_are_found_beside_the_configuration(repo: Path, pair: Pair) -> None:
    edit(repo / "alertmanager.yml", "  - templates/*.tmpl", "  - /etc/nowhere/alertmanager/*.tmpl")
    result = run(repo, pair, "-k", "MemoryLow")

    assert result.status == 0, result.output
    assert any("/etc/nowhere" in change["what"] for change in result.seen["changes"])
