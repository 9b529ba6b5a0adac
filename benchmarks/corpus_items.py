"""A pytest plugin that notes what `fires` and `quiet` said of each alert: a JSON line for each item.

`corpus.py` gives it to pytest with `-p corpus_items`; the environment variable CORPUS_ITEMS names the file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_sre.items.alerts import AlertItem
from pytest_sre.model.scenario import Impossible, NotSynthesised
from pytest_sre.synthesis.contrast import DEAD_MAN

ALWAYS = ("fires on healthy data", DEAD_MAN)
"""How the reason begins where no data are healthy enough for an alert."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """Write the item's line once it was judged, or could not be."""
    report: pytest.TestReport = yield
    if isinstance(item, AlertItem) and (report.when == "call" or report.outcome != "passed"):
        with open(os.environ["CORPUS_ITEMS"], "a") as file:
            file.write(json.dumps(_line(item, report)) + "\n")
    return report


def _line(item: AlertItem, report: pytest.TestReport) -> dict[str, Any]:
    rule = item.rule
    became, reason, part = _became(item, report)
    return {
        "file": rule.location.path, "line": rule.location.line, "alert": rule.name, "expr": rule.expr,
        "check": item.check_name, "became": became, "reason": reason, "part": part,
    }  # fmt: skip


def _became(item: AlertItem, report: pytest.TestReport) -> tuple[str, str, str]:
    """What became of it, why, and the sub-expression that is to blame."""
    if report.when != "call":
        return "broken", str(report.longrepr), ""
    if report.outcome == "passed":
        return "passed", "", ""
    seen = item.seen
    alert = seen.alerts.get(item.rule) if seen else None
    timed = seen.timed.get(item.rule) if seen else None
    if alert and isinstance(alert.plan, (Impossible, NotSynthesised)):
        became = "impossible" if isinstance(alert.plan, Impossible) else "not synthesised"
        return became, alert.plan.reason, alert.plan.part
    if item.check_name == "quiet" and timed and timed.reason.startswith(ALWAYS):
        return "always fires", timed.reason, ""
    if report.outcome == "failed":
        first = next((one for one in item.findings if one.severity == "error"), None)
        told = f"{first.title}: {first.seen}" if first else str(report.longrepr)
        fires = item.check_name == "fires" and alert and alert.state == "firing" and not alert.error
        return "texts" if fires else "failed", told, ""
    return "skipped", report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr), ""
