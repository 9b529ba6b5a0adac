"""RB304: front matter that is wrong, at its line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runbook_pages import agree, hits

from pytest_sre.checks.runbooks import rb304_front_matter
from pytest_sre.sources.front_matter import KEYS, read
from pytest_sre.sources.yamlfile import Map


def test_the_page_of_the_check_is_true() -> None:
    agree(rb304_front_matter)


@pytest.mark.parametrize(
    ("yaml", "line", "message"),
    [
        ("title: A\nreviewed: soon", 3, "reviewed: must be a date such as 2026-03-01"),
        ("reviewed: 2026-02-30", 2, "reviewed: there is no day 2026-02-30"),
        ("reviewed: 20260301", 2, "reviewed: must be a date such as 2026-03-01"),
        ("last_reviewed: 2999-01-01", 2, "last_reviewed: 2999-01-01 is in the future"),
        ("a: 1\nb: 2\nreview_interval: 6m", 4, "review_interval: must be an interval such as 90d"),
        ("review_interval: 90", 2, "review_interval: must be an interval"),
        ("owner: {name: Ann}", 2, "owner: must be a list"),
        ("owner:\n- Ann\n- {a: b}", 4, "owner.1: must be a string"),
        ("sre: {disable: RB101}", 2, "sre.disable: must be a list"),
        ("sre:\n  disabled: [RB101]", 3, "sre.disabled: unknown key"),
        ("title: a: b", 2, "the front matter is not valid YAML"),
        ("# ours\n\ntitle: A\nowner: [a, {]", 5, "the front matter is not valid YAML"),
        ("alerts: [DiskFull, DiskFul]", 2, "alerts: no rule file has an alert DiskFul"),
        ("alerts:\n- DiskFull\n\n- Nothing", 5, "alerts: no rule file has an alert Nothing"),
        ("alerts: Diskfull", 2, "alerts: no rule file has an alert Diskfull"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(yaml: str, line: int, message: str) -> None:
    (hit,) = hits(rb304_front_matter, f"---\n{yaml}\n---\n# A\n", others=("DiskFull", "DiskSlow"))
    assert (hit.line, hit.message[: len(message)]) == (line, message)
    assert hit.mend


@pytest.mark.parametrize(
    "text",
    [
        "# No front matter\n",
        "---\n---\n# A\n",
        "---\ntitle: A\nweight: 20\nmenu: {main: {}}\ntags: [x]\n---\n# A\n",
        "---\nowner: Ann\nreviewed: '2026-03-01'\nreview_interval: 6 months\nseverity: 1\n---\n# A\n",
        "---\nowner:\nreviewed:\nalerts:\n---\n# A\n",
        "---\nsre: {disable: [RB999]}\n---\n# A\n",  # RB900 tells it
        "---\nIt's a rule: {above\n\n---\nand below\n",
        "+++\nreviewed = 1\n+++\n# A\n",
        "---\nalerts: [DiskFull]\n---\n# A\n",
    ],
)
def test_what_is_fine_is_left_alone(text: str) -> None:
    assert hits(rb304_front_matter, text, others=("DiskFull",)) == []


def test_an_alert_that_links_here_must_be_in_the_list() -> None:
    text = "---\ntitle: A\nalerts: [DiskFull]\n---\n# A\n"
    (hit,) = hits(rb304_front_matter, text, alerts={"DiskFull": None, "DiskSlow": None})
    assert (hit.line, hit.message) == (3, "alerts: DiskSlow links here and is not in the list")


def test_without_rule_files_no_alert_is_asked_for() -> None:
    assert hits(rb304_front_matter, "---\nalerts: [DiskFull]\n---\n# A\n") == []


VALUES = st.recursive(
    st.none() | st.text(max_size=8) | st.sampled_from(["2026-03-01", "90d", "RB101"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*KEYS, "title"]), VALUES))
def test_any_front_matter_is_read_and_wrong_keys_alone_are_left_out(value: dict[str, object]) -> None:
    said, wrong = read(Map(value))
    bad = {one.key.split(".")[0] for one in wrong}
    assert bad <= set(value)
    assert set(said.model_dump(exclude_unset=True)) == set(value) - bad


def test_in_a_run_a_page_may_be_for_alerts_of_several_scopes(pytester: pytest.Pytester) -> None:
    rule = "groups: [{{name: g, rules: [{{alert: {0}, expr: up == 0, annotations: {{runbook_url: runbooks/a.md}}}}]}}]\n"
    for scope, name in (("one", "DiskFull"), ("two", "DiskSlow")):
        pytester.mkdir(scope).joinpath("rules.yml").write_text(rule.format(name), "utf-8")
    page = "---\ntitle: A\nalerts: [DiskFull, DiskSlow, DiskGone]\n---\n# A\n\n`df -h /`\n"
    pytester.mkdir("runbooks").joinpath("a.md").write_text(page, "utf-8")
    pytester.path.joinpath("sre.yaml").write_text(
        "scopes: [{name: one, folder: one}, {name: two, folder: two}]\n", "utf-8"
    )
    result = pytester.runpytest_subprocess("--sre-runbooks", "--sre-strict")

    told = [line for line in result.outlines if "RB304" in line and line.startswith("runbooks/a.md:")]
    assert told
    assert set(told) == {"runbooks/a.md:3: alerts: no rule file has an alert DiskGone [RB304]"}
