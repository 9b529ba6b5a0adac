"""Reading Alertmanager's configuration: plain, in a Secret, its matchers, and what it says of mistakes."""

from __future__ import annotations

import base64
import json
import textwrap

import pytest

from pytest_sre.errors import UserError
from pytest_sre.model.finding import Location
from pytest_sre.model.routing import Integration, Matcher
from pytest_sre.sources.alertmanager import is_alertmanager, parse_matchers, parse_routing
from pytest_sre.sources.yamlfile import line_of, load_all

PLAIN = """\
route:
  receiver: everybody
  routes:
    - matchers: ['severity = critical', 'team=~"a|b"']
      receiver: oncall
      continue: true
      routes:
        - match: {team: a}
          match_re:
            service: pay.*
    - match:
        severity: 5
receivers:
  - name: everybody
  - name: oncall
    slack_configs:
      - channel: '#a'
      - channel: '#b'
    email_configs:
      - to: a@example.org
"""


def test_plain() -> None:
    routing = parse_routing("am.yml", "/repo", PLAIN)
    assert routing.receivers == ("everybody", "oncall")
    assert routing.integrations == (
        Integration("oncall", "slack", 0),
        Integration("oncall", "slack", 1),
        Integration("oncall", "email", 0),
    )
    root = routing.root
    first, second = root.routes
    assert (root.receiver, root.location) == ("everybody", Location("am.yml", 1))
    assert first.matchers == (Matcher("severity", "=", "critical"), Matcher("team", "=~", "a|b"))
    assert first.continues
    assert not second.continues
    assert second.matchers == (Matcher("severity", "=", "5"),)
    assert second.receiver == "everybody"
    (inner,) = first.routes
    assert inner.receiver == "oncall"
    assert inner.matchers == (Matcher("team", "=", "a"), Matcher("service", "=~", "pay.*"))
    assert [first.location.line, inner.location.line, second.location.line] == [4, 8, 11]


@pytest.mark.parametrize("field", ["stringData", "data"])
@pytest.mark.parametrize("key", ["alertmanager.yaml", "alertmanager.yml"])
def test_secret(field: str, key: str) -> None:
    head = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{field}:\n  {key}: "
    if field == "data":
        text = head + base64.b64encode(PLAIN.encode()).decode() + "\n"
    else:
        text = head + "|\n" + textwrap.indent(PLAIN, "    ")
    routing = parse_routing("secret.yml", "/", "kind: Deployment\n---\n" + text)
    assert routing.receivers == ("everybody", "oncall")
    # A block's lines are those of the file; base64 can only point at its key.
    expected = 7 + 4 if field == "stringData" else 7
    assert routing.root.routes[0].location == Location("secret.yml", expected)
    assert line_of(routing.document["receivers"], 1) == (7 + 15 if field == "stringData" else 7)


def test_secret_in_a_list_and_config_map() -> None:
    secret = {"kind": "Secret", "stringData": {"alertmanager.yaml": PLAIN}}
    for value in (
        {"kind": "List", "items": [{"kind": "Service"}, secret]},
        {"kind": "ConfigMap", "data": {"alertmanager.yml": PLAIN}},
    ):
        assert is_alertmanager(value)
        assert parse_routing("l.yml", "/", json.dumps(value)).root.routes[0].location.line == 1


def test_sniff() -> None:
    assert is_alertmanager(load_all(PLAIN)[0].value)
    for other in (
        None,
        "route",
        [],
        {"route": {}},
        {"groups": []},
        {"kind": "Secret", "data": {"tls.key": "eA=="}},
    ):
        assert not is_alertmanager(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity = critical", [("severity", "=", "critical")]),
        ('severity="critical"', [("severity", "=", "critical")]),
        ("severity=~warning|critical", [("severity", "=~", "warning|critical")]),
        ('{a="b", c=~"d"}', [("a", "=", "b"), ("c", "=~", "d")]),
        ('a!="b,c",d!~"e{1,2}",', [("a", "!=", "b,c"), ("d", "!~", "e{1,2}")]),
        (r'a="say \"hi\"\n",b=~"\d+\\."', [("a", "=", 'say "hi"\n'), ("b", "=~", r"\d+\.")]),
        ('a=""', [("a", "=", "")]),
        ("a=", [("a", "=", "")]),
        ('"a label"="b"', [("a label", "=", "b")]),
        ("{}", []),
    ],
)
def test_matchers(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(each.label, each.op, each.value) for each in parse_matchers(text)] == expected


@pytest.mark.parametrize("text", ["severity", '{a="b"', 'a="b', "=b", "a b=c"])
def test_not_matchers(text: str) -> None:
    with pytest.raises(ValueError, match=r"matcher|partner"):
        parse_matchers(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("receivers:\n- name: a\n", "am.yml:1: no `route`"),
        ("a: b\n", "am.yml:1: no Alertmanager configuration"),
        ("", "am.yml:1: no Alertmanager configuration"),
        ("route:\n  receiver: b\nreceivers:\n- name: a\n", 'am.yml:2: receiver "b" is not defined'),
        ("route:\n  routes: []\nreceivers:\n- name: a\n", "am.yml:1: the root route names no receiver"),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n- name: a\n",
            'am.yml:4: receiver "a" is defined twice',
        ),
        ("route: {receiver: a}\nreceivers:\n- nam: a\n", "am.yml:3: a receiver without a name"),
        ("route: {receiver: a}\nreceivers: {name: a}\n", "am.yml:2: `receivers` is not a list"),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  slack_configs:\n    channel: b\n",
            'am.yml:4: `slack_configs` of receiver "a" is not a list',
        ),
        (
            "route: {receiver: a}\nreceivers:\n- name: a\n  slack_configs:\n  - \n",
            'am.yml:5: entry 0 of `slack_configs` of receiver "a" is not a mapping',
        ),
        (
            "route:\n  receiver: a\n  routes:\n  - matchers:\n    - a=b\n    - no\nreceivers: [{name: a}]\n",
            "am.yml:6: 'no' is not a matcher",
        ),
        ("route: [\n", "am.yml:2: not valid YAML"),
        ("kind: Secret\ndata:\n  alertmanager.yaml: '%'\n", "am.yml:3: `alertmanager.yaml` is not base64"),
        (
            "kind: Secret\nstringData:\n  alertmanager.yaml: |\n    a: b\n    - c\n",
            "am.yml:5: not valid YAML",
        ),
        (
            "kind: Secret\nstringData:\n  alertmanager.yaml: '['\n",
            "am.yml:3: line 2 of the text inside is not",
        ),
    ],
)
def test_mistakes_say_where_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        parse_routing("am.yml", "/", text)
    assert str(error.value).startswith(message)
    assert str(error.value).count(". ") >= 1
