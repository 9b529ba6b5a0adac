"""The fixture `sre`, its marker and own hooks, on real servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from servers import REPO, Pair
from shop import run

from pytest_sre.errors import UserError
from pytest_sre.incidents.fixture import read_marker
from pytest_sre.incidents.incident import Incident, Told
from pytest_sre.session import EXIT_BROKEN_STACK

BLOCKS = re.findall(r"^```python\n(.*?)^```$", (REPO / "docs" / "python.md").read_text("utf-8"), re.M | re.S)
TESTS, TOGETHER, ROUTES, MARKED, CHECKS, DECODE, EXPECT = BLOCKS
FAILING = """\
import pytest

def test_late(sre):
    incident = sre.burn(slo="checkout-availability", error_ratio=0.05)
    incident.expect_page("CheckoutErrorBudgetBurnFast", within="6m")

def test_name(sre):
    sre.burn(slo="checkout-availabilty", error_ratio=0.05)

def test_alert(sre):
    sre.fire("CheckoutErrorBudgetBurnFats")

@pytest.mark.sre(scop="eu")
def test_marker(sre): ...
"""
LATE = """\
E       AssertionError: 5 % of the requests of checkout-availability fail:
E         expected: CheckoutErrorBudgetBurnFast pages within 6m
E         seen:     rules/checkout.yml:110 CheckoutErrorBudgetBurnFast: fires after 17m30s, reaches audit-log, pagerduty-checkout
E                   rules/checkout.yml:134 CheckoutErrorBudgetBurnSlow: fires after 1h18m, reaches audit-log, slack-tickets
E         next:     shorten its `for` or its windows, or allow more time
"""
BROKEN_HOOKS = """\
def pytest_sre_expect(case):
    if case.rule.name == "CheckoutErrorBudgetBurnFast":
        raise KeyError("mine")
    if case.rule.name == "CheckoutErrorBudgetBurnSlow":
        return ["own words"]
