"""The example fleet: machines and monitoring beside real metrics pages, untouched and with mistakes that the pages show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from servers import Pair
from shop import edit, run

REPO = Path(__file__).parent.parent


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """A copy of the example, with runbooks and pages at the places that it refers to."""
    for name in ("examples/fleet", "runbooks", "fixtures"):
        shutil.copytree(
            REPO / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache")
        )
    return tmp_path / "examples" / "fleet"


def test_good_rules_pass(fleet: Path, pair: Pair) -> None:
    result = run(fleet, pair)

    assert set(result.outcomes.values()) == {"PASSED"}, result.output
    assert result.status == 0
    assert "warning" not in result.output


def test_mistakes_that_real_pages_show(fleet: Path, pair: Pair) -> None:
    node, monitoring = fleet / "rules/node.yml", fleet / "rules/monitoring.yml"
    edit(
        node, "node_filesystem_avail_bytes{fstype", "node_filesystem_avail_byte{fstype", 1
    )  # misspelt metric
    edit(
        node, 'node_filesystem_readonly{fstype=~"ext4', 'node_filesystem_readonly{fstyp=~"ext4'
    )  # misspelt label
    edit(
        node,
        "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes <",
        "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes >",
    )
    edit(
        node, "time() - node_boot_time_seconds < 600", "time() - node_boot_time_seconds * 1000 < 600"
    )  # unit
    edit(
        monitoring, "count by (job) (up == 0)", "count (up == 0)"
    )  # no label is left to meet the other side on
    edit(monitoring, 'changes(process_start_time_seconds{job="prometheus"}', "changes(process_start_time{")
    monitoring.write_text(
        monitoring.read_text().replace("changes(process_start_time{[", "changes(process_start_time[", 1)
    )

    result = run(fleet, pair)

    for alert, check, hint in (
        ("node.yml::DiskAlmostFull", "known", "did you mean node_filesystem_avail_bytes?"),
        ("node.yml::DiskReadOnly", "known", "did you mean fstype?"),
        ("node.yml::MemoryShort", "quiet", "fires on the snapshot of a healthy service"),
        ("node.yml::Rebooted", "quiet", "fires"),
        ("monitoring.yml::TargetsDown", "fires", ""),
        ("monitoring.yml::PrometheusRestartsOften", "known", "did you mean process_start_time_seconds?"),
    ):
        item = f"rules/{alert}::{check}"
        assert item in result.failed(), f"{item}\n{result.output}"
        assert hint in result.message(item)
    assert result.status == 1
