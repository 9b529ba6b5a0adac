"""The catalogue of what is asked of runbooks: ids, names, severities and the items that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_sre.model.finding import Severity


@dataclass(frozen=True, slots=True)
class About:
    """One check: ``item`` is the item of a page that tells its findings, empty where an alert's item does."""

    id: str
    name: str
    severity: Severity
    item: str = ""


CATALOGUE = (
    About("RB000", "unreadable", "error", "executable-steps"),
    About("RB001", "url-missing", "warning"),
    About("RB002", "url-dead", "error"),
    About("RB003", "anchor-dead", "error"),
    About("RB004", "orphan", "info", "upkeep"),
    About("RB101", "no-executable-step", "error", "executable-steps"),
    About("RB102", "todo", "error", "finished"),
    About("RB103", "empty-section", "error", "sections"),
    About("RB104", "missing-section", "warning", "sections"),
    About("RB105", "name-mismatch", "warning", "sections"),
    About("RB106", "link-dead", "error", "links"),
    About("RB201", "shell-syntax", "warning", "commands"),
    About("RB202", "query-in-shell-fence", "info", "commands"),
    About("RB203", "irreversible-uncautioned", "warning", "commands"),
    About("RB204", "undefined-variable", "warning", "commands"),
    About("RB205", "unexplained-placeholder", "info", "commands"),
    About("RB206", "author-path", "warning", "commands"),
    About("RB301", "stale", "warning", "upkeep"),
    About("RB302", "no-escalation", "info", "upkeep"),
    About("RB303", "no-verification", "info", "upkeep"),
    About("RB304", "front-matter", "warning", "upkeep"),
    About("RB401", "query-invalid", "error"),
    About("RB402", "query-empty", "warning"),
    About("RB403", "metric-unknown", "warning"),
    About("RB404", "placeholder-unfilled", "warning"),
    About("RB900", "unused-suppression", "warning", "upkeep"),
)
IDS = {about.id: about for about in CATALOGUE}
ITEMS = tuple(dict.fromkeys(about.item for about in CATALOGUE if about.item))
"""The items of a page."""
