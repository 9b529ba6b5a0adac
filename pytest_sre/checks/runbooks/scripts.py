"""The blocks of a runbook as a shell would be given them: without prompts, placeholders filled, output left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from pytest_sre.checks.runbooks.shell import (
    MAX_LINE,
    PROMPT,
    ROOT_PROMPT,
    SHELL,
    bare,
    is_known,
    normalise,
    unprompted,
    unrooted,
)
from pytest_sre.model.runbook import CodeBlock, Runbook

_LEFT_OUT = re.compile(r"\s*(?:\.{3,}|…|\[(?:\.{3}|…)\]|<\.{3}>|<?snip>?|\(\.{3}\))\s*")
_KEYWORD = re.compile(
    r"(?:if|then|elif|else|fi|for|while|until|do|done|case|esac|select|function|in)\b"
    r"|[{}()\[!#|&]|\[\[|[\w.]+\s*\(\)|\w+=|[\w*|.\"-]+\)\s"
)


@dataclass(frozen=True, slots=True)
class Script:
    """A block's lines, one for each in the page, normalised; ``prompted`` are those (from 0) that had a prompt.

    ``line`` is that of the first in the page.
    """

    lines: tuple[str, ...]
    prompted: frozenset[int]
    line: int

    @property
    def text(self) -> str:
        """What would be pasted; a line of it is the same line of the block."""
        return "\n".join(self.lines) + "\n"


# Several checks ask the same of a block; they go page by page, so a few are enough.
@lru_cache(maxsize=256)
def is_shell(block: CodeBlock) -> bool:
    """Whether a block says, or shows by its prompts or its first command, that it is shell."""
    if block.language:
        return block.language in SHELL
    lines = [line for line in block.content.splitlines() if line.strip()]
    return bool(lines) and (bool(PROMPT.match(lines[0])) or is_known(bare(lines[0].strip())))


@lru_cache(maxsize=256)
def script(block: CodeBlock) -> Script:
    """All lines of a block, output too; none of a block with a line beyond MAX_LINE, which nobody types."""
    lines, prompted = list[str](), set[int]()
    if max(map(len, block.content.splitlines()), default=0) > MAX_LINE:
        return Script((), frozenset(), block.first_line)
    for number, line in enumerate(normalise(block.content).splitlines()):
        if PROMPT.match(line):
            prompted.add(number)
            line = unprompted(line)
        elif ROOT_PROMPT.match(line) and is_known(bare(unrooted(line))):
            prompted.add(number)
            line = unrooted(line)
        lines.append("" if _LEFT_OUT.fullmatch(line) else line)
    return Script(tuple(lines), frozenset(prompted), block.first_line)


@lru_cache(maxsize=256)
def typed(given: Script) -> Script:
    """Without output: in a transcript that has prompts what stands at one, else what looks like shell."""
    return _kept(given, _is_shell_like)


@lru_cache(maxsize=256)
def only_commands(given: Script) -> Script:
    """As typed, but nothing that does not start with a command that we know."""
    return _kept(given, _is_command)


def first_line(given: Script) -> str:
    """The first line that is not empty."""
    return next((line.strip() for line in given.lines if line.strip()), "")


def _kept(given: Script, wanted: Callable[[str], bool]) -> Script:
    kept = list(given.lines)
    continued = False
    for number, line in enumerate(given.lines):
        mine = continued or (number in given.prompted if given.prompted else wanted(line.strip()))
        if not mine:
            kept[number] = ""
        continued = mine and line.rstrip().endswith(("\\", "|", "&&", "||"))
    return Script(tuple(kept), given.prompted, given.line)


def _is_shell_like(line: str) -> bool:
    return bool(_KEYWORD.match(line)) or _is_command(line)


def _is_command(line: str) -> bool:
    return is_known(bare(line), sure=True)


def commands(given: Script) -> Iterator[tuple[int, str]]:
    """Line in the page and text of each command, continued lines joined, comments left out."""
    start, parts = 0, list[str]()
    for number, line in enumerate((*given.lines, "")):
        start = start if parts else number
        continued = line.rstrip().endswith("\\")
        parts.append(line.strip().removesuffix("\\").strip())
        if continued:
            continue
        command = " ".join(parts).strip()
        if command and not command.startswith("#"):
            yield given.line + start, command
        parts = []


def commands_on(runbook: Runbook, languages: Collection[str], words: int) -> Iterator[tuple[int, str]]:
    """Line and text of each command of a page; blocks in these ``languages`` have one on each line.

    What stands within a line of text is one if it has this many ``words``.
    """
    for block in runbook.blocks:
        if is_shell(block):
            yield from commands(typed(script(block)))
        elif block.language in languages:
            yield from enumerate(block.content.splitlines(), block.first_line)
    for code in runbook.code:
        if len(code.text.split()) >= words and _is_command(code.text):
            yield code.line, code.text
