"""RB202: queries do not stand in blocks of shell."""

from __future__ import annotations

from pathlib import Path

from runbook_pages import agree, hits_in

from pytest_sre.checks.runbooks import rb202_query_in_shell_fence as check


def test_the_page_of_the_check_is_true() -> None:
    agree(check, most=1)


def test_the_block_and_its_query_are_named(tmp_path: Path) -> None:
    (hit,) = hits_in(check, "# T\n\n```sh\n# how many\nsum(up == 0) by (job)\n```\n", tmp_path)
    assert (hit.line, hit.message) == (3, "a query in a sh block")
    assert "sum(up" in hit.seen