"""
ALERT = "rules/checkout.yml::CheckoutErrorBudgetBurn"


def test_the_documented_tests_pass(repo: Path, pair: Pair) -> None:
    for name, text in (("incidents", TESTS), ("together", TOGETHER), ("routes", ROUTES)):
        (repo / "tests" / f"test_{name}.py").write_text(text)
    seen = run(repo, pair, *(f"tests/test_{name}.py" for name in ("incidents", "together", "routes")))
    assert seen.status == 0, seen.output
    assert list(seen.outcomes.values()) == ["PASSED"] * 7


def test_the_examples_own_tests_pass(repo: Path, pair: Pair) -> None:
    shutil.copy(REPO / "examples/shop/tests/test_incidents.py", repo / "tests")
    seen = run(repo, pair, "-k", "test_incidents or (BurnFast and pages)")
    assert seen.status == 0, seen.output
    mine = [node for node in seen.outcomes if node.startswith("tests/test_incidents.py::")]
    assert len(mine) == 3
    assert {seen.outcomes[node] for node in mine} == {"PASSED"}


def test_failures_say_what_was_expected_seen_and_what_to_do(repo: Path, newest: Pair) -> None:
    (repo / "tests" / "test_incidents.py").write_text(FAILING)
    seen = run(repo, newest, "tests/test_incidents.py")
    assert seen.status == 1
    assert LATE in seen.output
    assert "there is no SLO checkout-availabilty; did you mean checkout-availability?" in seen.output
    assert "there is no alert CheckoutErrorBudgetBurnFats; did you mean" in seen.output
    assert '@pytest.mark.sre takes scope="…" and version="…", not scop' in seen.output
    assert seen.outcomes["tests/test_incidents.py::test_marker"] == "ERROR"
    assert "pytest_sre/incidents" not in seen.output.replace("pytest_sre.incidents", "")


def test_without_the_option_it_is_skipped(repo: Path) -> None:
    (repo / "tests" / "test_incidents.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "tests/test_incidents.py"]
    environment = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(command, cwd=repo, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert "needs the real servers: run pytest --sre-alerts" in done.stdout


def test_a_broken_stack_is_told_and_ends_with_its_own_status(repo: Path, pair: Pair) -> None:
    (repo / "tests" / "test_incidents.py").write_text(TESTS)
    broken = replace(pair, prometheus=Path("/nowhere/prometheus"))
    seen = run(repo, broken, "tests/test_incidents.py")
    assert seen.status == EXIT_BROKEN_STACK, seen.output
    assert "/nowhere/prometheus" in seen.output
    assert set(seen.outcomes.values()) == {"ERROR"}, seen.output
    assert "2 errors" in seen.output
    assert "failed" not in seen.output
    assert "Traceback" not in seen.output
    assert "pytest_sre/" not in seen.output


def test_own_hooks_as_documented(repo: Path, newest: Pair) -> None:
    (repo / "conftest.py").write_text(f"{CHECKS}\n{DECODE}\n{EXPECT}")
    seen = run(repo, newest, "-k", "CheckoutErrorBudgetBurn and (owner or pages)", "rules/checkout.yml")
    assert seen.status == 0, seen.output
    assert seen.outcomes == {
        f"{ALERT}{speed}::{check}": "PASSED" for speed in ("Fast", "Slow") for check in ("owner", "pages")
    }
    for alert in seen.seen["alerts"]:
        summary = alert["fired"][0]["annotations"]["summary"]
        own = [one for one in alert["notifications"] if one["integration"] == "webhook"]
        assert own
        assert all((one["title"], one["text"]) == (alert["alert"], summary) for one in own)
        assert all(one["texts"] == {"title": alert["alert"], "text": summary} for one in own)


def test_the_report_has_incidents_as_own_decoders_read_them(repo: Path, newest: Pair) -> None:
    # It raises for notifications without alerts of their own name: those stay as they are.
    (repo / "conftest.py").write_text(
        "def pytest_sre_decode(kind, payload):\n"
        "    if kind == 'webhook':\n"
        "        return {'title': {'CheckoutErrorBudgetBurnFast': 'mine'}[payload['alerts'][0]['labels']['alertname']]}\n"
    )
    seen = run(repo, newest, "sre.yaml::incidents")
    assert seen.status == 0, seen.output
    sent = [
        one["texts"]
        for group in seen.seen["incidents"][0]["notifications"]
        for one in group["sent"]
        if group["receiver"] == "audit-log"
    ]
    assert len(sent) == 2
    assert [one for one in sent if one == {"title": "mine"}]
    assert [one for one in sent if len(one) > 1]


def test_what_own_hooks_find_and_raise(repo: Path, newest: Pair) -> None:
    unlabelled = CHECKS.replace("not in", "in")
    (repo / "conftest.py").write_text(f"{unlabelled}\n{BROKEN_HOOKS}")
    line = len(CHECKS.splitlines()) + 1 + 3
    seen = run(repo, newest, "-k", "BudgetBurn and (owner or pages)", "rules/checkout.yml")
    assert f"{ALERT}Fast::owner" in seen.failed()
    assert "CheckoutErrorBudgetBurnFast has no label team [owner]" in seen.output
    assert f"conftest.py:{line}: pytest_sre_expect raised KeyError: 'mine' [pages]" in seen.output
    assert "own words [pages]" in seen.output
    assert seen.outcomes["rules/checkout.yml::CheckoutLatencyBudgetBurnFast::pages"] == "PASSED"


@pytest.mark.parametrize(
    "mark", [pytest.mark.sre("eu"), pytest.mark.sre(scope=1), pytest.mark.sre(scope="a", other="b")]
)
def test_wrong_markers(mark: pytest.MarkDecorator) -> None:
    with pytest.raises(UserError, match=r"@pytest.mark.sre takes"):
        read_marker([mark.mark])


def test_the_nearest_marker_counts() -> None:
    marks = [pytest.mark.sre(scope="near").mark, pytest.mark.sre(scope="far", version="1").mark]
    assert read_marker(marks) == {"scope": "near", "version": "1"}
    assert "@pytest.mark.sre(scope=" in MARKED


def test_within_needs_a_burn_and_must_be_a_duration() -> None:
    incident = Incident("A fires", (Told("A", "x.yml:1", "page", True),), ("A",))
    with pytest.raises(UserError, match="5 minutes"):
        incident.expect_page("A", within="5 minutes")
    with pytest.raises(AssertionError, match="reaches nobody"):
        incident.expect_page("A")
    with pytest.raises(AssertionError, match="expected: A does not fire"):
        incident.expect_quiet("A")
    with pytest.raises(UserError, match=r"use sre\.burn"):
        incident.expect_page("A", within="5m")
