"""Is a query in a block that says it is shell?"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.scripts import only_commands, script
from pytest_sre.checks.runbooks.shell import SHELL
from pytest_sre.checks.runbooks.steps import query_of

ID = "RB202"


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each block that holds a query and no command."""
    for block in case.page.runbook.blocks:
        if block.language not in SHELL:
            continue
        query = query_of(block.content)
        if query and not only_commands(script(block)).text.strip():
            lines = (line.strip() for line in block.content.splitlines())
            seen = next((line for line in lines if line and not line.startswith(("#", "//"))), query)
            mend = "tag the block `promql`, `sql` or whatever it is"
            yield Hit(block.line, f"a query in a {block.language} block", mend, seen=seen[:120])
