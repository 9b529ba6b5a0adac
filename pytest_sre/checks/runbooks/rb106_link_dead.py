"""Does a link lead to something? At three in the morning a dead one costs minutes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_sre.checks.runbooks.case import Hit, PageCase
from pytest_sre.model.near import nearest
from pytest_sre.model.runbook import Link
from pytest_sre.sources.runbook_targets import Dead, dead

ID = "RB106"
_COMPARED = 300  # With more anchors no nearest one is looked for: comparing costs more than all the rest.


def judge(case: PageCase) -> Iterator[Hit]:
    """One hit for each link whose file or heading is certainly missing."""
    anchors: dict[Path, list[str]] = {}
    known: dict[tuple[str, str], Dead | None] = {}
    for link in (*case.page.runbook.links, *case.page.runbook.html_links):
        key = (link.target, link.text[:1])  # of a text only its beginning counts
        if key not in known:
            known[key] = dead(link, case.page, case.library)
        found = known[key]
        if found and found.page:
            if found.path not in anchors:
                anchors[found.path] = list(
                    dict.fromkeys(name for one in found.page.headings for name in one.anchors)
                )
            yield _no_heading(case, link, found, anchors[found.path])
        elif found:
            yield _no_file(case, link, found)


def _no_file(case: PageCase, link: Link, found: Dead) -> Hit:
    near = _near(found.path)
    return Hit(
        link.line,
        f"the link to {link.target} leads nowhere",
        f"mend the link; there is {near}" if near else "mend the link, or add the file",
        expected=f"a file {case.library.shown(found.path)}",
        seen="no such file",
    )


def _no_heading(case: PageCase, link: Link, found: Dead, anchors: list[str]) -> Hit:
    near = nearest(found.anchor, anchors, 0.6) if len(anchors) <= _COMPARED else ""
    return Hit(
        link.line,
        f"the link to {link.target} leads to no heading",
        f"mend the link; there is #{near}" if near else "mend the link or the heading",
        expected=f"a heading in {case.library.shown(found.path)} with the anchor {found.anchor}",
        seen="anchors: " + (", ".join(sorted(anchors)[:12]) or "none"),
    )


def _near(path: Path) -> str:
    """The name beside a missing file that is most like it."""
    try:
        names = {one.name.lower(): one.name for one in path.parent.iterdir()}
    except OSError:
        return ""
    return names.get(nearest(path.name.lower(), names, 0.8), "")
