"""The pages of the checks, for `--sre-explain`: in the wheel below the package, in a checkout beside it."""

from __future__ import annotations

from pathlib import Path

from pytest_sre.errors import UserError
from pytest_sre.model.near import nearest
from pytest_sre.model.runbook_checks import CATALOGUE, About

_PACKAGE = Path(__file__).parent
_ELSEWHERE = {"routing": "routing.md", "coverage": "routing.md"}
"""Checks that are described on a page about more."""

_RUNBOOK = "checks/runbook.md"
"""What describes the checks of runbooks that have no page of their own."""


def folder() -> Path:
    """Where the documentation is."""
    within = _PACKAGE / "docs"
    return within if within.is_dir() else _PACKAGE.parent / "docs"


def pages() -> dict[str, Path]:
    """All that can be explained, in lower case: ids and names of checks, and items of runbook pages."""
    docs = folder()
    found = {path.stem: path for path in sorted((docs / "checks").glob("*.md"))}
    found |= {name: docs / page for name, page in _ELSEWHERE.items()}
    for about in CATALOGUE:
        own = found.get(f"{about.id}_{about.name}".lower().replace("-", "_"))
        found[about.id.lower()] = found[about.name] = own or docs / _RUNBOOK
    return found


def page_of(asked: str) -> str:
    """The text of a check's page, for an item of a runbook that has several the list; raises UserError if unknown."""
    name = asked.strip().lower()
    several = [about for about in CATALOGUE if name and about.item == name]
    if several:
        return _listed(name, several)
    known = pages()
    path = known.get(name)
    if path is None:
        raise UserError(f"--sre-explain: there is no check {asked!r}; {_hint(name, known)}")
    try:
        return path.read_text("utf-8").rstrip() + "\n"
    except OSError as error:
        raise UserError(f"--sre-explain: the page of {asked} cannot be read: {error}") from None


def _listed(item: str, several: list[About]) -> str:
    lines = "".join(f"{about.id} {about.name} ({about.severity})\n" for about in several)
    return f"The item {item} of a runbook tells the findings of:\n\n{lines}\nSee pytest --sre-explain {several[0].id}\n"


def _hint(name: str, known: dict[str, Path]) -> str:
    ids = {about.id.lower(): about.id for about in CATALOGUE}
    items = {about.item for about in CATALOGUE if about.item}
    all_names = [one for one in (*known, *items) if one not in ids and one[:5] not in ids]
    begun = [said for one, said in ids.items() if name and one.startswith(name)]
    if begun:
        return f"did you mean {', '.join(begun)}?"
    if near := nearest(name, [*all_names, *ids], 0.6):
        return f"did you mean {ids.get(near, near)}?"
    names = {about.name for about in CATALOGUE}
    return f"there are {', '.join(sorted(set(all_names) - names - items))}, and {', '.join(ids.values())}"
