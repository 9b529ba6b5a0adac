"""The summary is correct Markdown whatever the texts hold; a parser for GitHub's tables judges."""

from __future__ import annotations

import html
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pytest_sre.model.finding import Finding, Location, Severity, plain
from pytest_sre.report.markdown import LIMIT, code, fenced, headline, prose, render
from pytest_sre.report.outcome import Kind, Outcome

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
NASTY = st.one_of(
    st.text(),
    st.text("|`<>&\\*_[]()#+-.!~@:$= \n\r\tab1\x00\x1b\u2028"),
    st.sampled_from(
        ["</details>", "```", "~~~\n# x", "a | b", "\\|", "<!--", "1. x", "www.x.example", "---", "    x"]
    ),
)


def parse(text: str) -> list[Token]:
    return PARSER.parse(text)


def one_line(text: str) -> str:
    return " ".join(plain(text).split())


def shown(tokens: Sequence[Token]) -> str:
    """The text of inline tokens; anything but text and code is a mistake."""
    assert {token.type for token in tokens} <= {"text", "text_special", "code_inline"}, tokens
    return "".join(token.content for token in tokens)


def outcome(
    kind: Kind = "passed",
    check: str = "pages",
    alert: str = "Burn",
    text: str = "",
    severity: Severity = "error",
) -> Outcome:
    where = Location("rules/x.yml", 4)
    findings = (Finding(check, where, text or "it pages nobody", "a", "b", "c", ("d",), severity),)
    told = findings if kind in ("failed", "warned") else ()
    return Outcome(f"rules/x.yml::{alert}::{check}", check, alert, kind, where, text, told)


@settings(deadline=None)
@given(NASTY)
def test_prose_shows_any_text(text: str) -> None:
    tokens = parse(f"- {prose(text)}\n")
    inline = [token for token in tokens if token.type == "inline"]
    assert [token.type for token in tokens if token.nesting == 1][:1] == ["bullet_list_open"]
    assert "".join(shown(token.children or []) for token in inline) == one_line(text)


@settings(deadline=None)
@given(NASTY)
def test_code_shows_any_text(text: str) -> None:
    (inline,) = [token for token in parse(f"x {code(text)} y") if token.type == "inline"]
    assert [token.type for token in inline.children or []] == ["text", "code_inline", "text"]
    assert (inline.children or [])[1].content.strip() == one_line(text)


@settings(deadline=None)
@given(NASTY)
def test_fenced_shows_any_text(text: str) -> None:
    (block,) = parse(fenced(text))
    assert block.type == "fence"
    assert block.content.rstrip("\n") == plain(text).rstrip("\n")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["passed", "warned", "failed", "skipped", "error"]), NASTY, NASTY),
        max_size=6,
    ),
    st.lists(NASTY, max_size=3),
)
def test_any_run(items: list[tuple[Kind, str, str]], review: list[str]) -> None:
    outcomes = [outcome(kind, one_line(check) or "pages", text or "A", text) for kind, check, text in items]
    text = render(outcomes, review, [("2.42|x", {"prometheus": "2.42.0"})])
    tokens = parse(text)
    rows = [token for token in tokens if token.type == "tr_open"]
    assert len(rows) == (len({one.check for one in outcomes}) + 1 if outcomes else 0)
    tables = [
        token.children for token in tokens if token.type == "inline" and token.level == 4 and token.children
    ]
    columns = 6 if any(one.outcome == "warned" for one in outcomes) else 5
    assert sum(token.type in ("td_open", "th_open") for token in tokens) == len(rows) * columns
    assert all(token.type in ("text", "text_special", "code_inline") for cell in tables for token in cell)
    told = [one for one in outcomes if one.outcome in ("failed", "warned", "error")]
    assert sum(token.type == "fence" for token in tokens) == len(told)
    blocks = [token.content for token in tokens if token.type == "html_block"]
    opened, closed = (sum(block.startswith(tag) for block in blocks) for tag in ("<details>", "</details>"))
    assert opened == closed == len(told) == len(blocks) / 2
    headings = [token.tag for token in tokens if token.type == "heading_open"]
    assert headings[:1] == ["h2"]
    assert set(headings[1:]) <= {"h3"}
    types = {child.type for token in tokens for child in token.children or []}
    assert types <= {"text", "text_special", "code_inline", "softbreak"}


def test_checks_with_pipes_stay_in_their_cell() -> None:
    cells = [
        token
        for token in parse(render([outcome(check="a\\|b`|")]))
        if token.type == "inline" and token.level == 4
    ]
    assert [shown(cell.children or []) for cell in cells[5:]] == ["a\\|b`|", "1", "0", "0", "0"]


