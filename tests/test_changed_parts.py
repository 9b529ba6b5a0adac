"""What `--sre-changed` reads: expressions, labels known without firing, routes that may be taken, templates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_sre.changed.expression import normal, uses_default_step
from pytest_sre.changed.facts import Reason, differences
from pytest_sre.changed.routes import Routes
from pytest_sre.changed.templates import Unclear, reached, references, take_apart, template_files
from pytest_sre.model.finding import Location
from pytest_sre.model.routing import Matcher
from pytest_sre.model.rules import Rule
from pytest_sre.promql.result_labels import mentioned_labels, result_labels
from pytest_sre.sources.alert_labels import Labels, decide, static_labels
from pytest_sre.sources.alertmanager import parse_routing
from pytest_sre.sources.prometheus import PrometheusConfig

# Expressions


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('a{x="1",y="2"}', "a{ y='2', x=`1` } # so"),
        ("sum by (a, b) (x)", "(sum(x) by (b,a))"),
        ("a / on(x, y) group_left(z) b", "a / on (y,x) group_left (z) (b)"),
        ("rate(x[60m])", "rate(x[1h])"),
        ("a and b or c", "(a and b) or c"),
        ("a ~ b # c", "a ~\n  b"),
    ],
)
def test_equal_expressions(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a and (b or c)", "a and b or c"),
        ('a{x="1"}', 'a{x!="1"}'),
        ("sum by (a) (x)", "sum without (a) (x)"),
        ("a - (b - c)", "a - b - c"),
        ("x[5m:]", "x[5m:1m]"),
        ("a > bool 1", "a > 1"),
        ("x offset 5m", "x offset -5m"),
        ('a ~ "x  y"', 'a ~ "x y"'),
    ],
)
def test_different_expressions(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.parametrize(
    ("expr", "labels"),
    [
        ("up == 0", None),
        ("sum by (a, b) (x) > 1", {"a", "b"}),
        ("sum(x)", set()),
        ("sum without (a) (x)", None),
        ("sum without (a) (sum by (a, b) (x))", {"b"}),
        ("topk by (a) (3, x)", None),
        ('count_values by (a) ("v", x)', {"a", "v"}),
        ("sum by (a) (x) and y", {"a"}),
        ("sum by (a) (x) or sum by (b) (y)", {"a", "b"}),
        ("sum by (a) (x) * on (a) group_left (c) sum by (a, c) (y)", {"a", "c"}),
        ("x / on (a) y", {"a"}),
        ("x / on (a) group_left () y", None),
        ("vector(1)", set()),
        ('absent(up{job="x", a=~"b"})', {"job", "a"}),
        ('label_replace(sum by (a) (x), "d", "$1", "a", "(.*)")', {"a", "d"}),
        ("time() - max by (a) (x)", {"a"}),
        ("not promql at all", None),
    ],
)
def test_labels_of_results(expr: str, labels: set[str] | None) -> None:
    assert result_labels(expr) == labels


@pytest.mark.parametrize("count", [200, 330, 480, 700])
def test_an_expression_of_any_depth(count: int) -> None:
    text = "a" + " or a" * count

    assert normal(text) == normal(text.replace(" or ", "  or  "))
    assert normal(text) != normal(text + " or b")
    assert result_labels(text) is None


def test_default_steps_and_mentions() -> None:
    assert uses_default_step("max_over_time(x[1h:])")
    assert not uses_default_step("max_over_time(x[1h:1m])")
    assert mentioned_labels('sum by (a) (x{b="1"}) * on (c) group_left (d) y') == {"a", "b", "c", "d"}


# Labels


def alert(expr: str, **labels: str) -> Rule:
    return Rule("alert", "A", expr, Location("r.yml", 1), 1, "g", 0, labels)


def config(external: Mapping[str, str] | None = None, *relabel: Mapping[str, Any]) -> PrometheusConfig:
    return PrometheusConfig("p.yml", {"external_labels": external or {}}, relabel)


def test_what_is_known_what_may_be_and_what_cannot_be() -> None:
    rule = alert("sum by (a) (x) > 0", severity="page", text="{{ $value }}", empty="")

    found = static_labels(rule, {"team": "t", "severity": "group"}, config({"cluster": "c", "a": "b"}))

    values = {
        name: found.value(name) for name in ("alertname", "severity", "team", "cluster", "empty", "other")
    }
    assert values == {
        "alertname": "A", "severity": "page", "team": "t", "cluster": "c", "empty": "", "other": "",
    }  # fmt: skip
    assert (found.value("a"), found.value("text")) == (None, None)


def test_series_may_have_any_label_and_an_external_one_that_is_mentioned() -> None:
    found = static_labels(alert('up{cluster=~"x.*"} == 0'), {}, config({"cluster": "c", "region": "r"}))

    assert (found.value("cluster"), found.value("region"), found.value("other")) == (None, "r", None)


@pytest.mark.parametrize(
    ("relabel", "unsure"),
    [
        ({"action": "labeldrop", "regex": "sev.*"}, {"severity"}),
        ({"action": "labelkeep", "regex": "alertname|team"}, {"severity"}),
        ({"target_label": "team", "replacement": "x"}, {"team"}),
        ({"target_label": "${1}", "source_labels": ["x"]}, {"alertname", "severity", "team"}),
        ({"action": "labelmap", "regex": "(.*)"}, {"alertname", "severity", "team"}),
        ({"action": "drop", "source_labels": ["severity"], "regex": "page"}, set()),
    ],
)
def test_what_relabelling_touches_is_not_known(relabel: Mapping[str, Any], unsure: set[str]) -> None:
    found = static_labels(alert("sum(x)", severity="page", team="t"), {}, config(None, relabel))

    assert {name for name in ("alertname", "severity", "team") if found.value(name) is None} == unsure


def test_what_only_go_reads_is_not_decided() -> None:
    assert decide(Matcher("a", "=~", r"\pL+"), "x") is None


# Routes

TREE = """
route:
  receiver: all
  group_by: [a, b]
  routes:
    - {matchers: [severity="page"], receiver: pager, continue: true, group_wait: 1m}
    - {matchers: [namespace="x"], receiver: x}
    - {matchers: [team="t"], receiver: team, mute_time_intervals: [night]}
    - {matchers: [severity=~".+"], receiver: late}
