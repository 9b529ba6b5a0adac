"""Does an alert that pages link to a runbook that exists and can be executed?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_sre.checks.case import PAGING_KINDS, Case, Skipped, Verdict, calls_itself_a_page
from pytest_sre.checks.runbook_steps import executable_steps
from pytest_sre.checks.runbooks import together
from pytest_sre.model.finding import Finding
from pytest_sre.model.runbook import LocalPage, Runbook
from pytest_sre.sources.runbook import parse_runbook
from pytest_sre.sources.runbook_links import resolve_link, resolve_url

NAME = "runbook"
NEEDS = ""


def judge(case: Case) -> Verdict:
    """Pass when the linked page exists here and has an executable step; skip what lies elsewhere."""
    rule = case.rule
    name, url = next(
        (
            (key, rule.annotations[key])
            for key in case.settings.runbooks.annotations
            if rule.annotations.get(key)
        ),
        ("", ""),
    )
    if not url:
        if not _pages(case):
            return ()
        return (
            Finding(
                NAME,
                rule.location,
                f"{rule.name} pages and has no runbook",
                expected=f"an annotation {case.settings.runbooks.annotations[0]}",
                seen="annotations: " + (", ".join(rule.annotations) or "none"),
                next_step="write a runbook and link it; see docs/checks/runbook.md",
            ),
        )
    if "{{" in url:
        url = _rendered(case, name)
        if not url:
            return Skipped(f"{name} is a template; it is known only once the alert fires")
    root, prefixes = Path(case.root_of_paths), case.settings.runbooks.urls
    page = resolve_url(url, prefixes, root)
    if page is None:
        return Skipped(f"{url} maps to no local file; map its prefix with `runbooks: urls:` in sre.yaml")
    return _page(case, url, page, root, prefixes)


def _page(case: Case, url: str, page: LocalPage, root: Path, prefixes: Mapping[str, str]) -> Verdict:
    if not page.path.is_file():
        return (
            Finding(
                NAME,
                case.rule.location,
                f"the runbook of {case.rule.name} does not exist",
                expected=f"a page for {url}",
                seen="no file " + ", ".join(_shown(case, path) for path in page.tried or (page.path,)),
                next_step="write the page, or mend the link",
            ),
        )
    runbook = _read(page.path)
    section = runbook.section(page.anchor)
    if section is None:
        anchors = sorted({anchor for heading in runbook.headings for anchor in heading.anchors})
        return (
            Finding(
                NAME,
                case.rule.location,
                f"the runbook of {case.rule.name} has no section #{page.anchor}",
                expected=f"a heading in {_shown(case, page.path)} with the anchor {page.anchor}",
                seen="anchors: " + ", ".join(anchors[:12]),
                next_step="mend the link or the heading",
            ),
        )

    def follow(target: str) -> tuple[Runbook, str | None] | None:
        linked = resolve_link(target, page.path, prefixes, root)
        if (
            linked is None
            or not linked.path.is_file()
            or linked.path.suffix.lower() not in (".md", ".markdown")
        ):
            return None
        return _read(linked.path), linked.anchor

    live = tuple(together.findings(case, runbook, section, _shown(case, page.path)))
    if executable_steps(runbook, page.anchor, follow):
        return live
    return (
        Finding(
            NAME,
            case.rule.location,
            f"the runbook of {case.rule.name} has no executable step",
            expected="at least one command, query, or link to a page that has one, or to a dashboard",
            seen=f"only prose in {_shown(case, page.path)}" + (f"#{page.anchor}" if page.anchor else ""),
            next_step="write down what you would type; see docs/checks/runbook.md",
        ),
        *live,
    )


def _pages(case: Case) -> bool:
    if calls_itself_a_page(case.rule, case.settings.severities):
        return True
    sent = case.alert.notifications if case.alert else ()
    return any(notification.integration.kind in PAGING_KINDS - {"webhook"} for notification in sent)


def _rendered(case: Case, name: str) -> str:
    fired = case.alert.fired if case.alert else ()
    return next((alert.annotations[name] for alert in fired if alert.annotations.get(name)), "")


def _read(path: Path) -> Runbook:
    return parse_runbook(path.read_text("utf-8", "replace"))


def _shown(case: Case, path: Path) -> str:
    root = case.inventory.root
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
