"""Healthy, near and burning data of an alert."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_synthesis import ALL, E5, rule, slo

from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Impossible, NotSynthesised
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.batches import Pool
from pytest_sre.synthesis.contrast import Behaviour, Contrast, contrast
from pytest_sre.synthesis.mixture import NEAR, mix
from pytest_sre.synthesis.search import sample_times
from pytest_sre.synthesis.signals import Counter, Gauge, Signal, Track, Wave

NOW = 1_700_000_000.0


def contrasted(expr: str, *others: Rule, error_share: float = 1e-5) -> Contrast:
    alert = rule("Alert", expr)
    made = contrast(
        alert,
        RuleIndex([*others, alert]),
        types={},
        now=NOW,
        lookback=300.0,
        serial="1",
        error_share=error_share,
    )
    assert isinstance(made, Contrast), made
    return made


def rates(found: tuple[Behaviour, ...], when: str) -> dict[str, float]:
    """Requests a second by code."""
    result = {}
    for behaviour in found:
        signal = getattr(behaviour, when)
        assert isinstance(signal, Counter)
        result[dict(behaviour.labels)["code"]] = signal.rate
    return result


def ratio(made: Contrast, when: str) -> float:
    """The share of requests that fail."""
    by_code = rates(made.behaviours, when)
    return sum(rate for code, rate in by_code.items() if code[0] == "5") / sum(by_code.values())


BURNS = [
    f"sum(rate({E5}[W])) / sum(rate({ALL}[W]))",
    f'1 - sum(rate(http_requests_total{{job="api",code!~"5.."}}[W])) / sum(rate({ALL}[W]))',
]


@pytest.mark.parametrize("ratio_expr", BURNS)
@pytest.mark.parametrize("error_share", [1e-5, 1e-4])
def test_a_burn_rate_is_near_just_below_its_factor(ratio_expr: str, error_share: float) -> None:
    legs = [f"({ratio_expr.replace('W', window)} > (14.4 * 0.001))" for window in ("1h", "5m")]
    made = contrasted(" and ".join(legs), error_share=error_share)
    assert ratio(made, "healthy") == pytest.approx(error_share, rel=1e-3)
    assert ratio(made, "near") == pytest.approx(12.96e-3, rel=0.01)
    assert 14.4e-3 < ratio(made, "burning") < 4 * 14.4e-3


def test_a_burn_rate_over_recording_rules() -> None:
    *recorded, _, _ = slo(1)
    legs = [f"max(slo:ratio{w} > (14.4 * 0.001)) without (sloth_window)" for w in ("5m", "1h")]
    made = contrasted(" and ".join(legs), *recorded)
    assert ratio(made, "healthy") == pytest.approx(1e-5, rel=1e-3)
    assert ratio(made, "near") == pytest.approx(12.96e-3, rel=0.01)


def test_a_threshold() -> None:
    (found,) = contrasted("node_load1 > 80").behaviours
    assert isinstance(found.near, Gauge)
    assert found.healthy == Gauge(40.0)
    assert 72 < found.near.value < 78


def behaviour(expr: str, *others: Rule) -> Behaviour:
    """Of an alert that looks at one series."""
    (found,) = contrasted(expr, *others).behaviours
    return found


def test_the_smallest_mixture_that_fires_is_meant() -> None:
    made = contrasted("avg_over_time(x[10m]) > 90")
    (found,) = made.behaviours
    assert made.near == 0.9
    assert isinstance(found.near, Gauge)
    assert found.near.value == pytest.approx(45 + 0.9 * (90 - 45), rel=1e-3)


@pytest.mark.parametrize(
    ("expr", "healthy", "reason"),
    [
        ("up == 0", Gauge(1.0), "0/1 metric"),
        ('absent(up{job="api"})', Gauge(1.0), "absence"),
        ('requests{state="bad"}', None, "presence"),
        ("failed > 0", Gauge(0.0), "any change"),
        ("broken == 1", Gauge(0.0), "0/1 metric"),
        ("state == 7", Gauge(1.0), "exact values"),
        ("changes(started[15m]) > 2", Gauge(100.0), "different ways"),
    ],
)
def test_nothing_is_near_where_nothing_lies_between(expr: str, healthy: Gauge | None, reason: str) -> None:
    made = contrasted(expr)
    assert made.near is None
    assert reason in made.near_reason
    assert [found.healthy for found in made.behaviours] == [healthy]
    assert [found.near for found in made.behaviours] == [None]


def test_as_few_series_as_possible_are_absent_while_all_is_well() -> None:
    made = contrasted("count(count by (version) (build_info)) > 1")
    assert sum(found.healthy is not None for found in made.behaviours) == 1
    assert all(found.burning is not None for found in made.behaviours)


def test_burning_differs_from_healthy_only_where_it_must() -> None:
    made = contrasted("sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05 and on () up == 1")
    assert [dict(b.labels)["__name__"] for b in made.behaviours if b.healthy != b.burning] == ["errors_total"]


@pytest.mark.parametrize(
    "expr",
    [
        " + ".join(f"sum by (job) (increase({name}_total[5m]))" for name in "abc") + " > 0",
        f"max_over_time(({' or '.join(f'increase({name}_total[5m]) > 0' for name in 'abcd')})[1h:1m])",
    ],
)
def test_all_is_well_where_nothing_is_counted_at_all(expr: str) -> None:
    assert {found.healthy for found in contrasted(expr).behaviours} == {Counter(0.0)}


def test_errors_are_told_by_what_they_do() -> None:
    expr = 'sum(rate(done_total{kind="a"}[5m])) / sum(rate(done_total[5m])) < 0.99'
    made = contrasted(expr)
    rate = {dict(b.labels)["kind"]: b.healthy.rate for b in made.behaviours if isinstance(b.healthy, Counter)}
    assert rate["a"] == 50
    assert sum(rate.values()) - 50 == pytest.approx(50 * 1e-5)


def test_a_time_stamp_keeps_following_the_clock() -> None:
    found = behaviour("time() - last_backup_timestamp_seconds > 86400")
    for signal in (found.healthy, found.near):
        assert isinstance(signal, Gauge)
        assert signal.slope == 1
        assert 0 < NOW - signal.value < 86400
    assert isinstance(found.burning, Gauge)
    assert found.burning.slope == 0


def test_a_disk_that_fills_up_does_not_hold_less_than_nothing() -> None:
    found = behaviour("predict_linear(free_bytes[1h], 4 * 3600) < 0")
    assert isinstance(found.healthy, Gauge)
    assert isinstance(found.burning, Gauge)
    assert found.healthy.slope == 0
    assert found.burning.value >= 0
    assert found.burning.slope < 0


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        ("vector(1)", "dead man's switch"),
        ("vector(2) > 1", "dead man's switch"),
        ("x >= 0 or x < 0", "fires on healthy data"),
        ("sum(", "not PromQL"),
        ('histogram_quantiles(x, "q", 0.5) > 1', "not supported yet"),
        ("limit_ratio(0.5, x) > 1", "a hash of their labels"),
        ('x{a=~"\\\\pL+"} > 1', "regular expression"),
    ],
)
def test_what_is_missing_is_said(expr: str, reason: str) -> None:
    alert = rule("Alert", expr)
    found = contrast(alert, RuleIndex([alert]), types={}, now=NOW, lookback=300.0, serial="1")
    assert isinstance(found, NotSynthesised)
    assert reason in found.reason


def test_what_never_fires_has_no_contrast() -> None:
    alert = rule("Alert", "count(up) == 0")
    found = contrast(alert, RuleIndex([alert]), types={}, now=NOW, lookback=300.0, serial="1")
    assert isinstance(found, Impossible)


THRESHOLDS = st.floats(1e-3, 1e6).map(lambda value: float(f"{value:.4g}"))
LEFT = st.sampled_from(
    [
        "x",
        "rate(x_total[5m])",
        "increase(x_total[1h])",
        "avg_over_time(x[10m])",
        "sum by (job) (x)",
        "x * 100",
    ]
)
SHARES = st.floats(0.002, 0.9).map(lambda value: float(f"{value:.3g}"))
RATIO = "sum(rate(x_total{code=~'5..'}[5m])) / sum(rate(x_total[5m])) > "


@given(
    st.one_of(
        st.builds("{} {} {}".format, LEFT, st.sampled_from([">", ">=", "<", "<="]), THRESHOLDS),
        SHARES.map(lambda share: f"{RATIO}{share}"),
    )
)
@settings(max_examples=60, deadline=None)
def test_thresholds_are_quiet_up_to_near_and_fire_when_they_burn(expr: str) -> None:
    made = contrasted(expr)
    assert made.near == 0.9, made.near_reason
    for when, expected in (("healthy", False), ("near", False), ("burning", True)):
        assert fires_on(made, when) is expected, (when, made.behaviours)
    assert not fires_on(made, "near", beyond=0.99)
    assert fires_on(made, "near", beyond=1.02)


def fires_on(made: Contrast, when: str, beyond: float = NEAR) -> bool:
    """Whether the alert fires on some data at several moments; ``beyond``: mixed on, to more than near."""
    times = sample_times(made.shape, 300.0)
    tracks = [Track(dict(b.labels), times, _mixed(b, when, beyond / NEAR)) for b in made.behaviours]
    pool = Pool(RuleIndex([]), NOW, 300.0)
    pool.put([[track] for track in tracks])
    return any(pool.fires(made.shape, (moment,)) for moment in (0.0, 7.0, 45.0, 300.0))


def _mixed(found: Behaviour, when: str, beyond: float) -> Signal:
    healthy, signal = found.healthy, getattr(found, when)
    if isinstance(healthy, Gauge) and isinstance(signal, Gauge):
        return Gauge(healthy.value + beyond * (signal.value - healthy.value)) if beyond != 1 else signal
    assert isinstance(healthy, Counter)
    assert isinstance(signal, Counter)
    return Counter(healthy.rate + beyond * (signal.rate - healthy.rate)) if beyond != 1 else signal


SIGNALS = st.one_of(
    st.builds(Gauge, st.floats(-1e6, 1e6), st.floats(-1, 1)),
    st.builds(Counter, st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 10), st.floats(0, 1e4)),
    st.builds(Wave, st.just(0.0), st.just(1.0), st.floats(1, 60)),
)


@given(SIGNALS, SIGNALS, st.floats(0, 1))
def test_a_mixture_lies_between_and_counters_never_fall(one: Signal, other: Signal, share: float) -> None:
    mixed = mix(one, other, share)
    if type(one) is not type(other) and 0 < share < 1:
        assert mixed is None
    if isinstance(one, Counter) and isinstance(other, Counter) and isinstance(mixed, Counter):
        values = [mixed.at(float(time), -1e4) for time in range(-10_000, 500, 500)]
        assert values == sorted(values)
    if isinstance(one, Gauge) and isinstance(other, Gauge):
        assert isinstance(mixed, Gauge)
        low, high = sorted((one.value, other.value))
        assert low - 1e-6 <= mixed.value <= high + 1e-6


@pytest.mark.parametrize(
    "expr",
    [
        "free_bytes / size_bytes > 0.9",
        "100 * used_bytes / on (instance) size_bytes > 80",
        "max by (instance) (connections) / max by (instance) (connections_max) > 0.8",
    ],
)
def test_a_part_of_a_gauge_stays_below_its_whole(expr: str) -> None:
    part, whole = (one for one in contrasted(expr).behaviours)
    for state in ("healthy", "burning"):
        small, all_of = getattr(part, state), getattr(whole, state)
        assert isinstance(small, Gauge)
        assert isinstance(all_of, Gauge)
        assert 0 <= small.value <= all_of.value


def test_idle_time_is_never_more_than_time() -> None:
    found = behaviour('1 - avg by (instance) (rate(cpu_seconds_total{mode="idle"}[5m])) > 0.9')
    assert isinstance(found.healthy, Counter)
    assert isinstance(found.burning, Counter)
    assert 0 <= found.burning.rate < 0.1 < 0.5 < found.healthy.rate <= 1


@pytest.mark.parametrize("expr", ["free_bytes < -0.1", "requests_count < -5", "wait_seconds <= -1"])
def test_what_is_never_negative_does_not_fire_by_being_negative(expr: str) -> None:
    alert = rule("Alert", expr)
    found = contrast(alert, RuleIndex([alert]), types={}, now=NOW, lookback=300.0, serial="1")
    assert isinstance(found, (NotSynthesised, Impossible))


def test_what_may_be_negative_may_fire_so() -> None:
    found = behaviour("temperature_celsius < -20")
    assert isinstance(found.burning, Gauge)
    assert found.burning.value < -20


def test_there_are_enough_where_too_few_fire() -> None:
    made = contrasted('count(up{job="db"} == 1) < 3')
    assert sum(one.healthy == Gauge(1.0) for one in made.behaviours) >= 3
    assert sum(one.burning == Gauge(1.0) for one in made.behaviours) < 3


def test_healthy_data_may_have_no_errors_at_all() -> None:
    made = contrasted("sum(increase(a_errors_total[5m])) + sum(increase(b_errors_total[5m])) > 0")
    assert [one.healthy for one in made.behaviours] == [Counter(0.0), Counter(0.0)]


@pytest.mark.parametrize(
    "expr",
    [
        "abs(pgs - on (job) group_left avg(pgs) by (job)) * on (osd) group_left (hostname) osd_meta > 0.3",
        'lag{role="a"} > on (job) (lag{role="b"} or lag{role="c"})',
    ],
)
def test_what_cannot_all_be_there_at_once_need_not_be_there_while_all_is_well(expr: str) -> None:
    """With all series there Prometheus would have to match many series with many."""
    made = contrasted(expr)
    assert made.near == 0.9
    assert all(one.healthy is not None for one in made.behaviours)