time_intervals: [{name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '06:00'}]}]}]
receivers: [{name: all}, {name: pager}, {name: x}, {name: team}, {name: late}]
"""


def facts(text: str, labels: Labels) -> Mapping[Any, Any]:
    return Routes(parse_routing("am.yml", "/nowhere", text)).facts(labels)


def receivers(text: str, labels: Labels) -> list[str]:
    return [key.name for key in facts(text, labels) if key.aspect == "receiver"]


def test_routes_that_may_be_taken() -> None:
    known = {"alertname": "A", "severity": "page", "team": "t"}

    assert receivers(TREE, Labels(known, None)) == ["pager", "x", "team"]
    assert receivers(TREE, Labels(known, frozenset())) == ["pager", "team"]
    assert receivers(TREE, Labels({"alertname": "A"}, frozenset())) == ["all"]
    assert receivers(TREE, Labels({"alertname": "A"}, frozenset({"namespace"}))) == ["x", "all"]


@pytest.mark.parametrize(
    ("old", "new", "reasons"),
    [
        ("group_by: [a, b]", "group_by: [b, a]", []),
        ("group_wait: 1m", "group_wait: 60s", []),
        ('severity="page"', 'severity=~"page|x"', []),
        ('severity=~".+"', 'severity=~".*"', []),
        ("group_wait: 1m", "group_wait: 2m", ["route am.yml:6 (to pager)"]),
        ("06:00", "07:00", ["route am.yml:8 (to team)"]),
        ("receiver: x}", "receiver: x, continue: true}", ["route am.yml:7 (to x)"]),
        (
            ", continue: true",
            "",
            ["route am.yml:7 (to x) (no longer)", "route am.yml:8 (to team) (no longer)"],
        ),
    ],
)
def test_changed_routes(old: str, new: str, reasons: list[str]) -> None:
    labels = Labels({"alertname": "A", "severity": "page", "team": "t"}, None)
    assert old in TREE

    found = differences(facts(TREE, labels), facts(TREE.replace(old, new), labels))

    assert [reason.text for reason in found if reason.aspect == "route"] == reasons


def test_order_of_routes_that_may_be_taken() -> None:
    lines = TREE.splitlines(keepends=True)
    lines[6], lines[7] = lines[7].replace('team="t"', 'pod="p"'), lines[6]
    before = TREE.replace('team="t"', 'pod="p"')
    labels = Labels({"alertname": "A"}, None)

    found = list(differences(facts(before, labels), facts("".join(lines), labels)))

    assert found == [Reason("order", "order of routes")]


# Templates


def definitions(text: str) -> dict[str, tuple[str, set[str]]]:
    return {one.name: (one.text, one.refers) for one in take_apart("file.tmpl", text)}


def test_definitions_and_what_they_refer_to() -> None:
    found = definitions(
        'top {{ define "a" -}}\n x {{ if .X }}{{ template "b" . }}{{ else }}y{{ end }}\n{{- end }}'
        '{{define `b`}}{{ block "c" .Y }}z{{ end }}{{ printf "}}" }}{{ end }}'
    )

    assert found == {
        "file.tmpl": ("top ", set()),
        "a": ('x {{if .X}}{{template "b" .}}{{else}}y{{end}}', {"b"}),
        "b": ('{{block "c" .Y}}{{printf "}}"}}', {"c"}),
        "c": ("z", set()),
    }


def test_comments_and_white_space_in_actions_do_not_count() -> None:
    assert definitions('{{ define "a" }}x{{- /* {{ c }} */ -}} y{{ end }}') == definitions(
        '{{define  "a"}}xy{{end}}'
    )


@pytest.mark.parametrize("text", ['{{ define "a" }}', "{{ end }}", "{{ if", '{{ "open }}'])
def test_what_cannot_be_taken_apart(text: str) -> None:
    with pytest.raises(Unclear):
        take_apart("x", text)


@given(st.text(alphabet='{}-/* "`ab\n'))
def test_any_text_is_taken_apart_or_unclear(text: str) -> None:
    try:
        found = references(text)
    except Unclear:
        return
    assert found == frozenset()  # nothing in this alphabet spells "template"


def test_reached_at_any_depth() -> None:
    found = {
        one.name: one
        for one in take_apart(
            "f",
            '{{define "a"}}{{template "b"}}{{end}}{{define "b"}}{{template "a"}}{{template "none"}}{{end}}{{define "c"}}{{end}}',
        )
    }

    assert reached(["a"], found) == {"a", "b"}


def test_templates_that_lie_elsewhere_in_production(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/x.tmpl").write_text("x")

    assert list(template_files(["/etc/nowhere/*.tmpl"], tmp_path)) == [tmp_path / "sub/x.tmpl"]


# Receivers

RECEIVERS = """
global: {slack_api_url: 'https://a', pagerduty_url: 'https://b', http_config: {follow_redirects: true}}
templates: ['*.tmpl']
route: {receiver: slack, routes: [{matchers: [a=b], receiver: own}, {matchers: [a=c], receiver: mail}]}
receivers:
  - {name: slack, slack_configs: [{channel: c, title: '{{ template "mine" . }}'}]}
  - {name: own, slack_configs: [{channel: c, api_url: 'https://c', http_config: {}, title: x, text: y}]}
  - {name: mail, email_configs: [{to: a@b.example}]}
