"""Rule files in all their wrappings, and what only looks like them."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from pytest_sre.sources.rulefile import Broken, Skip, looks_like_rules, parse_rule_file

GROUPS = """\
groups:
  - name: checkout
    interval: 30s
    rules:
      - record: job:errors:rate5m
        expr: sum by (job) (rate(errors_total[5m]))
      - alert: Burn
        expr: |
          job:errors:rate5m > 0.1
        for: 1h30m
        keep_firing_for: 5m
        labels:
          severity: page
          tier: 1.10
        annotations:
          summary: "{{ $labels.job }} burns"
"""


def wrapped(name: str = "a") -> str:
    return f"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata:\n  name: {name}\nspec:\n{indent(GROUPS, '  ')}"


def test_a_plain_file() -> None:
    file = parse_rule_file("rules/a.yml", GROUPS)
    (group,) = file.groups
    record, alert = group.rules
    assert (group.name, group.interval, group.location.line, group.part) == ("checkout", 30.0, 2, 0)
    assert (record.kind, record.name, record.expr) == (
        "record",
        "job:errors:rate5m",
        "sum by (job) (rate(errors_total[5m]))",
    )
    assert (alert.kind, alert.name, alert.expr) == ("alert", "Burn", "job:errors:rate5m > 0.1\n")
    assert (alert.hold, alert.keep_firing_for, alert.group, alert.index) == (5400.0, 300.0, "checkout", 1)
    assert alert.labels == {"severity": "page", "tier": "1.10"}
    assert alert.annotations == {"summary": "{{ $labels.job }} burns"}
    assert (str(alert.location), alert.expr_line) == ("rules/a.yml:7", 8)
    assert file.alerts == (alert,)


def test_a_prometheus_rule_keeps_the_lines_of_the_file() -> None:
    (alert,) = parse_rule_file("a.yml", wrapped()).alerts
    assert alert.location.line == 12


def test_a_list_of_them() -> None:
    items = "".join(f"- {indent(wrapped(name), '  ')[2:]}" for name in ("a", "b"))
    file = parse_rule_file("a.yml", f"kind: List\nitems:\n- kind: Service\n{items}")
    assert [alert.name for alert in file.alerts] == ["Burn", "Burn"]
    assert [group.part for group in file.groups] == [0, 1]


def test_several_documents_with_empty_and_foreign_ones_between() -> None:
    foreign = "kind: Deployment\nspec:\n  groups: 5\n"
    text = "---\n# nothing\n---\n".join([wrapped("a"), foreign, GROUPS])
    file = parse_rule_file("a.yml", text)
    assert [(group.name, group.part) for group in file.groups] == [("checkout", 0), ("checkout", 1)]
    assert len({alert.location.line for alert in file.alerts}) == 2


def test_json_is_yaml() -> None:
    text = '{"groups": [{"name": "a", "rules": [{"alert": "X", "expr": "up == 0"}]}]}'
    assert looks_like_rules(text)
    assert [alert.name for alert in parse_rule_file("a.yaml", text).alerts] == ["X"]


@pytest.mark.parametrize(
    "text", ["groups:\n", "  groups:\n", '"groups": []\n', "kind: PrometheusRule\n", "kind: VMRule"]
)
def test_worth_a_look(text: str) -> None:
    assert looks_like_rules(text)


def test_not_worth_a_look() -> None:
    assert not looks_like_rules("services:\n  web:\n    image: x # groups: none\n")


SKIPPED = {
    "helm values": ("groups:\n  - name: {{ .Values.name }}\n    rules: []\n", "Helm"),
    "helm blocks": ("groups:\n{{- if .Values.on }}\n  - name: a\n{{- end }}\n", "Helm"),
    "helm include": ('metadata:\n  labels: {{ include "x.labels" . | nindent 4 }}\ngroups:\n', "Helm"),
    "helm range": (
        "groups:\n{{- range $name, $rule := .Values.rules }}\n - name: {{ $name }}\n{{- end }}\n",
        "Helm",
    ),
    "loki": (
        'groups:\n- name: a\n  rules:\n  - alert: X\n    expr: sum(rate({a="b"} |= "x" [1m])) > 1\n',
        "Loki",
    ),
    "loki json": (
        'groups:\n- name: a\n  rules:\n  - alert: X\n    expr: sum(rate({a="b"} | json [1m])) > 1\n',
        "Loki",
    ),
    "vmrule": ("kind: VMRule\nspec:\n  groups: []\n", "VMRule"),
    "vmrule list": ("kind: List\nitems:\n- kind: VMRule\n  spec: {groups: []}\n", "VMRule"),
    "promtool tests": ("rule_files: [a.yml]\ntests:\n  - interval: 1m\n", "promtool"),
    "list at the top": ("- groups:\n", "no mapping"),
    "nothing": ("groups: []\n", "no rule groups"),
    "empty": ("groups:\n", "no rule groups"),
    "nested": ("updates:\n  - groups:\n      dev: {patterns: ['*']}\n", "no rule groups"),
    "foreign mapping": ("groups:\n  admins: [ann, bob]\n", "no list of rule groups"),
    "foreign list": ("groups:\n  - admins\n  - users\n", "something else"),
    "grafana": (
        "apiVersion: 1\ngroups:\n  - name: a\n    rules:\n      - uid: x\n        title: T\n        condition: C\n",
        "else",
    ),
    "configmap": ("kind: ConfigMap\ndata:\n  a.yml: |\n    groups: []\n", "no rule groups"),
}


@pytest.mark.parametrize(("text", "word"), SKIPPED.values(), ids=SKIPPED)
def test_what_is_not_ours_is_skipped_with_a_word(text: str, word: str) -> None:
    with pytest.raises(Skip, match=word):
        parse_rule_file("a.yml", text)


RULE = "groups:\n- name: a\n  rules:\n  - alert: X\n    expr: up == 0\n"
BROKEN = {
    "yaml": (RULE + "   for: 5m\n", 6, "not valid YAML"),
    "yaml, and Prometheus' templates": (
        RULE + '    annotations: {s: "{{ if $x }}{{ $labels.a }}{{ end }}"}\n   for: 1\n',
        7,
        "YAML",
    ),
    "twice": (RULE + "    for: 5m\n    for: 6m\n", 7, 'key "for" is set twice'),
    "for": (RULE + "    for: 5 minutes\n", 6, '`for`: "5 minutes" is not a duration'),
    "keep_firing_for": (RULE + "    keep_firing_for: x\n", 6, "`keep_firing_for`"),
    "interval": (RULE + "  interval: often\n", 6, "`interval`"),
    "labels": (RULE + "    labels: [a]\n", 6, "`labels` must map"),
    "nested labels": (RULE + "    labels: {a: {b: c}}\n", 6, "`labels` must map"),
    "no expr": (RULE + "  - alert: Y\n    for: 5m\n", 6, "the rule Y has no `expr`"),
    "both": (RULE + "  - alert: Y\n    record: z\n    expr: '1'\n", 6, "either `alert` or `record`"),
    "neither": (RULE + "  - alrt: Y\n    expr: '1'\n", 6, "either `alert` or `record`"),
    "rule": (RULE + "  - up == 0\n", 6, "a rule must be a mapping"),
    "group": (RULE + "- b\n", 6, "a group must be a mapping"),
    "group without dash": (
        "groups:\n  name: a\n  rules:\n  - alert: X\n    expr: up\n",
        1,
        "`groups` must be a list",
    ),
    "rules without dash": (
        "groups:\n- name: a\n  rules:\n    alert: X\n    expr: up\n",
        3,
        "`rules` must be a list",
    ),
    "spec": ("kind: PrometheusRule\nmetadata: {}\nspec: []\n", 3, "needs a `spec`"),
}


@pytest.mark.parametrize(("text", "line", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_is_ours_and_broken_says_where(text: str, line: int, reason: str) -> None:
    with pytest.raises(Broken, match=reason) as caught:
        parse_rule_file("a.yml", text)
    assert caught.value.line == line


def test_a_broken_rule_within_a_prometheus_rule() -> None:
    text = wrapped().replace("1h30m", "soon")
    with pytest.raises(Broken) as caught:
        parse_rule_file("a.yml", text)
    assert "soon" in text.splitlines()[caught.value.line - 1]


def test_texts_stay_texts() -> None:
    text = dedent("""\
        groups:
        - name: 5
          rules:
          - alert: true
            expr: 1
            labels: {a: yes, b: null, c: 010, d: '1'}
        """)
    (alert,) = parse_rule_file("a.yml", text).alerts
    assert (alert.name, alert.expr, alert.group) == ("true", "1", "5")
    assert alert.labels == {"a": "yes", "b": "", "c": "010", "d": "1"}
