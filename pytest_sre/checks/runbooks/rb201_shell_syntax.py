"""Is what stands in a block of shell shell? If not: a typo, output, a transcript or a query."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.checks.runbooks.bash import first_error
from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.scripts import Script, first_line, only_commands, script, typed
from pytest_sre.checks.runbooks.steps import query_of
from pytest_sre.model.runbook import CodeBlock

ID = "RB201"

_BASH = frozenset(("bash", "sh"))
# GitHub's name for bash; many who write it mean a session, so output in it is left alone.
_LOOSE = frozenset(("shell",))
# A program that we do not know, with an option, a quoted argument or a pipe.
_COMMAND_LIKE = re.compile(
    r"[a-z][\w./-]*\s(?:.*\s)?(?:-{1,2}[a-z]|[\"'|])|(?:if|for|while|until|case|function)\s|\w+=", re.ASCII
)
_MENDS = {
    "a typo": "mend it; `bash -n` tells more",
    "output": "tag the block `text`",
    "a transcript": "put the output into a `text` block of its own, or tag the whole block `console`",
    "a query": "tag the block `promql`, `sql` or whatever it is",
}


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each block that does not parse, at the line where it stops being bash, or at its tag."""
    for block in case.page.runbook.blocks:
        if block.language not in _BASH and block.language not in _LOOSE:
            continue
        given = script(block)
        row = first_error(given.text)
        if row is None:
            continue
        kind = _kind(block, given)
        if block.language in _BASH or kind in ("a typo", "a query"):
            yield _hit(block, row, kind)


def _hit(block: CodeBlock, row: int, kind: str) -> Hit:
    lines = block.content.splitlines()
    row = min(row, len(lines) - 1)
    line = block.line if kind in ("output", "a query") else block.first_line + row
    message = f"not shell in a {block.language} block: {kind}"
    return Hit(line, message, _MENDS[kind], seen=lines[row].strip()[:120])


def _kind(block: CodeBlock, given: Script) -> str:
    if not given.prompted and query_of(block.content):
        return "a query"
    for commands in (typed(given), only_commands(given)):
        if commands.text.strip() and first_error(commands.text) is None:
            return "a transcript"
    is_command = bool(only_commands(given).text.strip()) or bool(_COMMAND_LIKE.match(first_line(given)))
    return "a typo" if is_command else "output"
