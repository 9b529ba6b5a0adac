"""RB202: queries do not stand in blocks of shell."""

from __future__ import annotations

from pathlib import Path

import pytest
from runbook_examples import examples, hits_in

from pytest_sre.checks.runbooks import rb202_query_in_shell_fence as check


@pytest.mark.parametrize("page", examples(check, "hit"))
def test_examples_that_hit(page: str, tmp_path: Path) -> None:
    assert len(hits_in(check, page, tmp_path)) == 1


@pytest.mark.parametrize("page", examples(check, "fine"))
def test_examples_that_are_fine(page: str, tmp_path: Path) -> None:
    assert hits_in(check, page, tmp_path) == []


def test_the_block_and_its_query_are_named(tmp_path: Path) -> None:
    (hit,) = hits_in(check, "# T\n\n```sh\n# how many\nsum(up == 0) by (job)\n```\n", tmp_path)
    assert (hit.line, hit.message) == (3, "a query in a sh block")
    assert "sum(up" in hit.seen