def test_a_failure_is_folded_with_all_that_it_says() -> None:
    tokens = parse(render([outcome("failed", text="<b>Burn</b> pages nobody")]))
    (fold,) = [token.content for token in tokens if token.content.startswith("<details>")]
    assert "<b>Burn</b> pages nobody" in html.unescape(fold)
    assert fold.count("<b>") == 1
    (block,) = [token.content for token in tokens if token.type == "fence"]
    assert block.splitlines() == [
        "rules/x.yml:4: <b>Burn</b> pages nobody [pages]",
        "  expected: a",
        "  seen:     b",
        "  d",
        "  next:     c",
    ]


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        ([], "No alert was tested"),
        ([outcome(), outcome(check="fires")], "✅ 1 alert proven"),
        ([outcome(), outcome("warned", alert="B")], "⚠️ 2 alerts proven, 1 with warnings"),
        ([outcome("skipped")], "⚠️ 1 of 1 alert NOT proven in all respects"),
        ([outcome("error")], "❌ Nothing is known of 1 alert: the run ended in an error"),
        ([outcome("failed"), outcome("error", "fires")], "❌ 1 of 1 alert failed: `Burn`"),
        ([outcome("failed", "loads", "")], "❌ 1 file not loaded: `rules/x.yml`"),
    ],
)
def test_the_headline(outcomes: list[Outcome], line: str) -> None:
    wanted = (
        line if not any(one.outcome == "warned" for one in outcomes) else "⚠️ 2 alerts proven, 1 with warnings"
    )
    assert headline(outcomes) == wanted


def of_file(kind: Kind, check: str, name: str) -> Outcome:
    """An item about no alert of its own."""
    where = Location(name.partition("::")[0], 3)
    told = (Finding(check, where, "no"),) if kind == "failed" else ()
    return Outcome(name, check, "Burn" if check == "unit" else "", kind, where, "why", told)


POLICY = "sre.yaml::shop::policy[{}]"
UNIT = "tests/x.yml::Burn 5m"


@pytest.mark.parametrize(
    ("outcomes", "line"),
    [
        (
            [of_file("passed", "policy", POLICY.format(1)), of_file("passed", "unit", UNIT)],
            "✅ 1 alert proven",
        ),
        (
            [of_file("failed", "policy", POLICY.format(n)) for n in (1, 2)],
            "❌ policy not kept for 1 SLO: `shop`",
        ),
        ([of_file("failed", "loads", "x.yml::loads")], "❌ 1 file not loaded: `x.yml`"),
        ([of_file("failed", "unit", UNIT)], "❌ 1 unit test failed: `Burn 5m`"),
        ([of_file("skipped", "policy", POLICY.format(1))], "⚠️ 1 alert proven, 1 other test NOT"),
    ],
)
def test_the_headline_tells_alerts_from_files_slos_and_unit_tests(outcomes: list[Outcome], line: str) -> None:
    assert headline([outcome(), *outcomes]) == line


def test_the_headline_names_a_few() -> None:
    outcomes = [outcome("failed", alert=name) for name in "ABCDE"]
    assert headline(outcomes) == "❌ 5 of 5 alerts failed: `A`, `B`, `C` and 2 more"


def test_review_lines_come_first() -> None:
    lines = render([outcome()], ["2 new alerts page pagerduty-payments: A, B"]).splitlines()
    assert lines[:3] == ["## ✅ 1 alert proven", "", "- 2 new alerts page pagerduty-payments: A, B"]


def test_what_was_not_proven_is_listed_by_reason() -> None:
    outcomes = [outcome("skipped", alert=name, text="no receiver | at all") for name in "ABCDE"]
    text = render(outcomes)
    assert "### NOT proven\n\n- no receiver &#124; at all: `rules/x.yml::A::pages`, " in text
    assert "and 2 more" in text


def test_many_reasons_are_folded() -> None:
    tokens = parse(render([outcome("skipped", alert=str(n), text=f"reason {n}") for n in range(11)]))
    assert "<details><summary>11 reasons</summary>\n" in [token.content for token in tokens]
    assert sum(token.type == "list_item_open" for token in tokens) == 11


@pytest.mark.parametrize("limit", [300, 1_000, 5_000, LIMIT])
def test_it_is_cut_at_the_limit_by_whole_blocks(limit: int) -> None:
    outcomes = [outcome("failed", alert=f"Alert{n}", text="ü" * 1_000) for n in range(1_000)]
    text = render(outcomes, limit=limit)
    assert len(text.encode()) <= limit
    assert "paragraphs left out" in text
    tokens = parse(text)
    assert sum(token.type == "html_block" for token in tokens) == 2 * sum(
        token.type == "fence" for token in tokens
    )


def test_versions() -> None:
    text = render([outcome()], versions=[("", {"prometheus": "3.5.0", "alertmanager": "0.33.0"})])
    assert text.endswith("- Prometheus 3.5.0, Alertmanager 0.33.0\n")
