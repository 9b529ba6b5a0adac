"""RB105: the title is the alert's name."""

from __future__ import annotations

import pytest
from runbook_pages import agree, hits

from pytest_sre.checks.runbooks import rb105_name_mismatch


def test_the_page_of_the_check_is_true() -> None:
    agree(rb105_name_mismatch)


@pytest.mark.parametrize(
    ("name", "title", "alerts"),
    [
        ("DiskFull.md", "DiskFilling", {}),
        ("DiskFull.md", "What to do now", {}),
        ("disk.md", "DiskFilling", {"DiskFull": None}),
        ("disk.md", "`DiskFilling`", {}),
        ("DiskFull/index.md", "DiskFills", {"DiskFull": None}),
        ("RemoteWriteBehind.md", "`RemoteStorageFailures`", {"RemoteWriteBehind": None}),
    ],
)
def test_a_title_that_names_another_is_found(name: str, title: str, alerts: dict[str, str | None]) -> None:
    (hit,) = hits(
        rb105_name_mismatch,
        f"---\na: b\n---\n# {title}\n\nText.\n",
        name,
        alerts=alerts,
        others=("DiskFilling",),
    )
    assert hit.line == 4


@pytest.mark.parametrize(
    ("name", "text", "alerts"),
    [
        ("DiskFull.md", "# Disk full", {}),
        ("disk-full.md", "# DiskFull", {}),
        ("disk.md", "# DiskFull", {"DiskFull": None}),
        ("disk.md", "# DiskFull", {}),
        ("postgres.md", "# PostgreSQL", {"PostgresDown": None}),
        ("index.md", "# DiskFull", {"DiskFull": None}),
        ("disk.md", "# The disk is full", {"DiskFull": None}),
        ("DiskFull.md", "# Alert: DiskFull (critical)", {}),
        ("disks.md", "# DiskFilling", {"DiskFull": None, "DiskFilling": None}),
        ("disks.md", "# DiskAlerts\n\n## DiskFull", {"DiskFull": "diskfull"}),
        ("DiskFull.md", "# First\n\n# Second", {}),
        ("DiskFull.md", "Text.", {}),
        ("DiskFull.md", "## Diagnosis", {}),
        ("README.md", "# DiskFilling", {}),
    ],
)
def test_what_names_it_or_no_alert_is_fine(name: str, text: str, alerts: dict[str, str | None]) -> None:
    assert hits(rb105_name_mismatch, text + "\n", name, alerts=alerts) == []
