"""Accepted findings: the file, what it accepts, what of it is no longer needed, and whole runs with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pytest_sre.session  # noqa: F401  (once, not again in every run)
from pytest_sre.baseline import Baseline, Entry, read_baseline, text_of, write_baseline
from pytest_sre.errors import UserError
from pytest_sre.model.finding import Finding, Location, Severity

ITEM = "runbooks/a.md::finished"


def finding(text: str, line: int = 1, severity: Severity = "error") -> Finding:
    return Finding("RB102", Location("runbooks/a.md", line), text, severity=severity)


def baseline(*texts: str, update: bool = False) -> Baseline:
    return Baseline(Path("b.yml"), tuple(Entry(ITEM, text, 3) for text in texts), update)


def test_known_findings_are_accepted_at_any_line_as_often_as_they_are_listed() -> None:
    new, accepted = baseline("RB102: a", "RB102: a").sift(ITEM, [finding("a", n) for n in (1, 5, 9)])

    assert accepted == ["RB102: a", "RB102: a"]
    assert [one.location.line for one in new] == [9]


def test_other_items_and_other_texts_are_new() -> None:
    known = baseline("RB102: a")

    assert known.sift("runbooks/b.md::finished", [finding("a")])[1] == []
    assert known.sift(ITEM, [finding("b")])[1] == []


def test_info_is_never_accepted_since_it_fails_nothing() -> None:
    new, accepted = baseline(update=True).sift(ITEM, [finding("a", severity="info"), finding("b")])

    assert ([one.summary for one in new], accepted) == (["a"], ["RB102: b"])


def test_what_an_item_no_longer_finds_is_told_if_it_ran_or_its_file_is_gone(tmp_path: Path) -> None:
    known = baseline("RB102: a", "RB102: a", "RB102: b")

    assert len(list(known.unused({}, tmp_path))) == 3
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "a.md").touch()
    ran = {ITEM: Counter({"RB102: a": 1})}
    assert [one.text for one in known.unused(ran, tmp_path)] == ["RB102: a", "RB102: b"]
    assert list(known.unused({}, tmp_path)) == []


def test_an_update_keeps_what_did_not_run_unless_its_file_is_gone(tmp_path: Path) -> None:
    known = baseline("RB102: a")

    assert known.renewed({}, tmp_path) == {}
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "a.md").touch()
    assert known.renewed({}, tmp_path) == {ITEM: ["RB102: a"]}
    assert known.renewed({ITEM: Counter()}, tmp_path) == {}


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1)


@given(st.dictionaries(texts, st.lists(texts, min_size=1), max_size=5))
def test_what_is_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, held: dict[str, list[str]]
) -> None:
    path = tmp_path_factory.mktemp("baseline") / "b.yml"
    write_baseline(path, held)

    read = read_baseline(path, update=False)
    assert [(one.item, one.text) for one in read.entries] == [
        (item, text) for item in held for text in held[item]
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "b.yml:1: must be a mapping"),
        ("a: b\n", "b.yml:1: a: must be a list"),
        ("a:\n- {b: c}\n", "b.yml:2: a: a finding must be a text"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_a_usage_error_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "b.yml").write_text(text)
    with pytest.raises(UserError, match=r"b\.yml") as raised:
        read_baseline(tmp_path / "b.yml", update=False)
    assert message in str(raised.value)


def test_a_missing_file_says_how_to_write_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--sre-baseline-update"):
        read_baseline(tmp_path / "b.yml", update=False)


def test_the_text_has_no_line() -> None:
    assert text_of(finding("a\nb", 7)) == "RB102: a b"


PAGE = "# A\n\n## Diagnosis\n\n`kubectl get pods`\n\n## Mitigation\n\n- TODO\n"


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".ini", pytest="[pytest]\n")
    pytester.makefile(".yaml", sre="runbooks: {pages: ['runbooks/*.md']}\n")
    pytester.mkdir("runbooks").joinpath("a.md").write_text(PAGE)
    return pytester


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_team_starts_today_and_fails_on_new_findings_only(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    def run(*options: str) -> pytest.RunResult:
        how = project.runpytest_subprocess if workers else project.runpytest_inprocess
        return how("--sre-runbooks", "--sre-baseline=b.yml", *workers, *options)

    assert run().ret == pytest.ExitCode.USAGE_ERROR
    written = run("--sre-baseline-update")
    written.stdout.fnmatch_lines(["baseline b.yml: 1 findings written"])
    assert written.ret == 0
    accepted = run()
    accepted.stdout.fnmatch_lines(["baseline b.yml: 1 findings accepted"])
    assert accepted.ret == 0

    page = project.path / "runbooks" / "a.md"
    page.write_text(PAGE + "- TODO\n")
    failed = run()
    failed.stdout.fnmatch_lines(["runbooks/a.md:10: *[[]RB102[]]"])
    assert failed.ret == 1

    page.write_text(PAGE.replace("- TODO", "`kubectl delete pod x`"))
    mended = run()
    mended.stdout.fnmatch_lines(["b.yml:4: runbooks/a.md::finished no longer finds this; delete it: RB102:*"])
    assert mended.ret == 0
    run("--sre-baseline-update")
    assert "runbooks" not in (project.path / "b.yml").read_text()


def test_an_update_needs_a_file(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess("--sre-runbooks", "--sre-baseline-update")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--sre-baseline=FILE*"])


def test_only_to_collect_writes_nothing(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(
        "--sre-runbooks", "--sre-baseline=b.yml", "--sre-baseline-update", "--collect-only"
    )

    assert result.ret == 0
    assert not (project.path / "b.yml").exists()
