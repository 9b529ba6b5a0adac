from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise

import pytest

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.model.scenario import Impossible, NotSynthesised, Plan, Series
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.planner import plan

NOW = 1_700_000_000.0


def rule(name: str, expr: str, **labels: str) -> Rule:
    kind = "alert" if name[0].isupper() else "record"
    return Rule(kind, name, expr, Location("r.yml", 1), 1, "g", 0, labels)  # type: ignore[arg-type]


def planned(*rules: Rule) -> Plan:
    return plan([one for one in rules if one.kind == "alert"], RuleIndex(rules), now=NOW)


def all_series(made: Plan) -> Iterable[Series]:
    return [series for batch in made.batches for series in batch.series]


def fires(expr: str, *others: Rule) -> Plan:
    made = planned(*others, rule("Alert", expr))
    assert not made.unproven, made.unproven
    return made


def burn(series: Iterable[Series]) -> float:
    """The share of requests of which the code is 5xx."""
    counts: dict[bool, float] = defaultdict(float)
    for one in series:
        counts[dict(one.labels)["code"].startswith("5")] += one.samples[-1][1]
    return counts[True] / sum(counts.values())


E5 = 'http_requests_total{job="api",code=~"5.."}'
ALL = 'http_requests_total{job="api"}'


@pytest.mark.parametrize(
    "ratio",
    [
        f"sum(rate({E5}[W])) / sum(rate({ALL}[W]))",
        f'1 - sum(rate(http_requests_total{{job="api",code!~"5.."}}[W])) / sum(rate({ALL}[W]))',
        f"sum by (job) (increase({E5}[W])) / on (job) sum by (job) (increase({ALL}[W]))",
        f"sum(rate({ALL}[W]) and on (code) {E5}) / sum(rate({ALL}[W]))",
    ],
)
def test_burn_rate_over_two_windows(ratio: str) -> None:
    legs = [f"({ratio.replace('W', window)} > (14.4 * 0.001))" for window in ("1h", "5m")]
    made = fires(" and ".join(legs))
    assert 0.0144 * 1.2 < burn(all_series(made)) < 0.0144 * 4


@pytest.mark.parametrize(
    "expr",
    [
        'sum(rate(x_bucket{le="0.3",job="a"}[5m])) / sum(rate(x_count{job="a"}[5m])) < 0.99',
        '1 - sum(rate(x_bucket{le="300"}[5m])) / sum(rate(x_bucket{le="+Inf"}[5m])) > 14.4 * 0.01',
        "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m]))) > 2",
        "histogram_quantile(0.5, sum by (le, job) (rate(x_bucket[5m]))) > 300",
        "rate(x_sum[5m]) / rate(x_count[5m]) > 3",
    ],
)
def test_histograms_are_cumulative(expr: str) -> None:
    made = fires(expr)
    buckets: dict[object, list[tuple[float, float]]] = defaultdict(list)
    counts = {}
    for series in all_series(made):
        labels = dict(series.labels)
        key = tuple(sorted((k, v) for k, v in labels.items() if k not in ("__name__", "le")))
        if labels["__name__"] == "x_bucket":
            buckets[key].append((float(labels["le"]), series.samples[-1][1]))
        elif labels["__name__"] == "x_count":
            counts[key] = series.samples[-1][1]
    for key, found in buckets.items():
        values = [value for _, value in sorted(found)]
        assert values == sorted(values)
        assert counts.get(key, values[-1]) == values[-1]
    assert buckets or counts


