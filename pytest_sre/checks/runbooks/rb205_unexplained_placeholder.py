"""Does the page say what goes into its placeholders?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.names import is_label, labels_of
from pytest_sre.checks.runbooks.scripts import is_shell, script, typed
from pytest_sre.checks.runbooks.shell import bare, is_known, words
from pytest_sre.model.runbook import CodeBlock, Runbook

ID = "RB205"

_PLACEHOLDER = re.compile(r"(?<![<\w])<([A-Za-z][\w .:/-]{0,50}\w|[A-Za-z])>(?!>)")
# What kubectl prints where there is nothing, and what ends a text.
_NO_PLACEHOLDER = words("none nil null unknown invalid pending unset eof eot no value br p b i pre code")
_FILLERS = words(
    "name names id ids your my the a an of to for with in from here value some any insert replace own this that x y"
)
_COMMAND = re.compile(r"`[^`\s]*\s[^`\n]*`")
_WORD = re.compile(r"[a-z]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each placeholder, where it first stands."""
    runbook = case.page.runbook
    used = _used(runbook)
    if not used:
        return
    labels = labels_of(case.alerts)
    prose = " ".join(_COMMAND.sub(" ", text.source) for text in runbook.texts)
    said = _said(runbook, prose)
    for name, line in used.items():
        shown = f"<{name}>" in prose or f"`{name}`" in prose
        if not (shown or is_label(name, labels) or _is_explained(name, line, said)):
            yield Hit(
                line,
                f"nothing on the page says what <{name}> is",
                "say it, or show the command that lists it",
            )


def _used(runbook: Runbook) -> dict[str, int]:
    found: dict[str, int] = {}
    for line, text in _commands(runbook):
        for match in _PLACEHOLDER.finditer(text):
            if match[1].lower() not in _NO_PLACEHOLDER:
                found.setdefault(match[1], line)
    return dict(sorted(found.items(), key=lambda one: one[1]))


def _commands(runbook: Runbook) -> Iterator[tuple[int, str]]:
    for block in runbook.blocks:
        if "<" in block.content and (is_shell(block) or block.language == "promql"):
            yield from _typed(block)
    for code in runbook.code:
        if "<" in code.text and is_known(bare(code.text), sure=True):
            yield code.line, code.text


def _typed(block: CodeBlock) -> Iterator[tuple[int, str]]:
    """The lines of commands as they stand in the page, with their placeholders."""
    given = script(block)
    kept = typed(given).lines if given.prompted else given.lines
    for number, (line, text) in enumerate(zip(block.content.splitlines(), kept, strict=False)):
        if text.strip():
            yield block.first_line + number, line


def _said(runbook: Runbook, prose: str) -> dict[str, int]:
    """The first line at which a block has a word outside of a placeholder; 0 for those of the prose."""
    found = dict.fromkeys(map(_stem, set(_WORD.findall(prose.lower()))), 0)
    for block in runbook.blocks:
        content = _PLACEHOLDER.sub(" ", block.content).lower()
        for number, text in enumerate(content.splitlines(), block.first_line):
            for word in _WORD.findall(text):
                found.setdefault(_stem(word), number)
    return found


def _is_explained(name: str, line: int, said: dict[str, int]) -> bool:
    """A phrase explains itself, and a command its <name>; else the prose, or a block above, has all of its words."""
    if len(name.split()) > 2:
        return True
    asked = [word for word in _WORD.findall(_HUMP.sub(" ", name).lower()) if word not in _FILLERS]
    return all(said.get(_stem(word), line) < line for word in asked)


def _stem(word: str) -> str:
    """``pods`` and ``podname`` are the pod."""
    return word.removesuffix("name").removesuffix("s") or word
