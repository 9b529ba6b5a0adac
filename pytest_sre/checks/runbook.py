"""Does an alert link to a runbook that exists and can be executed?"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pytest_sre.checks.case import PAGING_KINDS, Case, Skipped, Verdict, calls_itself_a_page
from pytest_sre.checks.runbooks import together
from pytest_sre.checks.runbooks.audit import finding
from pytest_sre.checks.runbooks.case import Hit
from pytest_sre.checks.runbooks.shelf import UNREADABLE, Shelf
from pytest_sre.model.finding import Finding
from pytest_sre.model.runbook import LocalPage, Runbook, Section
from pytest_sre.sources.runbook_library import Unreadable, is_page
from pytest_sre.sources.runbook_links import resolved

NAME = "runbook"
NEEDS = ""
STEPS = "RB101"
"""What an alert's item tells of its page in any case."""


def judge(case: Case) -> Verdict:
    """Pass when the linked page exists here and has an executable step; skip what lies elsewhere."""
    shelf = case.shelf or Shelf(case.settings, case.inventory, Path(case.root_of_paths), items=False)
    name, url = shelf.library.link(case.rule)
    if not url:
        return _missing(case)
    if "{{" in url:
        url = _rendered(case, name)
        if not url:
            return Skipped(f"{name} is a template; it is known only once the alert fires")
    local = shelf.library.of_url(url)
    if local is None:
        return Skipped(f"{url} maps to no local file; map its prefix with `runbooks: urls:` in sre.yaml")
    line = case.rule.annotation_lines.get(name, case.rule.location.line)
    return _linked(case, shelf, url, resolved(local), line)


def _missing(case: Case) -> Verdict:
    pages = _pages(case)
    return _found(
        case,
        "RB001",
        Hit(
            case.rule.location.line,
            f"{case.rule.name} pages and has no runbook" if pages else f"{case.rule.name} has no runbook",
            "write a runbook and link it; see docs/checks/runbook.md",
            expected=f"an annotation {case.settings.runbooks.annotations[0]}",
            seen="annotations: " + (", ".join(case.rule.annotations) or "none"),
            severity="error" if pages else None,
        ),
    )


def _linked(case: Case, shelf: Shelf, url: str, local: LocalPage, line: int) -> Verdict:
    shown = shelf.library.shown
    folder = next((path for path in local.tried if os.path.isdir(path)), None)
    there = os.path.isfile(local.path)
    if not there and folder:
        return Skipped(f"{url} is the folder {shown(folder)}, no page")
    if not there:
        return _found(
            case,
            "RB002",
            Hit(
                line,
                f"the runbook of {case.rule.name} does not exist",
                "write the page, or mend the link",
                expected=f"a page for {url}",
                seen="no file " + ", ".join(map(shown, local.tried or (local.path,))),
            ),
        )
    if not is_page(local.path):
        return Skipped(f"{shown(local.path)} is no Markdown; all that is known is that it exists")
    try:
        page = shelf.library.page(local.path)
    except Unreadable as error:
        return shelf.unreadable(local.path, error)
    section = page.runbook.section(local.anchor)
    if section is None:
        return _found(
            case,
            "RB003",
            Hit(
                line,
                f"the runbook of {case.rule.name} has no section #{local.anchor}",
                "mend the link or the heading",
                expected=f"a heading in {page.path} with the anchor {local.anchor}",
                seen=_anchors(page.runbook),
            ),
        )
    told = together.findings(case, page.runbook, section, page.path)
    return (*_of_page(shelf, case, local, section), *told)


def _of_page(shelf: Shelf, case: Case, local: LocalPage, section: Section) -> Iterable[Finding]:
    """What of the page's findings is the alert's matter: all in its section, where no item of the page tells them."""
    for one in shelf.of_alert(case.rule, local):
        steps = one.check == STEPS and one.location.line == section.start
        alone = local.path not in shelf.files and one.severity != "info" and one.location.line in section
        if steps or alone or one.check == UNREADABLE:
            yield one


def _found(case: Case, check: str, hit: Hit) -> Verdict:
    return tuple(finding(check, hit, case.rule.location.path, case.settings.runbooks))


def _anchors(runbook: Runbook) -> str:
    anchors = sorted({anchor for heading in runbook.headings for anchor in heading.anchors})
    return "anchors: " + (", ".join(anchors[:12]) or "none")


def _pages(case: Case) -> bool:
    if calls_itself_a_page(case.rule, case.settings.severities):
        return True
    sent = case.alert.notifications if case.alert else ()
    return any(notification.integration.kind in PAGING_KINDS - {"webhook"} for notification in sent)


def _rendered(case: Case, name: str) -> str:
    fired = case.alert.fired if case.alert else ()
    return next((alert.annotations[name] for alert in fired if alert.annotations.get(name)), "")