"""
TEMPLATES = (
    '{{ define "mine" }}{{ template "deeper" . }}{{ end }}{{ define "deeper" }}1{{ end }}{{ define "unused" }}{{ . }}{{ end }}'
    '{{ define "slack.default.title" }}t{{ end }}{{ define "slack.default.text" }}t{{ end }}{{ define "email.default.html" }}h{{ end }}'
)


def content(name: str, text: str, folder: Path) -> tuple[str, set[str]]:
    found = Routes(parse_routing("am.yml", str(folder), text)).receivers.facts(name)
    value = next(fact.value for key, fact in found.items() if key.aspect == "receiver")
    return value, {key.name for key in found if key.aspect == "template"}


def test_templates_that_a_receiver_reaches(tmp_path: Path) -> None:
    (tmp_path / "x.tmpl").write_text(TEMPLATES)

    assert content("slack", RECEIVERS, tmp_path)[1] == {"mine", "deeper", "slack.default.text"}
    assert content("own", RECEIVERS, tmp_path)[1] == set()
    assert content("mail", RECEIVERS, tmp_path)[1] == {"email.default.html"}


def test_a_file_that_cannot_be_taken_apart_counts_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "x.tmpl").write_text("{{ define")

    assert content("mail", RECEIVERS, tmp_path)[1] == {"file x.tmpl"}


@pytest.mark.parametrize(
    ("old", "new", "concerned"),
    [
        ("https://a", "https://z", {"slack"}),
        ("https://b", "https://z", set()),
        ("follow_redirects: true", "follow_redirects: false", {"slack"}),
        ("global: {", "global: {resolve_timeout: 1m, smtp_from: x, ", {"mail"}),
        ("channel: c, title", "title", {"slack"}),
    ],
)
def test_globals_in_force(old: str, new: str, concerned: set[str], tmp_path: Path) -> None:
    after = RECEIVERS.replace(old, new)

    differ = {
        name
        for name in ("slack", "own", "mail")
        if content(name, RECEIVERS, tmp_path) != content(name, after, tmp_path)
    }

    assert differ == concerned
