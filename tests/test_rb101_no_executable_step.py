"""RB101: something to type, paste or open."""

from __future__ import annotations

from pathlib import Path

import pytest
from runbook_pages import agree, hits, page_case

from pytest_sre.checks.runbooks import PAGE_CHECKS, rb101_no_executable_step
from pytest_sre.checks.runbooks.audit import audit

PROSE = "# CheckoutErrors\n\n## Diagnosis\n\nCheck the logs.\n\n## Mitigation\n\n"


def test_the_page_of_the_check_is_true() -> None:
    agree(rb101_no_executable_step)


def test_both_groups_are_told_with_their_lines() -> None:
    (hit,) = hits(rb101_no_executable_step, PROSE)
    assert hit.line == 1
    assert hit.seen == "diagnosis (line 3): only prose; mitigation (line 7): empty"
    (hit,) = hits(rb101_no_executable_step, "# X\n\n**Triage:** look around.\n")
    assert hit.seen == "diagnosis (line 3): only prose; mitigation: no such section"


@pytest.mark.parametrize(
    "step",
    [
        "`oc get pods`",
        'The command "ceph health" tells more.',
        "<!-- pytest-sre: step -->\nPress the red button.",
        "- Press the red button. <!-- pytest-sre: step -->",
        "```\nsh-4.4# ceph status\n```",
        "![](https://grafana.example.com/d/abc/checkout)",
    ],
)
def test_one_step_in_any_part_is_enough(step: str) -> None:
    assert hits(rb101_no_executable_step, PROSE + step + "\n") == []


@pytest.mark.parametrize(
    "prose",
    [
        'The state is "not ready at all" or "make sure".',
        "Press the red button.",
        "<!-- pytest-sre: step -->",
        "<!-- pytest-sre: step -->\n\n## Notes\n\nNothing.",
        "## Meaning\n\n`rate(errors_total[5m]) > 1`",
        "## Alert description\n\n```\nrate(errors_total[5m]) > 1\n```",
    ],
)
def test_what_explains_or_annotates_nothing_is_no_step(prose: str) -> None:
    assert len(hits(rb101_no_executable_step, PROSE + prose + "\n")) == 1


def test_an_annotation_is_no_suppression() -> None:
    found = audit(page_case(PROSE + "<!-- pytest-sre: step -->\nPress the red button.\n"), PAGE_CHECKS)
    assert not [one for one in found if one.severity != "info"]


def test_each_runbook_of_a_page_needs_a_step() -> None:
    text = "# Alerts\n\n## One\n\n`oc get pods`\n\n## Two\n\nPray.\n\n## Three\n\nNot linked.\n"
    found = hits(rb101_no_executable_step, text, alerts={"One": "one", "Two": "two"})
    assert [(hit.line, hit.message) for hit in found] == [(7, "Two has no executable step")]


def test_a_link_counts_by_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "steps.md").write_text("`oc get pods`\n")
    (tmp_path / "prose.md").write_text("[back](checkout.md) and [on](steps.md)\n")
    linked = PROSE + "Do [this]({}).\n"
    assert hits(rb101_no_executable_step, linked.format("steps.md"), folder=tmp_path) == []
    for target in ("prose.md", "gone.md", "https://kubernetes.io/docs/"):
        assert len(hits(rb101_no_executable_step, linked.format(target), folder=tmp_path)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "# X\n\nThis runbook has moved to the wiki.\n",
        "# X [Deprecated]\n\nThis alert is deprecated. You can safely ignore it.\n",
        "# X\n\nThe alert was removed in 4.2 and no longer exists.\n",
        "See [the other one](y.md).\n",
    ],
)
def test_pages_that_lead_elsewhere_are_not_asked(text: str) -> None:
    assert hits(rb101_no_executable_step, text, "X.md", alerts={"X": None}) == []


@pytest.mark.parametrize("name", ["_index.md", "README.md", "template.md", "runbook-template.md"])
def test_indexes_and_templates_are_asked_only_if_an_alert_links_to_them(name: str) -> None:
    assert hits(rb101_no_executable_step, PROSE, name) == []
    assert len(hits(rb101_no_executable_step, PROSE, name, alerts={"X": None})) == 1


def test_links_to_runbooks_of_others_make_it_a_warning() -> None:
    for link, severity in (
        ("https://github.com/acme/ops-sop/blob/main/alerts/DiskFull.md", "warning"),
        ("https://github.com/kubernetes/autoscaler/blob/master/FAQ.md", None),
    ):
        (hit,) = hits(rb101_no_executable_step, PROSE + f"See [there]({link}).\n")
        assert hit.severity == severity


def test_pages_that_runbooks_link_to_are_not_asked() -> None:
    text = "# Who to call\n\nThe team of the shop, then its manager.\n"
    assert hits(rb101_no_executable_step, text, "teams.md") == []
    assert len(hits(rb101_no_executable_step, text, "teams.md", alerts={"X": None})) == 1
    assert len(hits(rb101_no_executable_step, "# DiskFull\n\nText.\n")) == 1
    assert len(hits(rb101_no_executable_step, "# Disk full\n\nText.\n", "DiskFull.md")) == 1