@pytest.mark.parametrize(
    "expr",
    [
        "up == 0",
        'absent(up{job="api"})',
        'absent(up{job="api"} == 1)',
        'up{job="api"} == 0 or absent(up{job="api"})',
        "node_load1 > 80",
        "free_bytes / size_bytes * 100 < 10",
        "(size_bytes - free_bytes) / size_bytes > 0.9",
        "rate(errors_total[5m]) > 0.5",
        "irate(errors_total[5m]) > 100",
        "increase(restarts_total[10m]) > 3",
        "sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(requests_total[5m])) > 0.05",
        "queue_length > queue_limit",
        "count by (job) (up == 0) > 2",
        "count(up{job='a'} == 0) / count(up{job='a'}) > 0.5",
        "avg_over_time(temperature[10m]) > 90",
        "max_over_time(rate(x_total[1m])[10m:1m]) > 5",
        "topk(3, x) > 5",
        "time() - last_backup_timestamp_seconds > 86400",
        "certificate_expiry - time() < 14 * 86400",
        "timestamp(x) - x_time > 600",
        "requests unless on (instance) maintenance",
        'kube_pod_phase{phase="Failed"} * on (pod) group_left (node) kube_pod_info{node!=""} > 0',
        "predict_linear(free_bytes[1h], 4 * 3600) < 0",
        "deriv(x[10m]) > 5",
        "delta(x[10m]) < -100",
        "changes(started[15m]) > 2",
        "resets(x_total[1h]) > 2",
        "rate(x_total[5m]) == 0",
        "x > bool 5 == 1",
        "x < x offset 1h * 0.5",
        'max without (instance) (x{env=~"prod|stage"}) >= 3',
        "vector(1)",
        "count by (version) (count by (version, cluster) (build_info)) > 1",
        "count(count by (version) (build_info)) > 1",
        'label_replace(x, "host", "$1", "instance", "(.*):.*") > 5',
        "x > 5 and on () hour() == 22",
        "day_of_week(backup_time) == 6 and on (job) minute(x_time) > 30",
        "sin(x) > 0.5",
        "pi() * x > 7",
        "mad_over_time(x[10m]) > 3",
        "time() - ts_of_max_over_time(x[1h]) > 600",
        "first_over_time(x[1h]) > last_over_time(x[1h]) * 2",
        "double_exponential_smoothing(x[30m], 0.5, 0.5) > 7",
        'sort_by_label(x, "job") > 5',
        "info(x) > 5",
        "x atan2 y > 1",
    ],
)
def test_families(expr: str) -> None:
    made = fires(expr)
    assert len(made.batches[0].scenarios) == 1


@pytest.mark.parametrize("windows", [("5m", "1h"), ("1m", "30d"), ("6h", "3d")])
def test_every_window_keeps_its_samples_while_the_run_moves_on(windows: tuple[str, ...]) -> None:
    made = fires(" and ".join(f"rate(x_total[{window}]) > 1" for window in windows))
    (series,) = all_series(made)
    times = [time for time, _ in series.samples]
    assert len(times) < 250
    assert times[-1] == 540
    seconds = {"1m": 60, "5m": 300, "1h": 3600, "6h": 21600, "3d": 259200, "30d": 2592000}
    assert times[0] < -1.1 * max(seconds[window] for window in windows)
    for moment in range(0, 541, 30):
        for window in windows:
            assert sum(moment - seconds[window] < time <= moment for time in times) >= 4
    values = [value for _, value in series.samples]
    assert values[0] == 0
    assert all(before < after for before, after in pairwise(values))


def test_offsets_are_sampled_too() -> None:
    made = fires("rate(x_total[5m] offset 1d) > 1")
    (series,) = all_series(made)
    for moment in range(0, 541, 60):
        end = moment - 86400
        assert sum(end - 300 < time <= end for time, _ in series.samples) >= 4


def slo(number: int) -> list[Rule]:
    """An SLO as Sloth writes it: recorded windows, a page and a ticket alert."""
    labels = {"sloth_id": f"svc-{number}"}
    select = f'sloth_id="svc-{number}"'
    whole = f'requests_total{{job="svc-{number}"}}'
    errors = f'requests_total{{job="svc-{number}",code=~"(5..|429)"}}'
    rules = [
        rule(f"slo:ratio{w}", f"sum(rate({errors}[{w}])) / sum(rate({whole}[{w}]))", sloth_window=w, **labels)
        for w in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    ]

    def leg(short: str, long: str, factor: float) -> str:
        sides = [
            f"max(slo:ratio{w}{{{select}}} > ({factor} * 0.001)) without (sloth_window)"
            for w in (short, long)
        ]
        return f"({sides[0]} and {sides[1]})"

    page = f"{leg('5m', '1h', 14.4)} or {leg('30m', '6h', 6)}"
    ticket = f"{leg('2h', '1d', 3)} or {leg('6h', '3d', 1)}"
    return [*rules, rule("Burn", page, severity="page"), rule("Burn", ticket, severity="ticket")]


