"""RB104: diagnosis and mitigation."""

from __future__ import annotations

import pytest
from runbook_pages import agree, hits

from pytest_sre.checks.runbooks import rb104_missing_section
from pytest_sre.sources.runbook_settings import Runbooks

BODY = "\n\nText.\n\n"


def test_the_page_of_the_check_is_true() -> None:
    agree(rb104_missing_section)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("# DiskFull\n\n## Diagnosis" + BODY, "mitigation"),
        ("# DiskFull\n\n## Fix" + BODY, "diagnosis"),
        ("# DiskFull" + BODY, "diagnosis and mitigation"),
        ("# DiskFull\n\n## RecoveryFailing" + BODY, "diagnosis and mitigation"),
    ],
)
def test_what_is_missing_is_named(text: str, missing: str) -> None:
    (hit,) = hits(rb104_missing_section, text)
    assert hit.line == 1
    assert hit.message.endswith(f"no section for {missing}")


@pytest.mark.parametrize(
    "page",
    [
        "## Diagnosis{0}## Mitigation{0}",
        "## Triage and rollback{0}",
        "Diagnosis:\n\n- look\n\nMitigation:\n\n- act\n",
        "__Diagnosis__{0}**Mitigation**{0}",
        "### Check the pods{0}### Restart the pods{0}",
    ],
)
def test_headings_and_labels_of_many_forms_count(page: str) -> None:
    assert hits(rb104_missing_section, "# DiskFull\n\n" + page.format(BODY)) == []


def test_profile_and_words_are_configured() -> None:
    text = "# DiskFull\n\n## Diagnose" + BODY + "## Was tun" + BODY
    assert [hit.message for hit in hits(rb104_missing_section, text)] == [
        "the page has no section for mitigation"
    ]
    own = Runbooks(sections={"mitigation": ("Was tun?",)})
    assert hits(rb104_missing_section, text, runbooks=own) == []
    own = Runbooks(profile="prometheus", sections={"mitigation": ("Was tun?",)})
    (hit,) = hits(rb104_missing_section, text, runbooks=own)
    assert hit.message.endswith("no section for meaning and impact")


def test_each_runbook_of_a_page_is_judged() -> None:
    text = f"# All\n\n## One\n\n### Diagnosis{BODY}### Fix{BODY}## Two\n\n### Diagnosis{BODY}"
    found = hits(rb104_missing_section, text, alerts={"One": "one", "Two": "two"})
    assert [hit.message for hit in found] == ["Two has no section for mitigation"]


def test_pages_that_are_no_runbooks_are_not_asked() -> None:
    for name, text in (
        ("README.md", "# DiskFull" + BODY),
        ("DiskFull.md", "# DiskFull\n\nSee [DiskFilling](DiskFilling.md).\n"),
        ("toolbox.md", "# Open the toolbox" + BODY),
    ):
        assert hits(rb104_missing_section, text, name) == []
    assert len(hits(rb104_missing_section, "# Open the toolbox" + BODY, alerts={"X": None})) == 1


def test_a_link_to_one_section_of_a_runbook_asks_nothing_of_that_section() -> None:
    text = f"# DiskFull\n\n## Diagnosis{BODY}## Mitigation{BODY}"
    assert hits(rb104_missing_section, text, alerts={"DiskFull": "mitigation"}) == []
