"""GitLab's annotations: a Code Quality report, an artifact that merge requests show beside the lines."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_sre.model.finding import Finding
from pytest_sre.report.outcome import Outcome, told
from pytest_sre.report.place import in_repository

_SEVERITY = {"error": "critical", "warning": "minor", "info": "info"}


def write(path: Path, outcomes: Iterable[Outcome], root: Path, top: Path) -> None:
    """Write the report, also when there is nothing to report: GitLab compares it with the target branch's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = entries(outcomes, root, top)
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def entries(outcomes: Iterable[Outcome], root: Path, top: Path) -> list[dict[str, Any]]:
    """One entry for each finding; paths relative to ``root`` become relative to ``top``."""
    numbers: Counter[tuple[str, ...]] = Counter()
    found = []
    for outcome, finding in told(outcomes):
        path = in_repository(finding.location.path, root, top)
        # No line, and nothing that was seen: the same finding stays the same when lines shift.
        same = (path, finding.check, outcome.alert, finding.summary)
        numbers[same] += 1
        found.append(
            {
                "description": _description(finding),
                "check_name": f"pytest-sre/{finding.check}",
                "fingerprint": _digest(*same, str(numbers[same])),
                "severity": _SEVERITY[finding.severity],
                "location": {"path": path, "lines": {"begin": finding.location.line}},
            }
        )
    return found


def _description(finding: Finding) -> str:
    parts = (("expected", finding.expected), ("seen", finding.seen), ("next", finding.next_step))
    more = (f"{title}: {' '.join(text.split())}" for title, text in parts if text)
    return "; ".join([finding.title, *more])


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