def test_alerts_of_one_slo_share_their_data() -> None:
    made = planned(*(one for number in range(20) for one in slo(number)))
    assert not made.unproven
    (batch,) = made.batches
    assert (len(batch.scenarios), len(batch.series)) == (40, 40)
    page, ticket = batch.scenarios[:2]
    assert page.expected == ((("alertname", "Burn"), ("severity", "page"), ("sloth_id", "svc-0")),)
    assert set(page.series) == set(ticket.series)
    assert min(time for time, _ in page.series[0].samples) < -259200, "history for the ticket's window"


def test_a_page_after_its_ticket_spoils_nothing() -> None:
    *recorded, page, ticket = slo(0)
    (batch,) = planned(*recorded, ticket, page).batches
    assert [scenario.expected != () for scenario in batch.scenarios] == [True, True]


def test_stronger_data_replace_those_of_the_same_series() -> None:
    where = '{instance="a",job="b"}'
    (batch,) = planned(rule("Warm", f"heat{where} > 5"), rule("Hot", f"heat{where} > 50")).batches
    (series,) = batch.series
    assert [scenario.series for scenario in batch.scenarios] == [(series,), (series,)]


def test_alerts_that_spoil_each_other_live_apart() -> None:
    made = planned(rule("Down", 'up{job="api"} == 0'), rule("Gone", 'absent(up{job="api"})'))
    assert [len(batch.scenarios) for batch in made.batches] == [1, 1]
    assert made.batches[1].scenarios[0].expected == ((("alertname", "Gone"), ("job", "api")),)


def test_free_labels_are_an_alerts_own() -> None:
    made = planned(rule("Hot", "temperature > 80"), rule("Cold", "temperature < 5"))
    (batch,) = made.batches
    first, second = (dict(scenario.expected[0]) for scenario in batch.scenarios)
    assert first["instance"] != second["instance"]


def test_templated_rule_labels_leave_expectations_open() -> None:
    made = planned(rule("Hot", "temperature > 80", team="{{ $labels.team }}"))
    assert made.batches[0].scenarios[0].expected == ()
    assert "team" in dict(made.batches[0].series[0].labels)


def test_series_by_hand_are_taken_as_they_are() -> None:
    alert = rule("Odd", "some_thing(x) > 1")
    hot = rule("Hot", "temperature > 80", team="a")
    series = Series((("__name__", "temperature"), ("room", "1")), ((-60.0, 99.0), (0.0, 99.0)))
    made = plan([hot], RuleIndex([hot, alert]), by_hand={hot: (series,)}, now=NOW)
    (scenario,) = made.batches[0].scenarios
    assert (scenario.series, scenario.source) == ((series,), "by hand")
    assert scenario.expected == ((("alertname", "Hot"), ("room", "1"), ("team", "a")),)


@pytest.mark.parametrize(
    ("expr", "reason"),
    [
        (
            f"sum(rate({E5}[5m])) / sum(rate({ALL}[5m])) > 20 * 0.05",
            "at most 20x burn is possible at an objective of 95 %",
        ),
        (
            f"1 - sum(rate({E5}[5m])) / sum(rate({ALL}[5m])) > 1.5",
            "at most 1 (100 % errors), the rule needs more than 1.5",
        ),
        ("slo:ratio > (14.4 * (1 - 0.9))", "at most 10x burn is possible at an objective of 90 %"),
        ("count(up) == 0", "at least 1, the rule needs exactly 0"),
        ("up > 1", "the value on the left is at most 1"),
        ("rate(x_total[5m]) < 0", "at least 0, the rule needs less than 0"),
    ],
)
def test_impossible(expr: str, reason: str) -> None:
    recorded = rule("slo:ratio", f"sum(rate({E5}[5m])) / sum(rate({ALL}[5m]))")
    (found,) = planned(recorded, rule("Never", expr)).unproven
    assert isinstance(found, Impossible)
    assert reason in found.reason


