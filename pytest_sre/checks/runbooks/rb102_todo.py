"""Is the runbook finished? A part that says TODO instead of what to do is worse than none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.kinds import is_runbook
from pytest_sre.model.runbook import CodeBlock, Runbook, Text

ID = "RB102"

_MARK = r"(?:TODO|TBD|TBC|FIXME|WIP|XXX)"
_VERB = (
    r"(?:add|check|complete|create|define|describe|document|expand|explain|fill|find|fix|include|insert|link|make"
    r"|mention|provide|put|remove|replace|test|update|verify|write)\b"
)
# At the start of a line, as a whole or with what is left to do; in a sentence it is only mentioned.
_OPEN = re.compile(rf"[\W_]*{_MARK}(?:\s*(?:$|[:.!…(\[/)\]>*_–—-])|\s+{_VERB})")
_VALUE = re.compile(rf"[\w /&-]{{1,40}}:\s*[\W_]*{_MARK}[\W_]*$")
_WHOLE = re.compile(
    r"[\W_]*(?:todo|tbd|tbc|fixme|to be (?:done|defined|determined|written|completed|added|documented|decided)"
    r"|work in progress|coming soon)[\W_]*$",
    re.I,
)
_CODE_COMMENT = re.compile(rf"\s*(?:#+|//|--|;|/\*)\s*{_MARK}\b")
_ALONE = frozenset(("TODO", "TBD", "FIXME"))
_SHELL = frozenset(("", "bash", "sh", "shell", "zsh", "console", "shell-session", "promql", "sql"))
_LONGEST = 300


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each line that is left to be written."""
    if not is_runbook(case):
        return
    found = dict(_left(case.page.runbook))
    for line, text in sorted(found.items()):
        if any(line in part.section for part in case.parts):
            yield Hit(
                line,
                f"something is left to be written: {text.strip()[:80]}",
                "write it, or delete the line or the section",
            )


def _left(runbook: Runbook) -> Iterator[tuple[int, str]]:
    for text in runbook.texts:
        # `TODO` in backticks explains a word.
        if not text.source.lstrip("*_ ").startswith("`"):
            yield from _of_text(text)
    for comment in runbook.comments:
        if _OPEN.match(comment.text[:_LONGEST]) or _WHOLE.match(comment.text[:_LONGEST]):
            yield comment.line, comment.text.partition("\n")[0]
    for block in runbook.blocks:
        yield from _of_block(block)


def _of_text(text: Text) -> Iterator[tuple[int, str]]:
    # A tag such as <TODO> is no text to a renderer, but it is to the author.
    shown = text.text if text.text.strip() else text.source
    for offset, line in enumerate(shown[: 200 * _LONGEST].split("\n")):
        start = line[:_LONGEST]
        if _OPEN.match(start) or _VALUE.match(start) or _WHOLE.match(start):
            yield text.line + offset, line


def _of_block(block: CodeBlock) -> Iterator[tuple[int, str]]:
    if block.language not in _SHELL:
        return
    for offset, line in enumerate(block.content.split("\n")):
        if _CODE_COMMENT.match(line[:_LONGEST]) or line.strip() in _ALONE:
            yield block.first_line + offset, line
