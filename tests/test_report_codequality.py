"""GitLab's Code Quality report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_sre.model.finding import Finding, Location
from pytest_sre.report.codequality import entries, write
from pytest_sre.report.outcome import Outcome

TOP = Path("/work")
ROOT = TOP / "examples" / "shop"
FINDING = Finding("pages", Location("rules/x.yml", 4), "Burn pages nobody", "a", "b\n  c", "d")


def failed(*findings: Finding, alert: str = "Burn") -> Outcome:
    return Outcome(f"x::{alert}::pages", "pages", alert, "failed", findings[0].location, "", findings)


def entry(finding: Finding, alert: str = "Burn") -> Any:
    (found,) = entries([failed(finding, alert=alert)], ROOT, TOP)
    return found


def test_an_entry() -> None:
    found = entry(FINDING)
    assert len(found.pop("fingerprint")) == 64
    assert found == {
        "description": "Burn pages nobody; expected: a; seen: b c; next: d",
        "check_name": "pytest-sre/pages",
        "severity": "critical",
        "location": {"path": "examples/shop/rules/x.yml", "lines": {"begin": 4}},
    }


def test_a_finding_that_warns_is_minor() -> None:
    assert entry(replace(FINDING, severity="warning"))["severity"] == "minor"


def test_the_fingerprint_stays_when_lines_shift_or_values_change() -> None:
    moved = replace(FINDING, location=Location("rules/x.yml", 40), seen="e")
    assert entry(moved)["fingerprint"] == entry(FINDING)["fingerprint"]


def test_the_fingerprint_tells_findings_apart() -> None:
    others = [
        replace(FINDING, check="fires"),
        replace(FINDING, summary="x"),
        replace(FINDING, location=Location("y", 4)),
    ]
    prints = {entry(one)["fingerprint"] for one in (FINDING, *others)} | {
        entry(FINDING, "Other")["fingerprint"]
    }
    assert len(prints) == 5


def test_equal_findings_at_two_places_have_two_fingerprints() -> None:
    twins = [failed(FINDING, replace(FINDING, location=Location("rules/x.yml", 9)))]
    assert len({one["fingerprint"] for one in entries(twins, ROOT, TOP)}) == 2


def test_nothing_to_report_is_an_empty_list(tmp_path: Path) -> None:
    path = tmp_path / "new" / "codequality.json"
    write(path, [], ROOT, TOP)
    assert json.loads(path.read_text("utf-8")) == []


def test_odd_names_can_be_written(tmp_path: Path) -> None:
    write(tmp_path / "c.json", [failed(replace(FINDING, location=Location("b\udcff.yml", 1)))], ROOT, TOP)
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))[0]["location"]["path"].endswith("b\udcff.yml")
