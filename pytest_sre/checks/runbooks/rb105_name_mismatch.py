"""Is the page's title the name of the alert that leads to it? If not it is a copy of another, or out of date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.checks.runbooks.kinds import PASCAL_NAME, is_runbook, letters
from pytest_sre.model.runbook import Heading

ID = "RB105"

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*")


def judge(case: PageCase) -> Iterator[Hit]:
    """At most one hit: the page has one runbook and its title names another alert."""
    title = _title(case)
    if title is None or not is_runbook(case) or any(part.section.heading for part in case.parts):
        return
    names = tuple(dict.fromkeys((*(rule.name for rule in case.alerts), _file_name(case.page.file))))
    if _names_another(title.text, names, case):
        yield Hit(
            title.line,
            f"the title {title.text} is the name of neither the alert nor the file",
            "make the title the alert's name; look whether the page is a copy of another",
            expected=" or ".join(names),
            seen=title.text,
        )


def _title(case: PageCase) -> Heading | None:
    """The only heading of level 1; a page with several has no title."""
    titles = [heading for heading in case.page.runbook.headings if heading.level == 1]
    return titles[0] if len(titles) == 1 and titles[0] is case.page.runbook.headings[0] else None


def _file_name(file: Path) -> str:
    return file.parent.name if file.stem.lower() in ("index", "_index", "readme") else file.stem


def _names_another(title: str, names: tuple[str, ...], case: PageCase) -> bool:
    said, words = letters(title), _WORD.findall(title)
    if said in map(letters, names):
        return False
    if not PASCAL_NAME.fullmatch(names[-1]):
        # PostgreSQL may be the title of postgres.md; only what is an alert's name for sure is a wrong one.
        others = {rule.name for rule in case.inventory.rules if rule.kind == "alert"}
        return len(words) == 1 and words[0] in others.difference(names)
    if len(words) == 1 and PASCAL_NAME.fullmatch(words[0]):
        return True
    return not case.alerts and not any(letters(name) in said for name in names)
