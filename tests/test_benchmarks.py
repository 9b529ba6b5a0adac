"""The files that the benchmark generates are what real servers read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from servers import REPO, Pair

SLOS = 60
GENERATE = [sys.executable, str(REPO / "benchmarks" / "slos.py"), "--keep"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    subprocess.run([*GENERATE, str(folder), str(SLOS)], check=True)
    return folder


def test_each_slo_has_seven_records_and_two_alerts(pair: Pair, company: Path) -> None:
    files = sorted((company / "rules").glob("*.yml"))
    checked = subprocess.run([pair.promtool, "check", "rules", *files], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert [int(count) for count in re.findall(r"(\d+) rules found", checked.stdout)] == [50 * 9, 10 * 9]


def test_every_team_has_its_receivers(pair: Pair, company: Path) -> None:
    checked = subprocess.run(
        [pair.amtool, "check-config", company / "alertmanager.yml"], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert "- 21 receivers" in checked.stdout


@pytest.mark.parametrize(("severity", "tool"), [("page", "pagerduty"), ("ticket", "slack")])
def test_alertmanager_itself_routes_by_team(pair: Pair, company: Path, severity: str, tool: str) -> None:
    config = f"--config.file={company / 'alertmanager.yml'}"
    routed = subprocess.run(
        [pair.amtool, "config", "routes", "test", config, "team=team-7", f"severity={severity}"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert routed.stdout.strip() == f"{tool}-team-7"
