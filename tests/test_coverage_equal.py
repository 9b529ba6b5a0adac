"""Inhibit rules whose labels in `equal` never agree: a warning only where that is sure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from servers import REPO, Pair
from shop import edit, run

from pytest_sre.promql.pinned import pinned

ALERTMANAGER = """\
route: {receiver: all}
receivers: [{name: all}]
inhibit_rules:
- {source_matchers: [severity="page"], target_matchers: [severity="ticket"], equal: [EQUAL]}
"""
NEVER = "this inhibit rule never inhibits"
DOWN, SLOW = "max(shop_up) == 0", "max(shop_seconds) > 1"


def _rules(source: str, target: str, *labels: str) -> str:
    first, second = (*labels, "", "")[:2]
    return (
        "groups:\n- name: shop\n  rules:\n"
        f"  - {{alert: ShopDown, expr: '{source}', labels: {{severity: page{first}}}}}\n"
        f"  - {{alert: ShopSlow, expr: '{target}', labels: {{severity: ticket{second}}}}}\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with one inhibit rule."""
    made = tmp_path / "repo"
    made.mkdir()
    for name, text in (("pytest.ini", "[pytest]\n"), ("sre.yaml", "{}"), ("alertmanager.yml", ALERTMANAGER)):
        (made / name).write_text(text)
    return made


def _said(folder: Path, pair: Pair) -> str:
    result = run(folder, pair, "-k", "fires or coverage")
    assert result.outcomes["alertmanager.yml::coverage"] == "PASSED", result.output
    return result.output


PROMETHEUS = "global: {external_labels: {cluster: a}}\nscrape_configs: []\n"
Case = tuple[str, Sequence[tuple[str, str]], Sequence[tuple[str, str]], bool]
"""What must be equal; expression and labels of sources and of targets; whether a warning is due."""
WITHOUT: Sequence[Case] = [
    ("team", [(DOWN, "team: a")], [(SLOW, "team: b")], True),
    ("team", [(DOWN, "team: a")], [(SLOW, "team: a")], False),
    ("team", [(DOWN, "")], [(SLOW, "")], False),
    # the second source agrees with the second target
    ("team", [(DOWN, "team: a"), (DOWN, "team: c")], [(SLOW, "team: b"), (SLOW, "team: c")], False),
    # made up by us
    ("shop", [("min by (shop) (shop_up) == 0", "")], [("max by (shop) (shop_seconds) > 1", "")], False),
    ("shop", [("min by (shop) (shop_up) == 0", "")], [("shop_seconds > 1", "")], False),
    ("job", [('shop_up{job="a"} == 0', "")], [('shop_seconds{job="b"} > 1', "")], True),
    ("job", [('shop_up{job="a"} == 0', "")], [('shop_seconds{job=~"b|a"} > 1', "")], False),
    # an external label `team` would make them equal
    ("team", [(DOWN, "team: a")], [(SLOW, "")], False),
    ("team", [(DOWN, 'team: "{{ $value }}"')], [(SLOW, "team: b")], False),
    # the rule's template takes the place of what the selector asks for
    ("team", [('shop_up{team="a"} == 0', 'team: "{{ $value }}"')], [(SLOW, "team: b")], False),
]
WITH: Sequence[Case] = [
    ("team", [(DOWN, "team: a")], [(SLOW, "")], True),
    ("cluster", [(DOWN, "")], [(SLOW, "")], False),
    ("cluster", [(DOWN, "cluster: b")], [(SLOW, "")], True),
    ("cluster, team", [(DOWN, "team: a")], [(SLOW, "team: b")], True),
]


@pytest.mark.parametrize(("cases", "prometheus"), [(WITHOUT, ""), (WITH, PROMETHEUS)])
def test_only_what_is_sure(cases: Sequence[Case], prometheus: str, folder: Path, newest: Pair) -> None:
    rules, inhibits = "groups:\n- name: all\n  rules:\n", ALERTMANAGER.rpartition("-")[0]
    for number, (equal, sources, targets, _) in enumerate(cases):
        for side, alerts in (("s", sources), ("t", targets)):
            for i, (expr, labels) in enumerate(alerts):
                more = f"severity: {side}{number}, {labels}".rstrip(", ")
                rules += f"  - {{alert: A{side}{number}n{i}, expr: '{expr}', labels: {{{more}}}}}\n"
        inhibits += f"- {{source_matchers: [severity=s{number}], target_matchers: [severity=t{number}], equal: [{equal}]}}\n"
    (folder / "rules.yml").write_text(rules)
    (folder / "alertmanager.yml").write_text(inhibits)
    if prometheus:
        (folder / "prometheus.yml").write_text(prometheus)

    warned = re.findall(rf"alertmanager\.yml:(\d+): .*{NEVER}", _said(folder, newest))

    assert warned == [str(4 + number) for number, case in enumerate(cases) if case[3]]


def test_a_routing_test_may_be_the_other_side(folder: Path, newest: Pair) -> None:
    edit(folder / "alertmanager.yml", "EQUAL", "team")
    (folder / "rules.yml").write_text(_rules(DOWN, SLOW, ", team: a", ", team: b"))
    (folder / "sre.yaml").write_text(
        "routing: [{labels: {severity: page, alertname: Far}, receivers: [all]}]\n"
    )

    assert NEVER not in _said(folder, newest)


def test_the_page_is_true(folder: Path, pair: Pair) -> None:
    page = (REPO / "docs/routing.md").read_text("utf-8").partition("### Labels in `equal`")[2]
    blocks: Sequence[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S)
    edit(folder / "alertmanager.yml", "EQUAL", "team")
    (folder / "rules.yml").write_text(dict(blocks)["yaml"])

    output = _said(folder, pair)

    assert dict(blocks)[""].partition(": ")[2].partition(" [coverage]")[0] in output
    assert all(line in output for line in dict(blocks)[""].splitlines()[1:]), output


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('a{x="1", y=~"2"} > b{x="1"}', {"x": "1"}),
        ('a{x="1"} > b', {}),
        ('label_replace(a{x="1"}, "x", "2", "", "")', {}),
        ('sum by (x) (a{x="1"}) or vector(0)', {}),
        ('a{x=""}', {}),
        ("1 > 2", {}),
        ('count_values("x", a{x="1"})', {}),
        ("not promql (", {}),
    ],
)
def test_labels_that_all_selectors_ask_for(text: str, labels: dict[str, str]) -> None:
    assert pinned(text) == labels
