"""Does anything expose, record or read the metrics that a runbook's queries name?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from pytest_sre.checks.runbooks.alert_case import Together
from pytest_sre.checks.runbooks.case import Hit
from pytest_sre.promql.nearest import misspelt, nearest
from pytest_sre.promql.resolve import selectors
from pytest_sre.sources.discover import Inventory
from pytest_sre.sources.runbook_placeholders import WORDS, fill

ID = "RB403"
_MADE_BY_PROMETHEUS = re.compile("ALERTS|ALERTS_FOR_STATE|up|scrape_.*|PLACEHOLDER.*")
_SERIES_OF_HISTOGRAMS = re.compile("_(?:bucket|count|sum)$")


def judge(together: Together) -> Iterator[Hit]:
    """One hit for each metric of each query. Without snapshots only what is surely a slip is told."""
    inventory = together.case.inventory
    known = _known(inventory)
    snapshots = inventory.snapshots
    for query in together.queries:
        names = {one.name for word in WORDS for one in selectors(fill(query.text, {}, word))}
        for name in sorted(names):
            if not name or name in known or _MADE_BY_PROMETHEUS.fullmatch(name) or WORDS[0] in name:
                continue
            if _SERIES_OF_HISTOGRAMS.sub("", name) in known:
                continue
            near = nearest(name, known) if snapshots else misspelt(name, known)
            if not near and (":" in name or not snapshots):
                continue
            line = next((n for n, one in enumerate(query.text.split("\n")) if name in one), 0)
            yield Hit(
                query.line + line,
                f"nothing exposes, records or reads {name}",
                f"did you mean {near}?" if near else "mend the name, or take a new snapshot",
                expected="a metric of the snapshots, a recorded name, or one that an alert reads",
                seen=name,
            )


@lru_cache(maxsize=4)
def _known(inventory: Inventory) -> frozenset[str]:
    recorded = {rule.name for rule in inventory.rules if rule.kind == "record"}
    read = {one.name for rule in inventory.rules for one in selectors(rule.expr) if one.name}
    return frozenset({*recorded, *read, *inventory.snapshots.labels})
