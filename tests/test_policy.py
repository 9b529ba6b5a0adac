"""The check policy: is somebody told before too much of the budget is spent?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.checks import policy
from pytest_sre.checks.case import Skipped, Verdict, calls_itself_a_page
from pytest_sre.checks.policy import Detection, judge, kind_of_alert, label
from pytest_sre.model.finding import Finding, Location
from pytest_sre.model.observation import FileVerdict, Observations, TimedObservation
from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.model.slo import Notify, PolicyEntry, Slo
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.promql.selector import selector
from pytest_sre.settings import Severities
from pytest_sre.sources.discover import BrokenFile, Inventory
from pytest_sre.sources.prometheus import PrometheusConfig

HOUR, DAY = 3600.0, 86400.0
PAGE, TICKET = PolicyEntry(HOUR, "page", 0.1), PolicyEntry(DAY, "ticket", 0.5)


def slo(objective: float = 99.9) -> Slo:
    errors, total = selector('hits{code=~"5.."}'), selector("hits")
    return Slo("checkout", objective, 30 * DAY, errors, None, total, Location("sre.yaml", 3))


def rule(name: str, **labels: str) -> Rule:
    return Rule("alert", name, "up == 0", Location("rules.yml", len(name)), 7, "g", 0, labels)


def held(name: str, hold: float) -> Rule:
    return Rule("alert", name, "up == 0", Location("rules.yml", 1), 1, "g", 0, hold=hold)


def alert(kind: Notify | None, after: float | None, name: str = "Burn") -> Detection:
    return Detection(rule(name), kind, after)


def only(verdict: Verdict) -> Finding:
    assert isinstance(verdict, tuple)
    (finding,) = verdict
    return finding


PASSES = {
    "a page in time": (PAGE, [alert("page", 100)]),
    "one of several": (PAGE, [alert("page", None, "Slow"), alert("ticket", 5), alert("page", 359.0)]),
    "a ticket in time": (TICKET, [alert("ticket", 2.4 * HOUR)]),
    "a page for a ticket": (TICKET, [alert("page", 60)]),
}


@pytest.mark.parametrize(("entry", "seen"), PASSES.values(), ids=PASSES)
def test_somebody_is_told_in_time(entry: PolicyEntry, seen: list[Detection]) -> None:
    assert judge(slo(), entry, seen) == ()


FAILS = {
    "too late": (PAGE, [alert("page", 361.0)], "Burn comes nearest: it fires after 6m 1s, with 10% spent"),
    "just at the deadline": (PAGE, [alert("page", 360.0)], "it fires after 6m, with 10% spent"),
    "never": (PAGE, [alert("page", None)], "Burn never fires at this error ratio"),
    "a ticket for a page": (
        PAGE,
        [alert("ticket", 52)],
        "it fires after 52s, with 1.44% spent, but is a ticket",
    ),
    "neither": (TICKET, [alert(None, 52)], "with 0.0602% spent, but is neither page nor ticket"),
    "the nearest page, not an earlier ticket": (
        PAGE,
        [alert("ticket", 52), alert("page", 700, "Slower"), alert("page", 400, "Slow")],
        "Slow comes nearest: it fires after 6m 40s, with 11.1% spent",
    ),
}


@pytest.mark.parametrize(("entry", "seen", "nearest"), FAILS.values(), ids=FAILS)
def test_the_failure_names_the_nearest_alert_and_all_in_a_table(
    entry: PolicyEntry, seen: list[Detection], nearest: str
) -> None:
    finding = only(judge(slo(), entry, seen))

    assert finding.location == Location("sre.yaml", 3)
    assert nearest in finding.seen
    assert len(finding.details) == len(seen)
    assert all(any(one.rule.name in line for line in finding.details) for one in seen)


def test_the_expectation_is_told_in_figures() -> None:
    finding = only(judge(slo(), PAGE, [alert("page", None)]))

    assert finding.summary == "checkout: no alert pages before 10% of the error budget is spent"
    assert finding.expected == "a page within 6m when 72% of the requests fail (720x burn, budget gone in 1h)"


def test_an_outage_is_the_worst_there_is() -> None:
    # At 99 % even an outage needs 7.2 h; a tenth of the budget is gone after 43.2 minutes.
    assert judge(slo(99), PAGE, [alert("page", 43 * 60.0)]) == ()
    finding = only(judge(slo(99), PAGE, [alert("page", 44 * 60.0)]))
    assert (
        finding.expected
        == "a page within 43m 12s when 100% of the requests fail (100x burn, budget gone in 7.2h)"
    )


def test_no_alert_at_all_is_a_finding_of_its_own() -> None:
    finding = only(judge(slo(), PAGE, []))

    assert finding.summary == "checkout: no alert reads the series of this SLO"
    assert 'hits{code=~"5.."} and hits' in finding.expected


def test_where_not_all_alerts_are_known_there_is_no_verdict() -> None:
    unknown = ["Burn: no series found that fire it"]

    for seen in ([], [alert("page", None)]):
        assert judge(slo(), PAGE, seen, unknown) == Skipped(
            "not all alerts were put through virtual time: Burn: no series found that fire it"
        )
    assert judge(slo(), PAGE, [alert("page", 5)], unknown) == ()


def observed(*reasons: tuple[Rule, str], broken: Iterable[str] = ()) -> Observations:
    timed = {rule: TimedObservation(rule, reason=reason) for rule, reason in reasons}
    return Observations({}, {path: FileVerdict(path, error="no") for path in broken}, (), {}, timed=timed)


def inventory(rules: Sequence[Rule], broken: Iterable[str] = ()) -> Inventory:
    group = RuleGroup("g", Location("r.yml", 1), tuple(rules), {})
    unread = tuple(BrokenFile(path, 1, "no") for path in broken)
    files = (RuleFile("r.yml", (group,)),)
    return Inventory(Path(), files, unread, (), None, PrometheusConfig(), Snapshots())


def test_only_alerts_that_might_be_meant_count_as_unknown() -> None:
    def of(expr: str, severity: str) -> Rule:
        return Rule("alert", "A", expr, Location("r.yml", 1), 1, "g", 0, {"severity": severity})

    record = Rule("record", "errors", "rate(hits[5m])", Location("r.yml", 1), 1, "g", 0)
    known = of("hits > 1", "page")
    far, near, slow = of("misses > 1", "page"), of("errors > 1", "page"), of("errors > 1", "ticket")
    seen = observed((far, "why"), (near, "why not"), (slow, "later"), (known, ""))
    every = inventory([record, far, near, slow, known])

    assert policy.untold(slo(), PAGE, seen, every, Severities()) == ("A: why not",)
    assert policy.untold(slo(), TICKET, seen, every, Severities()) == ("A: why not", "A: later")


def test_alerts_of_rule_files_that_do_not_load_count_as_unknown() -> None:
    seen = observed(broken=["r.yml", "alertmanager.yml", "r.test.yml"])

    assert policy.untold(slo(), PAGE, seen, inventory([]), Severities()) == ("r.yml does not load",)
    unread = inventory([], broken=["x.yml"])
    assert policy.untold(slo(), PAGE, observed(), unread, Severities()) == ("x.yml does not load",)


def test_an_alert_that_fires_already_tells_nothing_new() -> None:
    seen = [Detection(rule("Burn", severity="page"), "page", None, early=True)]
    finding = only(judge(slo(), PAGE, seen))

    assert finding.seen == "Burn fires before the burn already"
    assert finding.details[0].endswith("Burn: fires before the burn already (see quiet)")


ADVICE = {
    "a shorter for": (slo(), PAGE, [Detection(held("Burn", 600.0), "page", 690.0)], "without `for: 10m` Burn would fire after 1m 30s"),
    "another label": (slo(), PAGE, [alert("ticket", 52, "Fast"), alert("page", None)], "Fast is soon enough: label it"),
    "a burn that cannot be": (slo(90), PAGE, [alert("page", None)], "at most 10x; one of 14.4x needs an objective of at least 93.06 %"),
    "a faster one": (slo(), PAGE, [alert("page", 9999)], "for instance 6x over 6h and 30m"),
    "a slower one will do": (slo(), TICKET, [alert("ticket", 90000.0)], "for instance 1x over 3d and 6h"),
    "faster than usual": (slo(), PolicyEntry(HOUR, "page", 0.01), [alert("page", 9999)], "a shorter long window"),
}  # fmt: skip


@pytest.mark.parametrize(("one", "entry", "seen", "advice"), ADVICE.values(), ids=ADVICE)
def test_what_to_do_next(one: Slo, entry: PolicyEntry, seen: list[Detection], advice: str) -> None:
    assert advice in only(judge(one, entry, seen)).next_step


kinds = st.sampled_from(["page", "ticket", None])
detections = st.lists(st.tuples(kinds, st.none() | st.floats(0, 2 * DAY)), min_size=1, max_size=5)


@given(seen=detections, objective=st.floats(50, 99.99), spent=st.floats(0.01, 1.0), notify=st.sampled_from(["page", "ticket"]))  # fmt: skip
def test_the_verdict_is_that_of_the_budget(
    seen: list[tuple[Notify | None, float | None]], objective: float, spent: float, notify: Notify
) -> None:
    one, entry = slo(objective), PolicyEntry(HOUR, notify, spent)
    verdict = judge(one, entry, [alert(*pair) for pair in seen])
    good = {"page"} if notify == "page" else {"page", "ticket"}
    times = [after for kind, after in seen if kind in good and after is not None]

    assert (verdict == ()) == any(one.spent(entry.ratio(one), after) < spent for after in times)


# Page or ticket


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ({"severity": "page"}, "page"),
        ({"priority": "P1"}, "page"),
        ({"severity": "Warning"}, "ticket"),
        ({"severity": "warning", "level": "critical"}, "page"),
        ({"severity": "info"}, None),
        ({"team": "page"}, None),
        ({}, None),
    ],
)
def test_labels_say_what_an_alert_is(labels: dict[str, str], kind: Notify | None) -> None:
    assert Severities().kind_of(labels) == kind
    assert calls_itself_a_page(rule("A", **labels), Severities()) == (kind == "page")


def test_severities_can_be_told() -> None:
    own = Severities(labels=("klass",), page=("Rot",), ticket=("gelb",))

    assert own.kind_of({"klass": "rot", "severity": "ticket"}) == "page"
    assert own.kind_of({"klass": "gelb"}) == "ticket"
    assert own.kind_of({"severity": "page"}) is None


@pytest.mark.parametrize(
    ("labels", "notified", "kind"),
    [
        ({"severity": "ticket"}, ["pagerduty"], "ticket"),
        ({"severity": "page"}, ["email"], "page"),
        ({}, ["slack", "pagerduty"], "page"),
        ({}, ["webhook"], "ticket"),
        ({}, [], None),
        ({}, None, None),
    ],
)
def test_receivers_count_where_labels_say_nothing(
    labels: dict[str, str], notified: list[str] | None, kind: Notify | None
) -> None:
    assert kind_of_alert(rule("A", **labels), Severities(), notified) == kind


# Figures


def test_ids_are_short() -> None:
    assert [label(one) for one in (PAGE, TICKET, PolicyEntry(5400, "page", 0.1))] == [
        "1h page",
        "1d ticket",
        "90m page",
    ]
    assert policy.NAME == "policy"
