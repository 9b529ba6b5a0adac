"""RB205: placeholders are explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from runbook_pages import agree, hits_in

from pytest_sre.checks.runbooks import rb205_unexplained_placeholder as check


def test_the_page_of_the_check_is_true() -> None:
    agree(check, most=1)


def _names(content: str, tmp_path: Path) -> list[tuple[int, str]]:
    hits = hits_in(check, f"# Title\n\n{content}\n", tmp_path)
    return [(hit.line, hit.message.partition("<")[2].partition(">")[0]) for hit in hits]


def test_each_is_told_once_where_it_first_stands(tmp_path: Path) -> None:
    page = "```bash\noc get <kind>\noc get <kind> -n <space>\n```\n\nThen `oc describe <thing>`."

    assert _names(page, tmp_path) == [(4, "kind"), (5, "space"), (8, "thing")]


@pytest.mark.parametrize(
    "page",
    [
        "`<pool>` is the pool.\n\n```bash\nceph df <pool>\n```",
        "Find the pools.\n\n```bash\nceph df <pool-name>\n```",
        "```bash\nceph osd pool ls\nceph df <POOL_NAME>\n```",
        "```bash\nceph df <pool that you found above>\n```",
        "```bash\noc get pvc <name>\n```",
        "```console\n$ oc get svc\nEXTERNAL-IP  <none>  <device>\n```",
        "```bash\nsort <words >sorted\ncat <<EOF\nEOF\n```",
        "```html\n<table>\n```",
        "Write `<device>` here.",
    ],
)
def test_what_is_explained_or_no_placeholder(page: str, tmp_path: Path) -> None:
    assert _names(page, tmp_path) == []


def test_what_comes_later_explains_nothing(tmp_path: Path) -> None:
    assert _names("```bash\nceph df <pool>\nceph osd pool ls\n```", tmp_path) == [(4, "pool")]
