"""SLOs: the Workbook's formulas, and error ratios put into the series of an alert."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.model.slo import PolicyEntry, Slo, detection, least_objective, ratios, reset
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.promql.selector import selector
from pytest_sre.settings import Settings, read_sre_yaml
from pytest_sre.sources.discover import discover
from pytest_sre.synthesis.contrast import Behaviour, Contrast, contrast
from pytest_sre.synthesis.signals import Counter, Signal
from pytest_sre.synthesis.slo import at_ratio, is_apart, role

SECOND, MINUTE, HOUR, DAY = 1.0, 60.0, 3600.0, 86400.0
CODES = ('http_requests_total{job="checkout",code=~"5.."}', 'http_requests_total{job="checkout"}')
LATENCY = (
    'http_request_duration_seconds_bucket{job="checkout",le="0.3"}',
    'http_request_duration_seconds_count{job="checkout"}',
)
POLICY = (PolicyEntry(HOUR, "page", 0.1), PolicyEntry(DAY, "ticket", 0.5))


def slo(objective: float = 99.9, part: str = CODES[0], total: str = CODES[1], *, good: bool = False) -> Slo:
    """An SLO over 30 days."""
    errors, fine = (None, selector(part)) if good else (selector(part), None)
    return Slo("checkout", objective, 30 * DAY, errors, fine, selector(total), Location("sre.yaml", 2))


# Formulas


@pytest.mark.parametrize(
    ("objective", "budget"), [(99.9, 0.001), (99.95, 0.0005), (99.0, 0.01), (99.999, 1e-5), (90.0, 0.1)]
)
def test_the_budget_is_exact(objective: float, budget: float) -> None:
    assert slo(objective).budget == budget


@pytest.mark.parametrize(
    ("burn", "gone"), [(1, 30 * DAY), (2, 15 * DAY), (10, 3 * DAY), (1000, 43.2 * MINUTE), (35, 20.57 * HOUR)]
)
def test_the_workbooks_table_of_burn_rates(burn: float, gone: float) -> None:
    one = slo()

    assert one.burn_rate(burn * one.budget) == pytest.approx(burn)
    assert one.gone_after(burn * one.budget) == pytest.approx(gone, rel=1e-3)


def test_what_never_fails_lasts_for_ever() -> None:
    assert slo().gone_after(0.0) == math.inf


@pytest.mark.parametrize(
    ("burn", "window", "spent"), [(14.4, 1, 0.02), (6, 6, 0.05), (3, 24, 0.1), (1, 72, 0.1)]
)
def test_the_recommended_alerts_take_their_part_of_the_budget(
    burn: float, window: float, spent: float
) -> None:
    for ratio in (1.0, 0.15):
        after = detection(slo(), ratio, window * HOUR, burn)
        assert after is not None
        assert slo().spent(ratio, after) == pytest.approx(spent)


WINDOWS = {
    "10m@1": (10 * MINUTE, 1.0),
    "36h@1": (36 * HOUR, 1.0),
    "1h@36": (HOUR, 36.0),
    "1h@14.4": (HOUR, 14.4),
    "6h@6": (6 * HOUR, 6.0),
    "3d@1": (3 * DAY, 1.0),
}
TABLE = {
    1.0: (0.6, 2.16 * MINUTE, 2.16 * MINUTE, 51.84, 2.16 * MINUTE, 4.32 * MINUTE),
    0.15: (4.0, 14.4 * MINUTE, 14.4 * MINUTE, 5.76 * MINUTE, 14.4 * MINUTE, 28.8 * MINUTE),
    0.02: (30.0, 1.8 * HOUR, None, 43.2 * MINUTE, 1.8 * HOUR, 3.6 * HOUR),
    0.01: (MINUTE, 3.6 * HOUR, None, None, 3.6 * HOUR, 7.2 * HOUR),
    0.002: (5 * MINUTE, 18 * HOUR, None, None, None, 36 * HOUR),
}


@pytest.mark.parametrize("ratio", TABLE)
def test_the_workbooks_table_of_detection_times(ratio: float) -> None:
    for (window, burn), expected in zip(WINDOWS.values(), TABLE[ratio], strict=True):
        assert detection(slo(), ratio, window, burn) == (
            None if expected is None else pytest.approx(expected)
        )


def test_the_workbooks_reset_times() -> None:
    assert reset(slo(), 1.0, 36 * HOUR, 1) == pytest.approx(36 * HOUR, rel=2e-3)
    assert reset(slo(), 1.0, HOUR, 36) == pytest.approx(57.84 * MINUTE)
    assert reset(slo(), 0.15, HOUR, 14.4) == pytest.approx(54.24 * MINUTE)
    assert reset(slo(), 0.035, HOUR, 36) is None


@given(
    ratio=st.floats(0.001, 1.0),
    healthy=st.floats(0.0, 0.0009),
    burn=st.floats(1.0, 20.0),
    window=st.floats(MINUTE, 3 * DAY),
)
def test_detection_is_when_the_mean_of_the_window_crosses(
    ratio: float, healthy: float, burn: float, window: float
) -> None:
    after = detection(slo(), ratio, window, burn, healthy)

    def mean(time: float) -> float:
        return (time * ratio + (window - time) * healthy) / window

    if after is None:
        assert mean(window) <= slo().budget * burn * (1 + 1e-9)
    else:
        assert 0 <= after < window
        assert mean(after) == pytest.approx(slo().budget * burn)


def test_a_window_that_is_above_before_the_step_fires_at_once() -> None:
    assert detection(slo(), 0.5, HOUR, 1.0, healthy=0.01) == 0.0


@given(objective=st.floats(1.0, 99.999), seconds=st.floats(1.0, 40 * DAY), ratio=st.floats(1e-6, 1.0))
def test_spent_and_gone_are_two_sides_of_one_thing(objective: float, seconds: float, ratio: float) -> None:
    one = slo(objective)

    assert one.spent(ratio, one.gone_after(ratio)) == pytest.approx(1.0)
    assert one.spent(ratio, seconds) == pytest.approx(seconds / one.gone_after(ratio))
    assert one.burn_rate(1.0) == pytest.approx(one.most_burn)


@given(objective=st.floats(1.0, 99.999), within=st.floats(MINUTE, 30 * DAY), spent=st.floats(0.01, 1.0))
def test_a_policy_entry_burns_the_budget_in_its_time_or_everything_fails(
    objective: float, within: float, spent: float
) -> None:
    one, entry = slo(objective), PolicyEntry(within, "page", spent)
    ratio = entry.ratio(one)

    assert 0 < ratio <= 1
    assert one.gone_after(ratio) == pytest.approx(within) or (ratio == 1 and one.gone_after(1.0) > within)
    assert one.spent(ratio, entry.deadline(one)) == pytest.approx(spent)


@pytest.mark.parametrize(("burn", "objective"), [(14.4, 93.06), (6.0, 83.33), (3.0, 66.67)])
def test_the_least_objective_that_a_burn_rate_can_be_reached_at(burn: float, objective: float) -> None:
    assert least_objective(burn) == pytest.approx(objective, abs=0.005)
    assert slo(least_objective(burn) + 0.01).most_burn > burn > slo(least_objective(burn) - 0.01).most_burn


def test_one_failure_in_ten_requests_is_a_hundred_times_too_much() -> None:
    assert slo().burn_rate(1 / 10) == pytest.approx(100)


def test_ratios_are_the_policys_and_the_tables() -> None:
    assert ratios(slo(), POLICY) == pytest.approx((1.0, 0.72, 0.15, 0.03, 0.02, 0.01, 0.002))
    assert ratios(slo(99.0), POLICY) == pytest.approx((1.0, 0.3, 0.2, 0.1, 0.02))
    assert ratios(slo(), ()) == pytest.approx(tuple(TABLE))


@pytest.mark.parametrize("objective", [99.0, 99.7, 99.8, 99.9, 99.95])
@pytest.mark.parametrize("window", [7 * DAY, 28 * DAY, 30 * DAY])
def test_each_entrys_own_ratio_is_among_them(objective: float, window: float) -> None:
    one = replace(slo(objective), window=window)
    policy = [PolicyEntry(window / burn, "page", 0.1) for burn in (1000.0, 150.0, 20.0, 10.0, 2.0)]
    assert {entry.ratio(one) for entry in policy} <= set(ratios(one, policy))


# Selectors and roles


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("up[5m]", "plain selector"),
        ("rate(up[5m])", "plain selector"),
        ("up offset 5m", "offset"),
        ("up @ 5", "offset"),
        ('{job="a"}', "names no metric"),
        ("up{", "unexpected end"),
        (r'up{job=~"\\Aa\\z"}', "Python cannot read"),
    ],
)
def test_what_is_no_plain_selector(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        selector(text)


GOOD_CODES = 'http_requests_total{job="checkout",code!~"5.."}'
FAILED = "checkout_failures_total"
OUTCOMES = ('hits{result="error"}', 'hits{result="total"}')
ROLES = {
    "errors by label": (slo(), {"code": "500"}, "errors"),
    "what is not an error is good": (slo(), {"code": "200"}, "good"),
    "good by label": (slo(part=GOOD_CODES, good=True), {"code": "200"}, "good"),
    "what is not good is an error": (slo(part=GOOD_CODES, good=True), {"code": "500"}, "errors"),
    "another service": (slo(), {"code": "500", "job": "cart"}, None),
    "another metric": (slo(), {"__name__": "up"}, None),
    "a metric of errors": (slo(part=FAILED), {"__name__": FAILED}, "errors"),
    "beside a metric of all": (slo(part=FAILED), {"code": "200"}, "total"),
    "a value that means all": (slo(99.9, *OUTCOMES), {"__name__": "hits", "result": "total"}, "total"),
    "a value that means errors": (slo(99.9, *OUTCOMES), {"__name__": "hits", "result": "error"}, "errors"),
}


@pytest.mark.parametrize(("one", "labels", "expected"), ROLES.values(), ids=ROLES)
def test_roles(one: Slo, labels: dict[str, str], expected: str | None) -> None:
    assert role(one, {"__name__": "http_requests_total", "job": "checkout", **labels}) == expected


def test_buckets_are_good_and_their_count_is_all() -> None:
    one = slo(99.0, *LATENCY, good=True)
    labels = {"__name__": "http_request_duration_seconds_bucket", "job": "checkout"}

    assert role(one, {**labels, "le": "0.3"}) == "good"
    assert role(one, {**labels, "le": "0.5"}) is None
    assert role(one, {"__name__": "http_request_duration_seconds_count", "job": "checkout"}) == "total"
    top = slo(99.0, LATENCY[0], LATENCY[0].replace("0.3", "+Inf"), good=True)
    assert is_apart(top)
    assert role(top, {**labels, "le": "+Inf"}) == "total"


# Series of an alert at an error ratio


def made(expr: str, *records: Rule) -> Contrast:
    """The contrast of an alert."""
    alert = Rule("alert", "A", expr, Location("r.yml", 1), 1, "g", 0)
    found = contrast(alert, RuleIndex([*records, alert]), types={}, now=1.7e9, lookback=300.0, serial="1")
    assert isinstance(found, Contrast)
    return found


def rate(signal: Signal | None) -> float:
    assert isinstance(signal, Counter)
    assert (signal.level, signal.surge) == (0.0, 0.0)
    return signal.rate


def share_of_errors(one: Slo, series: tuple[Behaviour, ...], when: str) -> float:
    """What share of the SLO's requests fails, by its own selectors."""

    def total(chosen: str) -> float:
        matching = [b for b in series if getattr(one, chosen).matches(dict(b.labels))]
        return sum(rate(getattr(b, when)) for b in matching)

    ratio = total("part") / total("total")
    return ratio if one.errors else 1 - ratio


