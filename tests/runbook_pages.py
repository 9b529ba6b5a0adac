"""Pages for the tests of runbook checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from servers import REPO

from pytest_sre.checks.runbooks.case import Hit, PageCase, parts_of
from pytest_sre.model.finding import Location
from pytest_sre.model.rules import Rule, RuleFile, RuleGroup
from pytest_sre.model.snapshot import Snapshots
from pytest_sre.settings import SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.prometheus import PrometheusConfig
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.runbook_library import Library, Page
from pytest_sre.sources.runbook_settings import Runbooks

NOWHERE = Path("/nowhere")


def page_case(
    text: str,
    name: str = "checkout.md",
    alerts: Mapping[str, str | None] | None = None,
    folder: Path = NOWHERE,
    runbooks: Runbooks | None = None,
    others: tuple[str, ...] = (),
    rules: tuple[Rule, ...] = (),
) -> PageCase:
    """A page called ``name`` in ``folder``; ``alerts`` by name, each with the anchor that its link has.

    ``others`` are alerts that link elsewhere, ``rules`` alerts that link to all of the page.
    """
    settings = runbooks or Runbooks()
    page = Page(name, folder / name, parse_runbook(text))
    linking = [(_rule(alert), anchor) for alert, anchor in (alerts or {}).items()]
    linking += [(rule, None) for rule in rules]
    known = (*(rule for rule, _ in linking), *map(_rule, others))
    files = (RuleFile("rules.yml", (RuleGroup("group", Location("rules.yml", 1), known, {}),)),)
    inventory = Inventory(folder, files, (), (), None, PrometheusConfig(), Snapshots(()))
    library = Library(settings, folder, folder)
    names = frozenset(rule.name for rule in known)
    return PageCase(
        page, parts_of(page, linking), library, SreYaml(runbooks=settings), inventory, known=names
    )


def hits(check: ModuleType, text: str, name: str = "checkout.md", **kwargs: object) -> list[Hit]:
    """What a check says of a page."""
    return list(check.judge(page_case(text, name, **kwargs)))  # type: ignore[arg-type]


def hits_in(check: ModuleType, text: str, folder: Path, *alerts: Rule) -> list[Hit]:
    """The same in a folder, with alerts that have labels and expressions."""
    return list(check.judge(page_case(text, "x.md", folder=folder, rules=alerts)))


def documented(check: ModuleType) -> Iterator[tuple[str, str, list[Hit]]]:
    """The examples of a check's page: "hit" or "fine", the text, and what the check says of it.

    A third word of the info string is the file's name.
    """
    stem = check.__name__.rpartition(".")[2]
    for block in parse_runbook((REPO / "docs" / "checks" / f"{stem}.md").read_text("utf-8")).blocks:
        words = block.info.split()
        if words[:1] == ["markdown"] and len(words) > 1:
            yield words[1], block.content, hits(check, block.content, *words[2:])


def agree(check: ModuleType, most: int | None = None) -> None:
    """Fails where a check's page shows what is not so, or only one side; each example has at ``most`` so many hits."""
    examples = list(documented(check))
    assert {said for said, _, _ in examples} == {"hit", "fine"}
    for said, text, found in examples:
        assert bool(found) == (said == "hit"), (said, text, found)
        assert most is None or len(found) <= most, (text, found)


def _rule(name: str) -> Rule:
    return Rule("alert", name, "up == 0", Location("rules.yml", 1), 2, "group", 0)
