"""Headings → canonical sections: Meaning, Impact, Diagnosis, Mitigation, Escalation and so on, by many names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pytest_sre.sources.runbook_settings import Profile

REQUIRED: dict[Profile, tuple[str, ...]] = {
    "generic": ("diagnosis", "mitigation"),
    "prometheus": ("meaning", "impact", "diagnosis", "mitigation"),
}

SYNONYMS: dict[str, tuple[str, ...]] = {
    "meaning": ("meaning", "description", "overview", "summary"),
    "impact": ("impact", "severity"),
    "diagnosis": ("diagnosis", "troubleshooting", "investigation", "triage", "possible checks"),
    "mitigation": (
        "mitigation",
        "resolution",
        "remediation",
        "recovery",
        "rollback",
        "procedure",
        "recommended actions",
    ),
    "escalation": ("escalation", "support", "contacts"),
    "prerequisites": ("prerequisites",),
    "verification": ("verification",),
    "prevention": ("prevention",),
}
"""Lower-case words by canonical section (../shared/RUNBOOK_CHECKS.md)."""


def canonical(heading: str, own: Mapping[str, Sequence[str]]) -> str | None:
    """The canonical section that a heading names, None where it is another; ``own`` are the user's words."""
    text = re.sub(r"[^\w ]+", " ", heading).strip().lower()
    for name in (*SYNONYMS, *own):
        if text in (*SYNONYMS.get(name, ()), *(word.lower() for word in own.get(name, ()))):
            return name
    return None