def burn(part: str, total: str, by: str = "job") -> str:
    return f"sum by ({by}) (rate({part}[5m])) / sum by ({by}) (rate({total}[5m])) > 0.0144"


LEFT_FREE = burn('http_requests_total{code=~"5.."}', "http_requests_total")
QUANTILE = (
    "histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m]))) > 0.3 "
    "and on (job) rate(http_request_duration_seconds_sum[5m]) > 0.1"
)
SLOW = f"1 - sum by (job) (rate({LATENCY[0]}[5m])) / sum by (job) (rate({LATENCY[1]}[5m])) > 0.144"
ABOUT = {
    "labels": (slo(), burn(*CODES)),
    "good ones by label": (
        slo(part=GOOD_CODES, good=True),
        "1 - (" + burn(GOOD_CODES, CODES[1]).replace(" > 0.0144", ") > 0.01"),
    ),
    "another metric": (slo(part=FAILED), burn(FAILED, CODES[1])),
    "a value for all": (slo(99.9, *OUTCOMES), burn(*OUTCOMES)),
    "a label left free": (slo(), LEFT_FREE),
    "only the errors": (slo(), f"rate({CODES[0]}[5m]) > 3"),
    "each instance": (slo(), burn(*CODES, by="instance")),
    "buckets": (slo(99.0, *LATENCY, good=True), SLOW),
    "a quantile": (slo(99.0, *LATENCY, good=True), QUANTILE),
}


