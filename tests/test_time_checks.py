"""The checks on virtual time: quiet, detects, resolves, steady. Their findings' texts are held by tests/test_docs.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

import pytest

from pytest_sre.checks import detects, quiet, resolves, steady
from pytest_sre.checks.case import Case, Skipped, Verdict
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict, TimedObservation
from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.model.timeline import Passage
from pytest_sre.settings import SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.synthesis.contrast import DEAD_MAN

CHECKS = pytest.mark.parametrize("check", [quiet, detects, resolves, steady], ids=lambda check: check.NAME)
RULE = Rule("alert", "Burn", "x > 1", Location("r.yml", 3), 4, "g", 0)
NEAR = Passage("near", "0.9x of the threshold", -150.0, 0.0, 30.0, factor=0.9)
PLAIN = Passage("burn", "above the threshold", -150.0, 900.0, 30.0, recovery=300.0, fired=60.0, ended=420.0)
WORST = Passage("burn", "100%", -150.0, 900.0, 30.0, fired=60.0, error_ratio=1.0, slo="shop")
MILD = Passage("burn", "1%", -150.0, 900.0, 30.0, error_ratio=0.01, slo="shop")
OWN = Passage("burn", "1.1x: 2%", -150.0, 900.0, 30.0, fired=90.0, error_ratio=0.02, slo="shop", factor=1.1)
SLOS = {"slos": [{"name": "shop", "objective": 99.9, "errors": 'hits{code="500"}', "total": "hits"}]}


REAL = Passage("snapshot", "fixtures/node.prom", -150.0, 0.0, 30.0)


def judge(
    check: ModuleType,
    passages: Sequence[Passage],
    rule: Rule = RULE,
    reason: str = "",
    real: Sequence[Passage] = (),
    moves: Sequence[Passage] = (),
) -> Verdict:
    inventory = Inventory(None, (), (), (), None, PrometheusConfig(), Snapshots())  # type: ignore[arg-type]
    timed = TimedObservation(rule, tuple(passages), reason, snapshots=tuple(real), moves=tuple(moves))
    verdict: Verdict = check.judge(Case(rule, None, {}, SreYaml.model_validate(SLOS), inventory, "", timed))
    return verdict


def summaries(check: ModuleType, *passages: Passage) -> list[str]:
    verdict = judge(check, passages)
    assert isinstance(verdict, tuple)
    return [finding.summary for finding in verdict]


@CHECKS
def test_all_is_as_it_should_be(check: ModuleType) -> None:
    assert summaries(check, NEAR, PLAIN, WORST, MILD, OWN) == []


@CHECKS
def test_what_was_not_run_is_no_verdict(check: ModuleType) -> None:
    assert judge(check, (), reason="no series found") == Skipped(
        "not put through virtual time: no series found"
    )
    empty = Inventory(None, (), (), (), None, PrometheusConfig(), Snapshots())  # type: ignore[arg-type]
    case = Case(RULE, None, {}, SreYaml(), empty, "")
    assert check.judge(case) == Skipped("nothing was run")
    (finding,) = check.judge(replace(case, files={"r.yml": FileVerdict("r.yml", error="no")}))
    assert finding.check == check.NAME


@pytest.mark.parametrize("check", [quiet, detects], ids=lambda check: check.NAME)
def test_an_evaluation_that_fails_is_told_once(check: ModuleType) -> None:
    broken = replace(PLAIN, error="many-to-many", fired=None, ended=None)

    assert summaries(check, broken, replace(broken, name="again")) == [
        "Prometheus cannot evaluate Burn at all times"
    ]


def test_quiet_tells_each_thing_once() -> None:
    healthy, met = "Burn fires while the service is healthy", "Burn fires while shop is met"
    early = [replace(one, early=-120.0) for one in (NEAR, PLAIN, WORST, MILD, OWN)]

    assert summaries(quiet, early[0], PLAIN) == ["Burn fires just below its threshold"]
    assert summaries(quiet, *early) == [healthy, met]
    below = replace(NEAR, slo="shop", error_ratio=0.0129, early=-120.0)
    assert summaries(quiet, below, WORST) == ["Burn fires just below its threshold"]
    verdict = judge(quiet, early[2:3])
    assert isinstance(verdict, tuple)
    assert verdict[0].expected.endswith("used up, that is, 0.01% of the requests fail")
    assert verdict[0].seen == "firing after 30s; 2m 30s were looked at"


def test_quiet_on_real_pages_whether_or_not_data_were_found() -> None:
    early = replace(REAL, early=-120.0, why=("leg held",))
    assert judge(quiet, [PLAIN], real=[REAL]) == ()
    for passages, reason in (([PLAIN], ""), ([], "no series found")):
        verdict = judge(quiet, passages, reason=reason, real=[early])
        assert isinstance(verdict, tuple)
        (finding,) = verdict
        assert finding.summary == "Burn fires on the snapshot of a healthy service"
        assert finding.expected == "no alert on what fixtures/node.prom shows"
        assert finding.seen == "firing after 30s; 2m 30s were looked at"
        assert finding.details == ("leg held",)
    assert isinstance(judge(quiet, [], reason="no series found", real=[REAL]), Skipped)
    assert isinstance(judge(detects, [], reason="no series found", real=[early]), Skipped)


def test_detects_its_own_threshold_and_some_ratio() -> None:
    deaf = [replace(one, fired=None) for one in (PLAIN, WORST, MILD, OWN)]

    assert summaries(detects, deaf[0], WORST) == ["Burn does not notice a burn"]
    assert summaries(detects, PLAIN, WORST, deaf[3]) == ["Burn does not notice a burn"]
    never = "Burn reads the series of shop, but no burn of it makes it fire"
    assert summaries(detects, PLAIN, *deaf[1:]) == [never]
    assert summaries(detects, PLAIN, WORST, deaf[2], OWN) == []
    # What fires already is what `quiet` finds.
    assert summaries(detects, *(replace(one, early=-120.0) for one in deaf)) == []


def test_resolves_after_each_burn_that_it_noticed() -> None:
    assert summaries(resolves, replace(PLAIN, ended=None)) == ["Burn does not end after recovery"]
    verdict = judge(resolves, [replace(PLAIN, fired=None, ended=None)])
    assert isinstance(verdict, Skipped)
    assert "did not fire on virtual time" in verdict.reason


def test_keeping_firing_for_days_is_a_warning() -> None:
    verdict = judge(resolves, [PLAIN], replace(RULE, keep_firing_for=2 * 86400.0))

    assert isinstance(verdict, tuple)
    assert [(one.severity, one.seen) for one in verdict] == [("warning", "keep_firing_for: 2d")]
    assert judge(resolves, [PLAIN], replace(RULE, keep_firing_for=3600.0)) == ()


def test_quiet_names_a_comparison_that_always_holds() -> None:
    reason = "fires on healthy data: none were found"
    for expr, words in (("up >= 0", "at least 0 and at most 1"), ("rate(hits_total[5m]) >= 0", "at least 0")):
        verdict = judge(quiet, [], replace(RULE, expr=expr), reason)
        assert isinstance(verdict, tuple)
        assert [one.summary for one in verdict] == ["Burn fires on all data"]
        assert words in verdict[0].seen
        assert verdict[0].details == (f"in        {expr}",)


def test_quiet_fails_nothing_that_is_not_proven() -> None:
    """Values may be below 0; whether there are series at all may be what is asked."""
    for expr in ("x >= 0", "count(up) > 0", "up == 0", "sum(x) < 3"):
        verdict = judge(quiet, [], replace(RULE, expr=expr), "fires on healthy data")
        assert isinstance(verdict, Skipped), expr


@CHECKS
def test_a_dead_mans_switch_is_skipped_with_strict_too(check: ModuleType) -> None:
    assert judge(check, [], replace(RULE, expr="vector(1)"), DEAD_MAN) == Skipped(DEAD_MAN, by_design=True)


def still_firing(expr: str, *others: str) -> tuple[str, str]:
    """Severity and next step where an alert does not end, beside other alerts of the repository."""
    rules = tuple(replace(RULE, name=f"Other{i}", expr=other) for i, other in enumerate(others))
    file = RuleFile("r.yml", (RuleGroup("g", Location("r.yml", 2), rules, {}),))
    inventory = Inventory(None, (file,), (), (), None, PrometheusConfig(), Snapshots())  # type: ignore[arg-type]
    rule = replace(RULE, expr=expr)
    seen = TimedObservation(rule, (replace(PLAIN, ended=None),))
    (found,) = resolves.judge(Case(rule, None, {}, SreYaml(), inventory, "", seen))
    assert isinstance(found, Finding)
    return found.severity, found.next_step


def test_what_is_a_counter_by_its_name_alone_is_a_warning() -> None:
    severity, step = still_firing("disks_offline_total > 0")
    assert severity == "warning"
    assert "if disks_offline_total is no counter" in step
    for expr, others in (
        ("errors_total > 5", ()),
        ("jobs_total > 5", ("rate(jobs_total[5m]) > 1",)),
        ("max_over_time(temperature[10m]) > 5", ()),
    ):
        severity, step = still_firing(expr, *others)
        assert severity == "error", expr
        assert "whatever its name" not in step


def test_an_end_after_months_is_a_warning() -> None:
    verdict = judge(resolves, [replace(PLAIN, ended=300.0 + 40 * 86400)])
    assert isinstance(verdict, tuple)
    assert [(one.severity, one.summary) for one in verdict] == [
        ("warning", "Burn ends only 40d after recovery")
    ]
    assert judge(resolves, [replace(PLAIN, ended=300.0 + 29 * 86400)]) == ()


ERRORS = 'sum(rate(hits{code="500"}[5m])) / sum(rate(hits[5m]))'


@pytest.mark.parametrize(
    ("expr", "severity", "found"),
    [
        (f"{ERRORS} > 0.0144", "page", True),
        (f"{ERRORS} > 0.0144", "ticket", False),
        ('sum by (pod) (rate(hits{code="500"}[5m])) / sum by (pod) (rate(hits[5m])) > 0.0144', "page", False),
        (
            'sum(rate(hits{code="500",path="/a"}[5m])) / sum(rate(hits{path="/a"}[5m])) > 0.0144',
            "page",
            False,
        ),
        ("histogram_quantile(0.9, sum by (le) (rate(hits_bucket[5m]))) > 2", "page", False),
    ],
    ids=["a page", "a ticket", "of each pod", "of one path", "a quantile"],
)
def test_a_page_for_next_to_nothing_is_told(expr: str, severity: str, found: bool) -> None:
    rule = replace(RULE, expr=expr, labels={"severity": severity})
    soon = replace(WORST, error_ratio=0.02, fired=60.0)
    verdict = judge(quiet, (NEAR, PLAIN, soon), rule)
    assert isinstance(verdict, tuple)
    assert any("of the error budget of shop" in one.summary for one in verdict) == found
