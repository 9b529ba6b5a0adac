"""Headings → canonical sections."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runbook_pages import page_case

from pytest_sre.checks.runbooks.sections import canonical, first_of, named, plain


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Diagnosis", ("diagnosis",)),
        ("Diagnosis:", ("diagnosis",)),
        ("1. Diagnosis", ("diagnosis",)),
        ("2.1 Diagnosis", ("diagnosis",)),
        ("Step 3: Mitigation", ("mitigation",)),
        ("🔍 Diagnosis & triage", ("diagnosis",)),
        ("Diagnosis and mitigation", ("diagnosis", "mitigation")),
        ("Troubleshooting / Recovery", ("diagnosis", "mitigation")),
        ("HOW TO FIX", ("mitigation",)),
        ("Alert Description", ("meaning",)),
        ("Initial Investigation Steps", ("diagnosis",)),
        ("Possible checks", ("diagnosis",)),
        ("Recommended Actions", ("mitigation",)),
        ("**Impact** (severity)", ("impact",)),
        ("Mitigation of the leak", ("mitigation",)),
        ("Escalation path", ("escalation",)),
        ("Who to contact", ("escalation",)),
        ("Before you begin", ("prerequisites",)),
        ("RecoveryFailing", ()),
        ("Notes", ()),
        ("", ()),
        ("Was tun?", ("mitigation",)),
        ("Kommunikation", ("communication",)),
    ],
)
def test_headings_are_read_through_their_ornaments(heading: str, names: tuple[str, ...]) -> None:
    own = {"mitigation": ("Was tun",), "communication": ("Kommunikation",)}
    assert named(heading, own) == names
    assert canonical(heading, own) == (names[0] if names else None)


def test_labels_are_sections_and_the_first_one_is_told() -> None:
    case = page_case("# X\n\n**Impact:** none.\n\nMitigation:\n\n- act\n\n## Mitigation\n\nText.\n")
    whole = case.parts[0].section
    lines = {
        name: found.line if (found := first_of(name, case.page.runbook, {}, whole)) else None
        for name in ("impact", "mitigation", "diagnosis")
    }
    assert lines == {"impact": 3, "mitigation": 9, "diagnosis": None}


@given(st.text(max_size=300))
def test_any_heading_has_a_plain_form_that_is_stable(heading: str) -> None:
    assert set(named(heading, {})) <= {"meaning", "impact", "diagnosis", "mitigation"} | {
        "escalation",
        "prerequisites",
        "verification",
        "prevention",
    }
    assert len(plain(heading)) <= 800
