"""Headings → canonical sections: Meaning, Impact, Diagnosis, Mitigation, Escalation and so on, by many names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pytest_sre.checks.runbooks.steps import DIAGNOSIS, MITIGATION
from pytest_sre.model.runbook import Runbook, Section
from pytest_sre.sources.runbook_settings import Profile

Own = Mapping[str, Sequence[str]]
"""The user's words by section, as `runbooks: sections:` of sre.yaml has them."""

REQUIRED: dict[Profile, tuple[str, ...]] = {
    "generic": ("diagnosis", "mitigation"),
    "prometheus": ("meaning", "impact", "diagnosis", "mitigation"),
}

SYNONYMS: dict[str, tuple[str, ...]] = {
    "meaning": (
        *("meaning", "description", "overview", "summary", "about", "background", "introduction"),
        *("definition", "explanation", "what does this mean", "what does this alert mean", "what it means"),
    ),
    "impact": ("impact", "user impact", "customer impact", "business impact", "severity", "consequences"),
    "diagnosis": (
        *("diagnosis", "diagnose", "diagnosing", "diagnostic", "diagnostics", "troubleshooting"),
        *("troubleshoot", "investigation", "investigate", "investigating", "triage", "possible checks"),
        *("checks", "debugging", "debug", "analysis", "root cause analysis", "possible causes"),
    ),
    "mitigation": (
        *("mitigation", "mitigations", "mitigate", "mitigating", "resolution", "resolutions", "resolve"),
        *("resolving", "remediation", "remediate", "recovery", "recover", "rollback", "roll back"),
        *("procedure", "procedures", "recommended actions", "actions", "action", "corrective actions"),
        *("solution", "solutions", "fix", "fixes", "workaround", "workarounds", "repair", "response"),
        *("steps", "what to do"),
    ),
    "escalation": ("escalation", "escalate", "support", "contacts", "contact", "who to contact"),
    "prerequisites": ("prerequisites", "prerequisite", "requirements", "before you begin"),
    "verification": ("verification", "verify", "validation", "how to verify"),
    "prevention": ("prevention", "prevent", "how to prevent"),
}
"""Lower-case words by canonical section: those of ../shared/RUNBOOK_CHECKS.md and their other forms."""

FURTHER = frozenset(
    (
        *("additional information", "additional links", "additional notes", "additional resources"),
        *("appendix", "changelog", "dashboards", "documentation", "examples", "faq"),
        *("further information", "further reading", "history", "links", "more information", "note"),
        *("notes", "owner", "owners", "post mortem", "references", "reference", "related"),
        *("related alerts", "related links", "related runbooks", "resources", "see also", "tags"),
    )
)
"""Sections that are none of the canonical ones, and none of their parts either."""

_NUMBER = re.compile(
    r"(?:(?:step|phase|part|section)\s+)?(?:\d+(?:\.\d+)*|[a-z]|[ivx]+)[.):]\s+|\d+(?:\.\d+)*\s+"
)
_BETWEEN = re.compile(r"\s*(?:[&/,+:()\[\]|;–—]|\s-\s|\band\b|\bor\b)\s*")
_BEFORE = re.compile(
    r"(?:(?:how to|steps? (?:to|for)|alert|initial|first|quick|immediate|possible|potential|suggested|recommended"
    r"|detailed|basic|further|general|manual|incident|short term|long term|the|your)\s+)+"
)
_BEHIND = re.compile(
    r"(?:\s+(?:steps?|procedures?|guides?|instructions|actions?|process|options|plan|paths?|policy|commands|tips"
    r"|section|information|info|details|checks|(?:of|for|by|via|using|with|from|on)\s.*))+$"
)
_LABEL = re.compile(r"\s*(?:\*\*|__)([^*_\n]{3,60})(?:\*\*|__)\s*:?|\s*([A-Z][\w &/-]{2,40}):\s*(?:\n|$)")
_LONGEST = 200
_LOOSE = {"diagnosis": DIAGNOSIS, "mitigation": MITIGATION}


@dataclass(frozen=True, slots=True)
class Named:
    """A heading, or a bold label that serves as one, which names canonical sections."""

    names: tuple[str, ...]
    text: str
    line: int


def canonical(heading: str, own: Own) -> str | None:
    """The canonical section that a heading names (the first, if several), None where it is another."""
    return next(iter(named(heading, own)), None)


def named(heading: str, own: Own) -> tuple[str, ...]:
    """All canonical sections that a heading such as `2. Diagnosis & mitigation` names."""
    return _named(heading[:_LONGEST], tuple((name, tuple(several)) for name, several in own.items()))


@lru_cache(4096)
def _named(heading: str, own: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[str, ...]:
    words = _words(own)
    found = (words.get(form) for form in _forms(heading))
    return tuple(dict.fromkeys(name for name in found if name))


@lru_cache(64)
def _words(own: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    words = {word: name for name, several in SYNONYMS.items() for word in several}
    return words | {plain(word): name for name, several in own for word in several}


def plain(heading: str) -> str:
    """A heading in lower case without numbers in front, emoji and other ornaments."""
    text = re.sub(r"[^\w\s&/,+:()\[\]|;–—.'-]|_", " ", heading[:_LONGEST]).lower().strip(" .:-")
    return re.sub(r"\s+", " ", _NUMBER.sub("", text, count=1)).strip(" .:-")


def is_numbered(heading: str) -> bool:
    """Whether a heading is a step of several: `Step 1: ...`, `2. ...`."""
    return bool(_NUMBER.match(heading.lower()))


def sections(runbook: Runbook, own: Own, within: Section) -> Iterator[Named]:
    """The canonical sections of a part of a page: headings, then labels (`**Diagnosis:** ...`)."""
    for heading in runbook.headings:
        if heading.line in within and (names := named(heading.text, own)):
            yield Named(names, heading.text, heading.line)
    for text in runbook.texts:
        if text.kind != "heading" and text.line in within and (found := _LABEL.match(text.source)):
            label = found[1] or found[2]
            if names := named(label, own):
                yield Named(names, label, text.line)


def first_of(name: str, runbook: Runbook, own: Own, within: Section) -> Named | None:
    """Where a section of a part of a page begins, under whatever heading: `Checking the disks` is a diagnosis."""
    found = next((one for one in sections(runbook, own, within) if name in one.names), None)
    loose = _LOOSE.get(name)
    if found or not loose:
        return found
    several = (h for h in runbook.headings if h.line in within and " " in h.text and loose.search(h.text))
    return next((Named((name,), h.text, h.line) for h in several), None)


def _forms(heading: str) -> Iterator[str]:
    text = plain(heading)
    for part in (text, *_BETWEEN.split(text)):
        yield part
        shorter = _BEFORE.sub("", part, count=1) if _BEFORE.match(part) else part
        yield shorter
        yield _BEHIND.sub("", part)
        yield _BEHIND.sub("", shorter)
