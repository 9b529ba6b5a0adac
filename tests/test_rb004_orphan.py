"""RB004: an alert leads to each page, and the page is the end of the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from runbook_pages import agree, hits, page_case

from pytest_sre.checks.runbooks import rb004_orphan

RUNBOOK = "# DiskFull\n\n## Mitigation\n\n`df -h`\n"


def test_the_page_of_the_check_is_true() -> None:
    agree(rb004_orphan)


@pytest.mark.parametrize(("name", "count"), [("disk.md", 1), ("README.md", 0), ("_index.md", 0)])
def test_a_page_without_alert(name: str, count: int) -> None:
    case = replace(page_case(RUNBOOK, name), orphan=True)
    assert len(list(rb004_orphan.judge(case))) == count


def test_a_page_that_only_leads_on_is_told_with_its_alerts() -> None:
    (hit,) = hits(rb004_orphan, "\n# DiskFull\n\nMoved to [x](x.md).\n", alerts={"DiskFull": None})
    assert (hit.line, hit.seen) == (2, "alerts that link here: DiskFull")
    assert hits(rb004_orphan, RUNBOOK, alerts={"DiskFull": None}) == []
