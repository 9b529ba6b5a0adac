"""Did you mean …?"""

from __future__ import annotations

import pytest

from pytest_sre.promql.nearest import mistyped, nearest

NAMES = [
    "http_requests_total", "http_request_duration_seconds_bucket", "http_request_duration_seconds_count",
    "node_filesystem_avail_bytes", "node_memory_MemAvailable_bytes", "kube_pod_container_status_restarts_total",
    "job:http_requests:error_ratio_rate5m", "job:http_requests:error_ratio_rate1h", "up",
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("http_request_total", "http_requests_total"),
        ("http_requests", "http_requests_total"),
        ("http_requests_count", "http_requests_total"),
        ("http_request_duration_seconds", "http_request_duration_seconds_count"),
        ("node_filesystem_avail", "node_filesystem_avail_bytes"),
        ("filesystem_node_avail_bytes", "node_filesystem_avail_bytes"),
        ("kube_pod_container_restarts_total", "kube_pod_container_status_restarts_total"),
        ("job:http_requests:error_ratio_rate5min", "job:http_requests:error_ratio_rate5m"),
        ("mysql_global_status_threads", ""),
        ("http_errors_total", ""),
        ("job:http_requests:error_ratio_rate6h", "job:http_requests:error_ratio_rate1h"),
        ("job:http_request:serror_ratio_rate5m", "job:http_requests:error_ratio_rate5m"),
        ("kuep_pod_container_status_restarts_total", "kube_pod_container_status_restarts_total"),
        ("pu", ""),
    ],
)
def test_nearest_name(name: str, meant: str) -> None:
    assert nearest(name, NAMES) == meant


@pytest.mark.parametrize(
    ("value", "known", "meant"),
    [
        ("chekout", ["checkout", "payments"], "checkout"),
        ("chekcout", ["checkout", "payments"], "checkout"),
        ("get", ["GET", "POST"], "GET"),
        ("500", ["200", "503"], ""),
        ("5xx", ["2xx"], ""),
        ("node-3", ["node-1", "node-2"], ""),
        ("eth1", ["eth0", "lo"], ""),
        ("unavailable", ["available"], ""),
        ("inactive", ["active"], ""),
        ("error", ["approved", "declined"], ""),
        ("DELETE", ["GET", "POST"], ""),
        ("checkout", ["checkout", "checkouts"], ""),
        ("eu-west-1b", ["eu-west-1a"], ""),
        ("us-west-1", ["us-east-1"], ""),
        ("orders-us", ["orders-eu"], ""),
        ("/dev/sdb", ["/dev/sda"], ""),
        ("backend2", ["backend"], ""),
        ("queue-pppp", ["queue-aapp"], ""),
        ("asia-northeast1", ["asia-northwest1"], ""),
        ("external", ["internal"], ""),
        ("decrypting", ["encrypting"], ""),
        ("shop-chekout-2", ["shop-checkout-2"], "shop-checkout-2"),
        ("shop-chekout-2", ["shop-checkout-1"], ""),
        ("kubernetes-nods", ["kubernetes-nodes"], ""),
        ("kubrnetes-nodez", ["kubernetes-nodes"], ""),
        ("kubernts-nodes", ["kubernetes-nodes"], "kubernetes-nodes"),
    ],
)
def test_misspelt_value(value: str, known: list[str], meant: str) -> None:
    assert mistyped(value, known) == meant