@pytest.mark.parametrize(
    "expr",
    [
        f"sum(rate({E5}[5m])) / sum(rate({ALL}[5m])) > 0.999",
        f"100 * sum(rate({E5}[5m])) / sum(rate({ALL}[5m])) > 5",
        f"sum(rate({E5}[5m])) / sum(rate({ALL}[10m])) > 1.5",
        f"sum(rate({ALL}[5m])) / sum(rate({E5}[5m])) > 5",
        "sum(rate(a_total[5m])) / sum(rate(b_total[5m])) > 1.5",
        "sum(up) > 2",
        "count(up == 0) == 1",
        "(up > 1) or on () (x > 1)",
    ],
)
def test_possible(expr: str) -> None:
    assert not any(isinstance(item, Impossible) for item in planned(rule("Maybe", expr)).unproven)


@pytest.mark.parametrize(
    "expr",
    [
        "avg_over_time(job:errors:ratio[1h]) > 0.05",
        "max_over_time(job:errors:ratio[1h] offset 1d) > 0.05",
        "job:errors:max1h > 0.05",
        "min_over_time(job:errors:max1h[2h]) > 0.05",
        "job:requests:rate5m < 0.5 * job:requests:rate5m offset 1h",
        "max_over_time((job:errors:ratio > 0.1)[6h:1m]) > 0",
        "sum_over_time(job:errors:ratio[30d]) / count_over_time(job:errors:ratio[30d]) > 0.01",
        "count_over_time(job:errors:ratio[1h]) > 50",
        "increase(job:requests:sum[10m]) > 100",
        "job:requests:rate5m > avg_over_time(job:requests:rate5m[1d]) + 3 * stddev_over_time(job:requests:rate5m[1d])",
        "max_over_time((queue > 100)[1d:]) > 0",
        "avg_over_time(rate(job:requests:sum[5m])[3d:]) > 100",
    ],
)
def test_ranges_over_records(expr: str) -> None:
    rates = [f"sum by (job) (rate({name}_total[5m]))" for name in ("errors", "requests")]
    records = [
        rule("job:errors:ratio", " / ".join(rates)),
        rule("job:requests:rate5m", rates[1]),
        rule("job:requests:sum", "sum by (job) (requests_total)"),
        rule("job:errors:max1h", "max_over_time(job:errors:ratio[1h])"),
    ]
    made = fires(expr, *records)
    assert max(len(series.samples) for series in all_series(made)) < 6000


def test_long_windows_of_records_are_sampled_where_they_are_evaluated() -> None:
    record = rule("job:rate5m", "sum by (job) (rate(x_total[5m]))")
    (series,) = all_series(fires("avg_over_time(job:rate5m[30d]) > 5", record))
    times = [time for time, _ in series.samples]
    assert len(times) < 3000
    for tick in range(0, 30 * 86400, 3840):
        assert sum(-tick - 300 < time <= -tick for time in times) >= 3


def test_alerts_that_their_own_labels_make_alike_are_no_alerts() -> None:
    """Prometheus refuses a result whose elements are the same alert: one series may fire, not both."""
    expr = 'x{kind="a"} > 5 or x{kind="b"} > 5'
    (batch,) = planned(rule("Alike", expr, kind="any")).batches
    (scenario,) = batch.scenarios
    assert len(scenario.expected) == 1
    values = [one.samples[-1][1] for one in batch.series]
    assert sum(value > 5 for value in values) == 1
    (apart,) = planned(rule("Apart", expr)).batches
    assert len(apart.scenarios[0].expected) == 2


def test_what_is_missing_is_named() -> None:
    alerts = [rule("B", "limit_ratio(0.5, x) > 1 and y > 1"), rule("C", "sum(")]
    found = planned(*alerts).unproven
    assert [type(item) for item in found] == [NotSynthesised] * 2
    assert found[0].part == "limit_ratio(0.5, x)"
    assert "not PromQL" in found[1].reason


def test_a_regular_expression_that_only_go_reads() -> None:
    (found,) = planned(rule("A", 'x{a=~"\\\\pL+"} > 1')).unproven
    assert isinstance(found, NotSynthesised)
    assert "regular expression" in found.reason
