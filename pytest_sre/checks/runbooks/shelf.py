"""The pages that a scope's alerts link to, and what is wrong with each: audited once a run, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from pytest_sre.checks.runbooks import PAGE_CHECKS
from pytest_sre.checks.runbooks.audit import audit, finding
from pytest_sre.checks.runbooks.case import Hit, PageCase, parts_of
from pytest_sre.model.finding import Finding
from pytest_sre.model.rules import Rule
from pytest_sre.model.runbook import LocalPage
from pytest_sre.settings import SreYaml
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.runbook_library import Library, Unreadable, is_page, reached

UNREADABLE = "RB000"


class Shelf:
    """Nothing is read before it is asked. ``files`` are the pages that have items of their own, as shown."""

    def __init__(self, settings: SreYaml, inventory: Inventory, folder: Path, *, items: bool) -> None:
        """``folder`` is what configured paths are relative to. Raises UserError for a glob that matches nothing."""
        self.settings, self.inventory = settings, inventory
        self.library = Library(settings.runbooks, inventory.root.resolve(), folder)
        self.reached = reached(self.library, inventory.rules)
        self._linking: dict[Path, list[tuple[Rule, str | None]]] = {}
        for rule, local in self.reached.items():
            self._linking.setdefault(local.path, []).append((rule, local.anchor))
        self.linked = set(self._linking)
        self.alerts = frozenset(rule.name for rule in inventory.rules if rule.kind == "alert")
        files = self.library.files(self.reached) if items else ()
        self.files = {path: self.library.shown(path) for path in dict.fromkeys(map(Path.resolve, files))}
        self._audits: dict[Path, tuple[Finding, ...]] = {}

    def add(self, file: Path) -> None:
        """Give a page items of its own."""
        self.files[file] = self.library.shown(file)

    def may_have_page(self, rule: Rule) -> bool:
        """Whether an alert links to a page here, or to one that is known only once it fires."""
        local = self.reached.get(rule)
        return "{{" in self.library.link(rule)[1] or (local is not None and is_page(local.path))

    def findings(self, file: Path) -> tuple[Finding, ...]:
        """All that is wrong with a page, by line; what cannot be read has one finding."""
        if file not in self._audits:
            try:
                self._audits[file] = audit(self._case(file), PAGE_CHECKS)
            except Unreadable as error:
                self._audits[file] = self.unreadable(file, error)
        return self._audits[file]

    def of_alert(self, rule: Rule, local: LocalPage) -> tuple[Finding, ...]:
        """The same for an alert whose link is known only once it fires. Raises Unreadable."""
        if rule in self.reached:
            return self.findings(local.path)
        return audit(self._case(local.path, {rule: local}), PAGE_CHECKS)

    def unreadable(self, file: Path, error: Unreadable) -> tuple[Finding, ...]:
        """What is told of a page that cannot be read."""
        hit = Hit(1, f"this runbook cannot be read: {error}", "mend the file")
        return tuple(finding(UNREADABLE, hit, self.library.shown(file), self.settings.runbooks))

    def _case(self, file: Path, known: Mapping[Rule, LocalPage] | None = None) -> PageCase:
        page = self.library.page(file)
        linking = [
            *self._linking.get(file, ()),
            *((rule, local.anchor) for rule, local in (known or {}).items()),
        ]
        return PageCase(
            page,
            parts_of(page, linking),
            self.library,
            self.settings,
            self.inventory,
            known=self.alerts,
            orphan=self._links_are_known and bool(self.linked) and file not in self.linked,
        )

    @cached_property
    def _links_are_known(self) -> bool:
        """Not where a rule file is broken, or a link is a template."""
        links = (self.library.link(rule)[1] for rule in self.inventory.rules)
        return not self.inventory.broken and not any("{{" in link for link in links)


def know_each_other(shelves: Sequence[Shelf]) -> None:
    """A page of one scope may be linked from another, and be for its alerts."""
    linked = {path for shelf in shelves for path in shelf.linked}
    alerts = frozenset(name for shelf in shelves for name in shelf.alerts)
    for shelf in shelves:
        shelf.linked |= linked
        shelf.alerts = alerts
