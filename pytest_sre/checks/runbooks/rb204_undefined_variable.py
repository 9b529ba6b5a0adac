"""Does the page say what goes into the variables of its commands?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_sre.checks.runbooks.bash import first_error, variables
from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.names import is_environment, is_label, labels_of, set_on, spoken_of
from pytest_sre.checks.runbooks.scripts import Script, is_shell, script, typed
from pytest_sre.checks.runbooks.shell import is_command_name
from pytest_sre.model.runbook import Runbook

ID = "RB204"

_NOT_BASH = frozenset(("fish", "cmd"))
# A file that is read in may set anything.
_SOURCES = re.compile(r"(?:^|[\s;&|(])(?:source|\.|eval)\s+[\w~./$\"'<{-]")
# So may the environment of another host or of a container.
_INSIDE = re.compile(
    r"\b(?:rsh|ssh|chroot|nsenter|su|toolbox)\b|\b(?:exec|debug|run|attach)\s(?:.*\s)?(?:-\w*[it]\w*\s|-- )|\b(?:oc|kubectl) debug\b"
)


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each variable, where it is first used."""
    runbook = case.page.runbook
    used = _used(runbook)
    if not used:
        return
    known = set_on(runbook) | spoken_of(runbook)
    labels = labels_of(case.alerts)
    for name, (line, text) in used.items():
        if name not in known and not is_label(name, labels):
            yield Hit(
                line,
                f"${name} is set nowhere on this page",
                f"set it first ({name}=...), or say what it stands for",
                seen=text,
            )


def _used(runbook: Runbook) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for block in runbook.blocks:
        if "$" not in block.content or not is_shell(block) or block.language in _NOT_BASH:
            continue
        given = script(block)
        given = typed(given) if given.prompted else given
        if _SOURCES.search(given.text):
            return found
        if first_error(given.text) is None:
            inside = _inside(given)
            for row, name in variables(given.text):
                if row <= inside and not is_environment(name) and not is_command_name(name):
                    found.setdefault(name, (given.line + row, given.lines[row].strip()[:120]))
    return found


def _inside(given: Script) -> int:
    """The line (from 0) behind which commands are no longer typed into the shell of the reader."""
    opened = (row for row, line in enumerate(given.lines) if _INSIDE.search(line) and not line.endswith("\\"))
    return next(opened, len(given.lines))