@pytest.mark.parametrize(("one", "expr"), ABOUT.values(), ids=ABOUT)
def test_the_slos_ratio_is_what_its_own_selectors_see(one: Slo, expr: str) -> None:
    found = made(expr)
    for ratio in (1.0, 0.72, 0.15, 0.002):
        series = at_ratio(found, one, ratio)
        assert series is not None
        assert len({b.labels for b in series}) == len(series)
        assert share_of_errors(one, series, "burning") == pytest.approx(ratio)
        assert share_of_errors(one, series, "healthy") == pytest.approx(one.budget / 10)


OTHERS = {
    "other metric": "up == 0",
    "other service": burn(*(text.replace("checkout", "cart") for text in CODES)),
    "other label": burn('http_requests_total{job="checkout",status=~"5.."}', CODES[1]),
    "traffic": 'sum(rate(http_requests_total{code="200"}[5m])) < 1',
}


@pytest.mark.parametrize("expr", OTHERS.values(), ids=OTHERS)
def test_alerts_that_are_about_something_else(expr: str) -> None:
    assert at_ratio(made(expr), slo(), 0.5) is None


def test_an_alert_on_errors_alone_is_not_about_a_total_that_it_does_not_read() -> None:
    assert at_ratio(made(f"rate({FAILED}[5m]) > 3"), slo(part=FAILED), 0.5) is None


