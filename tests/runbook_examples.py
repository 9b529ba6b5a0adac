"""The examples on the page of a check: fences ```markdown hit and ```markdown fine, each a page of a runbook."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from pytest_sre.checks.runbooks.case import Hit, PageCase, parts_of
from pytest_sre.model.rules import Rule
from pytest_sre.settings import Settings, SreYaml
from pytest_sre.sources.discover import discover
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.runbook_library import Library, Page
from pytest_sre.sources.runbook_settings import Runbooks

DOCS = Path(__file__).parent.parent / "docs" / "checks"


def hits_in(check: ModuleType, text: str, folder: Path, *alerts: Rule) -> list[Hit]:
    """What a check finds in a page to which alerts link."""
    file = SreYaml(runbooks=Runbooks())
    library = Library(file.runbooks, folder, folder)
    page = Page("x.md", folder / "x.md", parse_runbook(text))
    inventory = discover(Settings(root=folder, folder=folder, search=folder, file=file))
    parts = parts_of(page, [(alert, None) for alert in alerts])
    return list(check.judge(PageCase(page, parts, library, file, inventory)))


def examples(check: ModuleType, kind: str) -> list[str]:
    """The contents of a kind of fence (``hit`` or ``fine``) on the check's page."""
    name = check.__name__.rpartition(".")[2]
    blocks = parse_runbook((DOCS / f"{name}.md").read_text(encoding="utf-8")).blocks
    return [block.content for block in blocks if block.info == f"markdown {kind}"]
