"""RB302: anybody to turn to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from runbook_pages import agree, hits, page_case

from pytest_sre.checks.runbooks import rb302_no_escalation
from pytest_sre.sources.runbook_library import Reached
from pytest_sre.sources.runbook_settings import Runbooks

PAGE = "# DiskFull\n\n## Mitigation\n\n`df -h`, see issue #12 and `x@y`.\n\n{}\n"


def test_the_page_of_the_check_is_true() -> None:
    agree(rb302_no_escalation)


@pytest.mark.parametrize(
    "text",
    [
        "## Escalation\n\nAnn.",
        "Contact the storage team.",
        "Escalate after ten minutes.",
        "Write to ann@example.com.",
        "[Chat](https://shop.slack.com/archives/C1)",
        "Ask @shop/storage.",
        "Open a support case.",
    ],
)
def test_somebody_is_named(text: str) -> None:
    assert hits(rb302_no_escalation, PAGE.format(text)) == []


@pytest.mark.parametrize(
    "text", ["", "The page is slow.", "[Docs](https://example.com/#owner)", "A support plan."]
)
def test_nobody_is_named(text: str) -> None:
    (hit,) = hits(rb302_no_escalation, PAGE.format(text))
    assert hit.line == 1


def test_labels_of_all_alerts_may_name_a_team() -> None:
    case = page_case(PAGE.format(""), alerts={"DiskFull": None, "DiskSlow": None})
    (part,) = case.parts
    one, other = part.alerts
    owned = replace(one, labels={"team": "storage"}), replace(other, labels={"owner": "Ann"})
    assert list(rb302_no_escalation.judge(replace(case, parts=(Reached(part.section, owned),)))) == []
    half = (owned[0], other)
    assert len(list(rb302_no_escalation.judge(replace(case, parts=(Reached(part.section, half),))))) == 1


def test_front_matter_and_configuration_count_for_the_page() -> None:
    assert hits(rb302_no_escalation, "---\nTeam: storage\n---\n" + PAGE.format("")) == []
    assert hits(rb302_no_escalation, "---\nteam:\n---\n" + PAGE.format(""))
    assert hits(rb302_no_escalation, PAGE.format(""), runbooks=Runbooks(escalation="#oncall")) == []


def test_pages_that_are_no_runbooks_are_not_asked() -> None:
    assert hits(rb302_no_escalation, PAGE.format(""), "README.md") == []
    assert hits(rb302_no_escalation, "# DiskFull\n\nSee [DiskSlow](DiskSlow.md).\n") == []
