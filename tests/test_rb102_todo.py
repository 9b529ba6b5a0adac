"""RB102: nothing is left to be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runbook_pages import agree, hits

from pytest_sre.checks.runbooks import rb102_todo


def test_the_page_of_the_check_is_true() -> None:
    agree(rb102_todo)


@pytest.mark.parametrize(
    "text",
    [
        "TODO",
        "**TODO**",
        "- [ ] TODO",
        "TODO(ann): which pods?",
        "TODO: which pods?",
        "TODO add the command",
        "_Coming soon..._",
        "tbd",
        "Owner: TBD",
        "**Owner:** TBD.",
        "> FIXME: not true any more",
        "## TODO",
        "<!-- TODO -->",
        "Text <!-- TODO: more of it --> text",
        "```\nTODO\n```",
        "```sql\n-- TODO the query\n```",
        "[TODO]",
        "WIP: find the state",
    ],
)
def test_what_is_left_to_be_written_is_found_at_its_line(text: str) -> None:
    found = hits(rb102_todo, "# X\n\nText.\n\n" + text + "\n\nMore.\n")
    assert [hit.line for hit in found] == [5 + text.startswith("```")]


@pytest.mark.parametrize(
    "text",
    [
        "The TODO service is down.",
        "TODO is the state before DONE.",
        "Todo lists are kept by the todo service.",
        "- `TODO`: the order waits",
        "`TBD`",
        "XXXL shirts",
        "TODOs of the team are in the tracker",
        "[TODOs](todo.md)",
        "```go\n// TODO(user): fill\n```",
        "```yaml\n# TODO: remove\nreplicas: 3\n```",
        "```\nstate: TODO\n```",
        "Nothing to do.",
        "<!-- see the todo list -->",
    ],
)
def test_a_word_is_a_word(text: str) -> None:
    assert hits(rb102_todo, "# X\n\n" + text + "\n") == []


def test_lines_of_a_paragraph_count_each_and_a_row_once() -> None:
    assert [hit.line for hit in hits(rb102_todo, "Text\nTODO: one\ntext\nTBD\n")] == [2, 4]
    assert [hit.line for hit in hits(rb102_todo, "| a | b |\n|---|---|\n| TBD | <TODO> |\n")] == [3]


def test_only_the_linked_parts_of_a_page_are_runbooks() -> None:
    text = "# All\n\nTODO\n\n## One\n\nTODO\n\n## Two\n\nTODO\n"
    assert [hit.line for hit in hits(rb102_todo, text, alerts={"One": "one"})] == [7]
    assert hits(rb102_todo, text, "README.md") == []


@given(st.text(alphabet="TODtodBFIXME:*_- <>!`#|[]()\n", max_size=200))
def test_any_text_is_judged_and_lines_lie_within_it(text: str) -> None:
    assert all(1 <= hit.line <= text.count("\n") + 1 for hit in hits(rb102_todo, text))
