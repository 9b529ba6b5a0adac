"""What a page switches off, what of that is not needed, severities as configured; and lines, prompts, sections."""

from __future__ import annotations

import pytest
from runbook_pages import hits, page_case

from pytest_sre.checks.runbooks import PAGE_CHECKS, rb101_no_executable_step, rb102_todo, rb206_author_path
from pytest_sre.checks.runbooks.audit import audit
from pytest_sre.checks.runbooks.shell import unprompted, unrooted
from pytest_sre.sources.runbook_settings import Runbooks

STEPS = "## Diagnosis\n\n`kubectl get pods`\n\n## Mitigation\n\n"


def told(text: str, **severities: str) -> list[tuple[str, int]]:
    """Ids and lines of what is found, without what is only for reports."""
    case = page_case(text, runbooks=Runbooks.model_validate({"severities": severities}))
    return [(one.check, one.location.line) for one in audit(case, PAGE_CHECKS) if one.severity != "info"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- TODO\n", [("RB102", 7)]),
        ("<!-- pytest-sre: disable=RB102 later -->\n- TODO\n", []),
        ("<!-- pytest-sre: disable=RB102 later -->\n\n- TODO\n\nThen:\n\n- TODO\n", [("RB102", 13)]),
        ("<!-- pytest-sre: disable=RB102, RB101 -->\n- TODO\n", [("RB900", 7)]),
        ("- TODO\n\n<!-- pytest-sre: disable-file=RB102 -->\n", []),
        ("<!-- pytest-sre: disable=RB102 later -->\n## More\n\nText.\n\n- TODO\n\n## Last\n\n- TODO\n", [("RB102", 16)]),
        ("`kubectl get x`\n\n<!-- pytest-sre: disable-file=RB102 -->\n", [("RB900", 9)]),
        ("- TODO\n\n<!-- pytest-sre: disable-file=RB999 -->\n", [("RB102", 7), ("RB900", 9)]),
        ("- TODO\n\n<!-- pytest-sre: disable-file=RB002 -->\n", [("RB102", 7), ("RB900", 9)]),
        ("- TODO\n\n<!-- pytest-sre: disabled RB102 -->\n", [("RB102", 7), ("RB900", 9)]),
    ],
)  # fmt: skip
def test_suppressions(text: str, found: list[tuple[str, int]]) -> None:
    assert told(STEPS + text) == found


def test_front_matter_suppresses_on_all_of_the_page() -> None:
    page = "---\nsre:\n  disable: [RB102, RB106]\n---\n" + STEPS + "- TODO\n"

    assert told(page) == [("RB900", 3)]


def test_severities_are_those_of_the_settings() -> None:
    page = STEPS + "- TODO\n"

    assert told(page, RB102="off") == []
    (found,) = audit(page_case(page, runbooks=Runbooks(severities={"RB102": "warning"})), (rb102_todo,))
    assert found.severity == "warning"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_the_same_whatever_ends_them(end: str) -> None:
    assert told((STEPS + "- TODO\n").replace("\n", end)) == [("RB102", 7)]


def test_a_form_feed_ends_no_line() -> None:
    page = "# A\n\n```bash\necho a\x0cb\x0cc\nls /home/alice/x\n```\n"

    assert [hit.line for hit in hits(rb206_author_path, page)] == [5]


def test_prompts_stand_in_front() -> None:
    assert unprompted("[root@a ~]# df -h") == "df -h"
    assert unprompted("$ df -h") == "df -h"
    assert unprompted("kubectl get pods -o custom-columns=A:.x % 3").endswith("A:.x % 3")
    assert unrooted("# df -h") == "df -h"
    assert unrooted("df -h # all") == "df -h # all"


def test_the_very_section_is_asked_where_headings_are_alike() -> None:
    page = "# Alerts\n\n## Foo-1\n\n`kubectl get pods`\n\n## Foo\n\n`kubectl get pods`\n\n## Foo\n\nPray.\n"

    found = hits(rb101_no_executable_step, page, alerts={"Foo": "foo_1"})

    assert [hit.line for hit in found] == [11]


@pytest.mark.parametrize(
    "query", ["topk(<n>, foo_total offset $offset)", "histogram_quantile($q, foo_bucket)"]
)
def test_a_query_with_placeholders_is_a_step(query: str) -> None:
    page = f"# FooDown\n\n## Diagnosis\n\n```promql\n{query}\n```\n\n## Mitigation\n\nWait.\n"

    assert hits(rb101_no_executable_step, page, alerts={"FooDown": None}) == []
