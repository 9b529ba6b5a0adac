"""benchmarks/corpus.py: which expressions are the same, and what is counted how."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from servers import REPO, Pair

sys.path.insert(0, str(REPO / "benchmarks"))

from corpus import growing, judge, repositories
from corpus_report import listed, without_texts
from corpus_tally import Item, masked, normal, tally


def item(expr: str, check: str, became: str, corpus: str = "a", line: int = 1, reason: str = "") -> Item:
    return Item(corpus, "r.yml", line, "Down", expr, check, became, reason, "")


def pair(expr: str, fires: str, quiet: str, corpus: str = "a", line: int = 1) -> list[Item]:
    return [item(expr, "fires", fires, corpus, line), item(expr, "quiet", quiet, corpus, line)]


def test_layout_and_comments_make_no_difference() -> None:
    assert normal("(up ==   0) # gone\n") == normal("up == 0") != normal("up == 1")
    assert normal("not\n  PromQL (") == "not PromQL ("


@pytest.mark.parametrize(
    ("expr", "shape"),
    [
        ('up{job="api"} == 0', 'M{job="V"} == 1'),
        ("rate(a_total[5m] offset 1h) > 0.5", "rate(M[1s] offset 1s) > 1"),
        (
            'sum by (job) (a{x=~"b|c"}) / on (job) group_left (z) b',
            'sum by (job) (M{x=~"V"}) / on (job) group_left (z) M',
        ),
        ("max_over_time((a - b)[1h:5m]) < bool 3", "max_over_time((M - M)[1s:1s]) < bool 1"),
        ('label_replace({__name__=~"a.*"}, "x", "$1", "y", "z")', None),
        ("absent(", "absent("),
    ],
)
def test_a_shape_has_no_names_and_no_constants(expr: str, shape: str | None) -> None:
    assert masked(expr) == (shape or 'label_replace({__name__=~"V"}, "V", "V", "V", "V")')


def test_an_expression_counts_once_and_only_where_it_can_fire() -> None:
    found = tally(
        "all",
        [
            *pair("up == 0", "passed", "passed"),
            *pair("(up == 0)", "passed", "passed", "b"),
            *pair("x > 1", "impossible", "impossible", line=2),
            *pair("x > 1", "passed", "passed", "b", line=2),
            *pair("count(x) == 0", "impossible", "impossible", line=3),
        ],
    )
    assert (found.alerts, len(found.expressions), found.shapes) == (5, 3, 3)
    assert [one.cause for one in found.expressions] == ["both", "both", "impossible"]
    assert (found.differing, found.share) == (1, 1.0)


@pytest.mark.parametrize(
    ("fires", "quiet", "cause"),
    [
        ("passed", "always fires", "always fires"),
        ("passed", "failed", "other"),
        ("passed", "skipped", "other"),
        ("failed", "passed", "other"),
        ("failed", "always fires", "other"),
        ("not synthesised", "not synthesised", "not synthesised"),
        ("broken", "passed", "other"),
    ],
)
def test_the_worst_place_counts(fires: str, quiet: str, cause: str) -> None:
    found = tally("all", [*pair("x > 1", "passed", "passed"), *pair("x > 1", fires, quiet, "b")])
    (expression,) = found.expressions
    assert (expression.cause, found.share, found.differing) == (cause, 0.0, 1)
    assert expression.worst.corpus == "b"


def test_an_alert_fires_whatever_its_texts_say() -> None:
    found = tally("a", pair("x > 1", "texts", "passed"))
    assert (found.count("both"), found.passed("fires"), len(found.without_texts)) == (1, 1, 1)
    lines = "\n".join(without_texts(found))
    assert "## a text does not render: 1" in lines
    assert "a/r.yml:1 Down" in lines


def test_what_is_wrong_is_listed_by_reason() -> None:
    items = [item(f"x > {n}", "fires", "not synthesised", line=n, reason="none found") for n in (1, 2)]
    text = "\n".join(listed(tally("all", items), ["not synthesised"]))
    assert text == (
        "\n## not synthesised: 2\n\n2 x [fires] none found\n  a/r.yml:1 Down\n    x > 1\n  a/r.yml:2 Down\n    x > 2"
    )


RULES = """\
groups:
  - name: g
    rules:
      - {alert: Down, expr: up == 0}
      - {alert: None, expr: count(up) == 0}
      - {alert: Always, expr: vector(1) > 0}
"""


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / name / "rules").mkdir(parents=True)
        (tmp_path / name / "rules" / "r.yml").write_text(RULES)
    return tmp_path


def test_each_folder_is_a_repository(corpora: Path) -> None:
    assert repositories([corpora]) == [corpora / "one", corpora / "two"]
    assert repositories([corpora / "one" / "rules"]) == [corpora / "one" / "rules"]


def test_files_are_taken_until_there_are_alerts_enough(corpora: Path) -> None:
    files = [(path, path.relative_to(corpora)) for path in sorted(corpora.rglob("*.yml"))]
    assert [len(some) for some in growing(files, [1, 3, 4, 100])] == [1, 1, 2, 2]


def test_pytest_itself_judges(pair: Pair, corpora: Path) -> None:
    items, spent = judge(
        "one", [(corpora / "one" / "rules" / "r.yml", Path("r.yml"))], pair.prometheus.parent, []
    )
    found = tally("one", items)
    assert {one.text: one.cause for one in found.expressions} == {
        "up == 0": "both",
        "count(up) == 0": "impossible",
        "vector(1) > 0": "always fires",
    }
    assert found.expressions[1].worst.part == "count(up) == 0"
    assert spent.wall > 0
    assert spent.memory > 2**20
