"""RB103: sections have a body."""

from __future__ import annotations

import pytest
from runbook_pages import agree, hits

from pytest_sre.checks.runbooks import rb103_empty_section
from pytest_sre.sources.runbook_settings import Runbooks


def test_the_page_of_the_check_is_true() -> None:
    agree(rb103_empty_section)


@pytest.mark.parametrize(
    "section",
    [
        "## Diagnosis\n\n",
        "## 2. Diagnosis:\n\n---\n\n",
        "## Diagnosis\n<!-- look\naround -->\n\n",
        "Diagnosis\n---------\n\n",
        "### Possible checks\n-\n\n",
        "## Diagnosis\n```\n```\n\n",
    ],
)
@pytest.mark.parametrize(
    "after", ["", "## Mitigation\n\nText.\n", "## References\n\nText.\n", "# CheckoutSlow\n"]
)
def test_an_empty_section_is_found_at_its_heading(section: str, after: str) -> None:
    (hit,) = hits(rb103_empty_section, "# X\n\nText.\n\n" + section + after)
    assert hit.line == 5
    assert "is empty" in hit.message


@pytest.mark.parametrize(
    "body",
    [
        "Text.",
        "- item",
        "| a |\n|---|\n| b |",
        "![](picture.png)",
        "```\nls\n```",
        "<details>\n\ntext\n\n</details>",
        "### Look\n\nText.",
        "## Look at the pods\n\nText.",
        "> quote",
    ],
)
def test_whatever_a_reader_sees_is_a_body(body: str) -> None:
    text = f"# X\n\n## Diagnosis\n\n{body}\n\n## Mitigation\n\nText.\n"
    assert hits(rb103_empty_section, text) == []


def test_titles_and_groups_of_sections_are_no_sections() -> None:
    assert hits(rb103_empty_section, "# Troubleshooting\n\n# Diagnosis\n\nText.\n") == []
    assert hits(rb103_empty_section, "# X\n\n## Procedure\n\n## Diagnosis\n\nText.\n") == []


@pytest.mark.parametrize("heading", ["Severity: critical", "Impact (none)", "Escalation - #checkout"])
def test_a_heading_may_say_it_all(heading: str) -> None:
    assert hits(rb103_empty_section, f"# X\n\n## {heading}\n") == []


def test_own_words_count_and_other_headings_do_not() -> None:
    text = "# X\n\n## Was tun?\n\n## Diagnosis\n\nText.\n\n## Sonstiges\n"
    assert hits(rb103_empty_section, text) == []
    own = Runbooks(sections={"mitigation": ("was tun",)})
    assert [hit.line for hit in hits(rb103_empty_section, text, runbooks=own)] == [3]


def test_only_the_linked_parts_of_a_page_are_runbooks() -> None:
    text = "# All\n\n## One\n\n### Diagnosis\n\n## Two\n\n### Diagnosis\n\n## Three\n"
    assert [hit.line for hit in hits(rb103_empty_section, text, alerts={"Two": "two"})] == []
    text = text.replace("## Three", "### Mitigation")
    assert [hit.line for hit in hits(rb103_empty_section, text, alerts={"Two": "two"})] == [9, 11]
    assert hits(rb103_empty_section, text, "template.md") == []
