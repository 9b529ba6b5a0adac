"""Whatever an expression asks for, series are such as services expose them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import pytest

from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule
from pytest_sre.promql.resolve import RuleIndex
from pytest_sre.synthesis.contrast import Behaviour, Contrast, contrast
from pytest_sre.synthesis.entities import printed
from pytest_sre.synthesis.regexes import examples
from pytest_sre.synthesis.signals import Counter, Gauge, Lost, Sawtooth, Signal

NOW = 1_700_000_000.0
YEARS = 20 * 365 * 86400.0
CPU = 'rate(node_cpu_seconds_total{mode="idle"}[5m])'
SHARES = [
    f"1 - avg by (instance) ({CPU}) > 0.8",
    f"1 - avg by (instance) ({CPU}) > 0.9",
    f"1 - avg by (instance) ({CPU}) > 0.95",
    f"1 - avg by (instance) ({CPU}) > 0.99",
    f"100 - (avg by (instance) ({CPU}) * 100) > 80",
    f"(1 - avg by (instance) ({CPU})) * 100 > 99",
    f"avg by (instance) ({CPU}) < 0.1",
]
PARTS = [
    ("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "{p} / {w} < 0.1"),
    ("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "{p} / {w} * 100 < 10"),
    ("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "(1 - {p} / {w}) * 100 > 85"),
    ("node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes", "({w} - {p}) / {w} > 0.9"),
    ("disk_free_bytes", "disk_size_bytes", "{p} / {w} < 0.05"),
    ("volume_used_bytes", "volume_capacity_bytes", "{p} / {w} > 0.85"),
    ("volume_used_bytes", "volume_capacity_bytes", "{p} > 0.85 * {w}"),
    ("heap_used_bytes", "heap_max_bytes", "{p} / {w} > 0.9"),
    ("process_open_fds", "process_max_fds", "{p} / {w} > 0.8"),
    ("conntrack_entries", "conntrack_entries_limit", "{p} / {w} > 0.75"),
    ("pool_connections_active", "pool_connections_max", "{p} / {w} * 100 > 80"),
]
BOUNDED = [
    ("cpu_used_percent", 0, 100, "cpu_used_percent > 90"),
    ("cpu_used_percent", 0, 100, "avg_over_time(cpu_used_percent[10m]) > 80"),
    ("disk_free_percent", 0, 100, "disk_free_percent < 5"),
    ("log_space_used_percentage", 0, 100, "log_space_used_percentage >= 99"),
    ("cache_hit_ratio", 0, 1, "cache_hit_ratio < 0.8"),
    ("buffer_fill_ratio", 0, 1, "buffer_fill_ratio > 0.95"),
    ("memory_usage", 0, 100, "memory_usage > 85"),
    ("gpu_utilization", 0, 1, "gpu_utilization > 0.97"),
]
FLAGS = [
    ("timex_sync_status", "timex_sync_status == 0"),
    ("node_ready", "node_ready != 1"),
    ("disk_healthy", "disk_healthy < 1"),
    ("filesystem_readonly", "filesystem_readonly > 0"),
    ("osd_up", "osd_up == 0"),
    ("feature_enabled", "feature_enabled == 0"),
    ("is_master", "is_master == 0"),
    ("has_quorum", "has_quorum == 0"),
    ("backup_last_run_successful", "backup_last_run_successful == 0"),
    ("service_active", "avg_over_time(service_active[10m]) < 0.5"),
]
STATES = [
    ("cluster_status", 3, "cluster_status == 2"),
    ("interface_oper_status", 3, "interface_oper_status != 1"),
    ("circuit_state", 4, "circuit_state == 3"),
    ("health_status", 3, "health_status == 1 or health_status == 2"),
    ("raid_state", 6, "max by (host) (raid_state) == 5"),
]
MOMENTS = [
    ("backup_last_success_timestamp_seconds", "time() - backup_last_success_timestamp_seconds > 86400"),
    ("file_mtime_seconds", "file_mtime_seconds < time() - 3600"),
    ("boot_time_seconds", "time() - boot_time_seconds < 600"),
    ("cert_not_after", "(cert_not_after - time()) / 86400 < 14"),
    ("cert_expiry", "cert_expiry - time() < 604800"),
    ("job_started", "time() - max(job_started) > 7200"),
    ("last_sync_ms", "time() - last_sync_ms / 1000 > 900"),
    ("sync_time", "time() * 1000 - sync_time > 900000"),
    ("process_start_time_seconds", "changes(process_start_time_seconds[1h]) > 3"),
    ("config_created", "time() - config_created > 86400 * 365"),
]
WHOLE = [
    ("number_of_nodes", "number_of_nodes < 3"),
    ("ready_pods", "ready_pods < 2"),
    ("cluster_size", "cluster_size != 3"),
    ("jobs_pending", "jobs_pending > 5"),
    ("queue_length", "queue_length > 100"),
    ("peers", "min_over_time(peers[5m]) < 5"),
]
AMOUNTS = [
    "delta(process_resident_memory_bytes[10m]) > 5e8",
    "process_resident_memory_bytes - process_resident_memory_bytes offset 5m > 5e9",
    "deriv(queue_messages[15m]) > 100",
    "idelta(queue_messages[10m]) > 50",
    "predict_linear(disk_free_bytes[6h], 4 * 3600) < 0",
    "disk_free_bytes < 1e9",
    "delta(sessions[10m]) < -100",
    "heap_used_bytes > 2e9",
]
INFOS = [
    "x_errors * on (pod) group_left (node) pod_info > 5",
    "x_errors * on (id) group_left (name) disk_metadata > 5",
]


def contrasted(expr: str) -> tuple[Behaviour, ...]:
    """How the series of an alert behave."""
    alert = Rule("alert", "Alert", expr, Location("r.yml", 1), 1, "g", 0, {})
    found = contrast(alert, RuleIndex([alert]), types={}, now=NOW, lookback=300.0, serial="7")
    assert isinstance(found, Contrast), found
    return found.behaviours


def signals(expr: str) -> Iterator[tuple[str, str, Signal]]:
    """(name, state, signal) of all series that are there."""
    for one in contrasted(expr):
        for state in ("healthy", "near", "burning", "over"):
            signal = getattr(one, state)
            if signal is not None:
                yield dict(one.labels)["__name__"], state, signal


def values(signal: Signal, history: float = 600.0) -> list[float]:
    """What a signal is from before the run until some minutes into it."""
    last = -signal.since if isinstance(signal, Lost) else 600.0
    count = 40
    return [signal.at(-history + (last + history) * i / count, -history) for i in range(count + 1)]


def of(expr: str, name: str) -> list[float]:
    """All values of one metric."""
    found = [value for metric, _, signal in signals(expr) if metric == name for value in values(signal)]
    assert found
    return found


@pytest.mark.parametrize("expr", SHARES)
def test_a_processor_is_idle_for_a_second_a_second_at_most(expr: str) -> None:
    rates = {state: signal.rate for _, state, signal in signals(expr) if isinstance(signal, Counter)}
    assert all(0 <= rate <= 1 for rate in rates.values())
    assert rates.keys() >= {"healthy", "burning"}


def test_a_share_keeps_away_from_its_threshold_and_from_its_bound() -> None:
    rates = {state: signal.rate for _, state, signal in signals(SHARES[2]) if isinstance(signal, Counter)}
    assert 0.005 < rates["burning"] < 0.045
    assert rates["healthy"] > 0.1


@pytest.mark.parametrize(("part", "whole", "form"), PARTS)
def test_the_part_moves_within_its_whole(part: str, whole: str, form: str) -> None:
    found = list(signals(form.format(p=part, w=whole)))
    wholes = {value for name, _, signal in found if name == whole for value in values(signal)}
    parts = {value for name, _, signal in found if name == part for value in values(signal)}
    assert len(wholes) == 1
    assert 0 <= min(parts) < max(parts) <= max(wholes)


@pytest.mark.parametrize(("name", "low", "high", "expr"), BOUNDED)
def test_percentages_and_ratios_have_bounds(name: str, low: float, high: float, expr: str) -> None:
    assert all(low <= value <= high for value in of(expr, name))


@pytest.mark.parametrize(("name", "expr"), FLAGS)
def test_flags_are_0_or_1(name: str, expr: str) -> None:
    assert set(of(expr, name)) <= {0.0, 1.0}


@pytest.mark.parametrize(("name", "most", "expr"), STATES)
def test_states_are_small_integers(name: str, most: float, expr: str) -> None:
    assert all(value == int(value) and 0 <= value <= most for value in of(expr, name))


@pytest.mark.parametrize(("name", "expr"), MOMENTS)
def test_moments_are_of_our_days(name: str, expr: str) -> None:
    unit = 1000.0 if "1000" in expr else 1.0
    assert all(abs(value / unit - NOW) < YEARS for value in of(expr, name))


@pytest.mark.parametrize(("name", "expr"), WHOLE)
def test_whole_things_are_counted_in_integers(name: str, expr: str) -> None:
    assert all(value == int(value) >= 0 for value in of(expr, name))


@pytest.mark.parametrize("expr", AMOUNTS)
def test_amounts_are_never_negative(expr: str) -> None:
    found = [
        (signal, values(signal, 6 * 3600.0 if "6h" in expr else 900.0)) for _, _, signal in signals(expr)
    ]
    assert found
    assert all(value >= 0 and math.isfinite(value) for _, some in found for value in some)
    if "_bytes" in expr:
        assert all(not 0 < value < 1000 for _, some in found for value in some)


@pytest.mark.parametrize("expr", INFOS)
def test_what_only_carries_labels_is_1(expr: str) -> None:
    name = "pod_info" if "pod_info" in expr else "disk_metadata"
    assert set(of(expr, name)) == {1.0}


@pytest.mark.parametrize(
    "expr",
    [
        "rate(errors_total[5m]) > 3",
        "increase(restarts_total[1h]) > 2",
        "resets(x_total[1h]) > 1",
        "sum(rate(bad_total[5m])) / sum(rate(all_total[5m])) > 0.1",
    ],
)
def test_counters_never_fall_but_on_a_reset(expr: str) -> None:
    for _, _, signal in signals(expr):
        assert isinstance(signal, (Counter, Sawtooth, Gauge, Lost)), signal
        if not isinstance(signal, Sawtooth):
            some = values(signal)
            assert all(a <= b for a, b in pairwise(some))


def test_a_measure_may_be_negative_where_the_alert_says_so() -> None:
    assert min(of("outside_dbm < -20", "outside_dbm")) < -20


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (".*aerospike.*", "aerospike"),
        ("down.*", "down"),
        ("chrony.?", "chrony"),
        ("node-exporter.*|.*kubelet", "node-exporter"),
        (".*-prod", "a-prod"),
        ("5..", "500"),
    ],
)
def test_labels_have_no_stray_letters(pattern: str, text: str) -> None:
    assert examples(pattern)[0] == text


@pytest.mark.parametrize(
    ("bound", "text"),
    [(0.005, "0.005"), (10.0, "10"), (2500.49, "2500.49"), (1e6, "1e+06"), (1073741824.0, "1.073741824e+09")],
)
def test_bounds_are_printed_as_clients_do(bound: float, text: str) -> None:
    assert printed(bound) == text
