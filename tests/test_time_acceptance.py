"""The example on virtual time: what it tells when all is well, and mistakes that only time shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from servers import Pair
from shop import edit, run

QUIET = "rules/checkout.yml::CheckoutErrorBudgetBurnSlow::quiet"
DETECTS = "rules/payments.yml::PaymentsErrorBudgetBurnFast::detects"
RESOLVES = "rules/platform.yml::ContainerRestarts::resolves"
LATE = "sre.yaml::checkout-availability::policy[1h page]"
NO_PAGE = "sre.yaml::checkout-latency::policy[1h page]"
OUTAGE = "sre.yaml::incidents::checkout outage"
NEVER = "sre.yaml::payments-availability::policy[1h page]"

UNITS = {  # the shop's own unit tests notice two of the mistakes
    "tests/checkout_test.yml::outage::alert CheckoutErrorBudgetBurnFast at 10m",
    "tests/checkout_test.yml::a few errors::alert CheckoutErrorBudgetBurnSlow at 6h",
}


def break_it(repo: Path) -> None:
    """Mistakes that load, fire and page."""
    checkout, payments, platform = (
        repo / f"rules/{name}.yml" for name in ("checkout", "payments", "platform")
    )
    # A threshold with two zeros too many: a healthy service is above it.
    for window in ("3d", "6h"):
        leg = f'job:http_requests:error_ratio_rate{window}{{job="checkout"}} > (1 * 0.001)'
        edit(checkout, leg, leg.replace("0.001", "0.00001"))
    # A page that waits, beside windows that are meant to wait.
    edit(checkout, "        labels:\n          severity: page\n          team: checkout\n          slo: checkout-av",
         "        for: 10m\n        labels:\n          severity: page\n          team: checkout\n          slo: checkout-av")  # fmt: skip
    # Nobody pages.
    edit(checkout, "severity: page\n          team: checkout\n          slo: checkout-latency",
         "severity: ticket\n          team: checkout\n          slo: checkout-latency")  # fmt: skip
    # Two things must be wrong at once; one of them is no matter of the SLO.
    text = payments.read_text()
    text, count = re.subn(
        r"(PaymentsErrorBudgetBurnFast\n +expr: \|\n).*?( +labels:)",
        r"""\1            sum by (job) (rate(payments_authorizations_total{outcome="error"}[1h]))
            / sum by (job) (rate(payments_authorizations_total[1h])) > 14.4 * 0.0005
            and on (job) (sum by (job) (payments_queue_length) > 1000)
\2""",
        text,
        count=1,
        flags=re.S,
    )
    assert count == 1
    payments.write_text(text)
    # What adds up never comes down again.
    edit(platform, 'increase(kube_pod_container_status_restarts_total{namespace=~"checkout|payments"}[1h]) > 5',
         'kube_pod_container_status_restarts_total{namespace=~"checkout|payments"} > 5')  # fmt: skip
    # Silence for a month after each failure.
    edit(platform, "        for: 5m\n", "        for: 5m\n        keep_firing_for: 30d\n")


def test_mistakes_that_only_time_shows(repo: Path, pair: Pair) -> None:
    break_it(repo)
    result = run(repo, pair)

    assert result.failed() == {QUIET, DETECTS, RESOLVES, LATE, NO_PAGE, NEVER, OUTAGE, *UNITS}, result.output
    assert result.status == 1
    hints = {
        QUIET: ("fires while checkout-availability is met", "10% of the error budget", "0.01% of the requests",
                "3d leg  held all the time, peak 10x of 1x", "1d leg  never held: was always 0.1x"),
        DETECTS: ("no burn of it makes it fire", "payments_queue_length)", "needs > 1000", "never held together"),
        RESOLVES: ("does not end after recovery", "needs > 5", "`increase`"),
        LATE: ("a page within 6m when 72% of the requests fail", "it fires after 11m 30s, with 19.2% spent", "without `for: 10m` CheckoutErrorBudgetBurnFast would fire after 1m 30s"),
        NO_PAGE: ("comes nearest: it fires after 9m", "but is a ticket", "label one of them as a page"),
        NEVER: ("PaymentsErrorBudgetBurnFast never fires at this error ratio", "ticket    rules/payments.yml"),
    }  # fmt: skip
    for node, texts in hints.items():
        for text in texts:
            assert text in result.message(node), result.message(node)
    assert "InstanceDown goes on for 30d after recovery [resolves]" in result.output


def test_what_the_example_tells_of_time(repo: Path, pair: Pair) -> None:
    result = run(repo, pair, "-k", "detects or resolves or policy")

    assert result.status == 0, result.output
    # The Workbook's figures, give or take one evaluation: 43.2 minutes at 2 %, 3.6 hours at 1 %.
    fast = re.search(r"CheckoutErrorBudgetBurnFast \(page\) .*", result.output)
    assert fast
    assert re.search(r" 43m( 30s)? · 2% +3\.6h · 5% +never +\d+m( 30s)?$", fast[0])
    assert re.search(r"\n  InstanceDown +5m +at once\n", result.output)
    alerts = {alert["alert"]: alert for alert in result.seen["alerts"]}
    passages = {one["name"]: one for one in alerts["CheckoutErrorBudgetBurnFast"]["timed"]["passages"]}
    assert passages["2% of the requests fail"]["fired"] == pytest.approx(2592, abs=30)
    assert passages["0.2% of the requests fail"]["fired"] is None
    assert all(len(line["times"]) <= 200 for one in passages.values() for line in one["plot"])
    assert [entry["met"] for slo in result.seen["slos"] for entry in slo["policy"]] == [True] * 6


def test_legs_of_no_use(repo: Path, pair: Pair) -> None:
    """Each alert still fires, and in time: what is wrong shows in its legs alone."""
    checkout, payments = repo / "rules/checkout.yml", repo / "rules/payments.yml"
    turned = 'job:http_requests:error_ratio_rate1h{job="checkout"} > (14.4'
    edit(checkout, turned, turned.replace(">", "<"))
    percent = 'job:http_request_duration:slow_ratio_rate1d{job="checkout"} > (3 * 0.01)'
    edit(checkout, percent, percent.replace("0.01", "1"))
    text = payments.read_text()
    payments.write_text(text.replace("  and\n", "  or\n", 1))

    result = run(repo, pair, "-k", "quiet or detects or policy")

    quiet, deaf, cheap = (
        "rules/checkout.yml::CheckoutErrorBudgetBurnFast::quiet",
        "rules/checkout.yml::CheckoutLatencyBudgetBurnSlow::detects",
        "rules/payments.yml::PaymentsErrorBudgetBurnFast::quiet",
    )
    assert result.failed() == {quiet, deaf, cheap}, result.output
    assert "1h leg  held all the time, lowest 0.1x of 14.4x" in result.message(quiet)
    assert "1d leg  peaked at 33.3% of 300%" in result.message(deaf) or "1d leg" in result.message(deaf)
    assert re.search(r"pages for 0\.\d+% of the error budget of payments-availability", result.message(cheap))