@pytest.mark.parametrize("expr", [SLOW, QUANTILE], ids=["buckets", "a quantile"])
def test_histograms_stay_whole(expr: str) -> None:
    one, found = slo(99.0, *LATENCY, good=True), made(expr)

    @given(ratio=st.floats(0.0, 1.0))
    def check(ratio: float) -> None:
        for when in ("healthy", "burning"):
            assert_whole(at_ratio(found, one, ratio) or (), when)

    check()


def assert_whole(series: tuple[Behaviour, ...], when: str) -> None:
    """Buckets are cumulative, the last one counts all, and the sum is one that they allow."""
    assert series
    rates = {
        (labels["__name__"].rpartition("_")[2], labels.get("le")): rate(getattr(b, when))
        for b in series
        for labels in [dict(b.labels)]
    }
    buckets = sorted((float(le), value) for (_, le), value in rates.items() if le)
    counts = [value for _, value in buckets]
    assert counts == sorted(counts)
    assert counts[-1] == pytest.approx(rates["count", None])
    if ("sum", None) in rates:
        steps = zip(buckets, [0.0, *counts], strict=False)
        most = sum((count - before) * min(le, 20.0) for (le, count), before in steps)
        assert 0 <= rates["sum", None] <= most * (1 + 1e-9)


def test_traffic_does_not_change_when_it_burns() -> None:
    one = slo()
    series = at_ratio(made(burn(*CODES)), one, 0.15) or ()

    seen = [sum(rate(getattr(b, when)) for b in series) for when in ("healthy", "near", "burning")]
    assert seen == pytest.approx([seen[0]] * 3)
    assert 50 <= seen[0] < 60


def test_traffic_is_as_high_as_the_alert_asks() -> None:
    found = made(f"{burn(*CODES)} and sum by (job) (rate({CODES[1]}[5m])) > 400")
    series = at_ratio(found, slo(), 0.15) or ()

    assert sum(rate(b.burning) for b in series) > 400


def test_a_free_label_takes_the_slos_value_on_all_series_alike() -> None:
    found = made(f"({LEFT_FREE}) and on (job) up == 1")
    series = [dict(b.labels) for b in at_ratio(found, slo(), 0.15) or ()]

    assert {labels["__name__"] for labels in series} == {"http_requests_total", "up"}
    assert {labels["job"] for labels in series} == {"checkout"}


def test_series_of_other_metrics_stay_healthy() -> None:
    found = made(f"({LEFT_FREE}) and on (job) deploying == 1")
    (other,) = (b for b in at_ratio(found, slo(), 0.15) or () if dict(b.labels)["__name__"] == "deploying")
    (before,) = (b for b in found.behaviours if dict(b.labels)["__name__"] == "deploying")

    assert before.healthy is not None
    assert other.burning == other.near == other.healthy == before.healthy


def test_the_shops_alerts_are_about_the_slos_that_they_name(repo: Path) -> None:
    settings = Settings(root=repo, folder=repo, search=repo, file=read_sre_yaml(repo / "sre.yaml"))
    rules = discover(settings).rules
    slos = [spec.as_model("sre.yaml") for spec in settings.file.slos]
    for alert in (rule for rule in rules if rule.kind == "alert"):
        found = contrast(alert, RuleIndex(rules), types={}, now=1.7e9, lookback=300.0, serial="1")
        assert isinstance(found, Contrast)
        about = [one.name for one in slos if at_ratio(found, one, 0.15)]
        assert about == [name for name in [alert.labels.get("slo")] if name], alert.name


def test_the_recommended_alerts_satisfy_the_default_policy_on_the_shops_slos(repo: Path) -> None:
    file = read_sre_yaml(repo / "sre.yaml")
    pages, tickets = ((HOUR, 14.4), (6 * HOUR, 6.0)), ((DAY, 3.0), (3 * DAY, 1.0))
    for one in (spec.as_model("sre.yaml") for spec in file.slos):
        for entry in (spec.as_model() for spec in file.policy):
            times = [
                detection(one, entry.ratio(one), window, burn, one.budget / 10)
                for window, burn in (pages if entry.notify == "page" else tickets)
            ]
            assert any(after is not None and after < entry.deadline(one) for after in times)
